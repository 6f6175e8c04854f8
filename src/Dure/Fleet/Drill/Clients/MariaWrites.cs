using System.Globalization;
using System.Net;
using Dure.Host;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Rows that are committed one by one in MariaDB, through the virtual address.</summary>
/// <param name="ports">Where the virtual address is reached on the loopback address, by several ways; the next is tried when one breaks.</param>
internal sealed class MariaWrites(IReadOnlyList<int> ports, string user, string password, string database, string run, TimeProvider time)
    : DrillClient("galera", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2), time)
{
    private MariaConnection? _open;
    private int _way;

    public override string What => "INSERT, committed, through the virtual address";

    public override Task<Problem?> PrepareAsync(CancellationToken cancel) =>
        ExecuteAsync("CREATE TABLE IF NOT EXISTS dure_drill_writes (run VARCHAR(64) NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (run, id)) ENGINE=InnoDB", cancel);

    public override async Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel)
    {
        var read = await TryAsync($"SELECT id FROM dure_drill_writes WHERE run = '{run}'", cancel);
        return read.Ok ? new Outcome<IReadOnlySet<long>?>(read.Value.Select(id => long.Parse(id, CultureInfo.InvariantCulture)).ToHashSet()) : read.Problem;
    }

    public override Task CleanAsync(CancellationToken cancel) => ExecuteAsync("DROP TABLE IF EXISTS dure_drill_writes", cancel);

    protected override ValueTask EndAsync() => CloseAsync();

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        try
        {
            await RunAsync(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO dure_drill_writes (run, id) VALUES ('{run}', {id})"), cancel);
            return null;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            await CloseAsync();
            throw;
        }
    }

    private async Task<IReadOnlyList<string>> RunAsync(string sql, CancellationToken cancel)
    {
        _open ??= await MariaConnection.OpenAsync(new(IPAddress.Loopback, ports[_way++ % ports.Count]), user, password, database, cancel);
        return await _open.RunAsync(sql, cancel);
    }

    private async Task<Problem?> ExecuteAsync(string sql, CancellationToken cancel) => (await TryAsync(sql, cancel)).Problem;

    private async Task<Outcome<IReadOnlyList<string>>> TryAsync(string sql, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(TimeSpan.FromSeconds(10));
            try
            {
                return new Outcome<IReadOnlyList<string>>(await RunAsync(sql, limit.Token));
            }
            catch (Exception failure) when (IsExpected(failure) && !cancel.IsCancellationRequested)
            {
                await CloseAsync();
                if (attempt == 5)
                    return DrillErrors.NoClient.With($"galera: {failure.Message}");
                await Task.Delay(TimeSpan.FromMilliseconds(300), Time, cancel);
            }
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_open is { } open)
        {
            _open = null;
            await open.DisposeAsync();
        }
    }
}
