using System.Globalization;
using Dure.Fleet.Drill.Ground;
using Dure.Host;
using Npgsql;

namespace Dure.Fleet.Drill.Clients;

/// <summary>
/// Rows that are committed one by one, on whichever of the database machines takes writes. It looks for that one itself, over a fresh connection: what a pool believes of machines
/// that lost their power is not what is measured here.
/// </summary>
internal sealed class PostgresWrites : DrillClient
{
    private readonly List<NpgsqlDataSource> _machines;
    private readonly string _run;
    private NpgsqlConnection? _open;
    private int _last;

    /// <param name="ports">Where the database machines are reached on the loopback address.</param>
    /// <param name="run">Tells this drill's rows from others'.</param>
    public PostgresWrites(IEnumerable<int> ports, string password, string run, TimeProvider time)
        : base("postgres", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3), time)
    {
        _run = run;
        _machines = [.. ports.Select(port => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Database = "dure",
            Username = "dure",
            Password = password,
            Timeout = 1,
            CommandTimeout = 2,
            // A cancelled wait for the replica would come back as a success that only one machine has: the connection is given up instead.
            CancellationTimeout = -1,
            Pooling = false,
            ApplicationName = "dure drill",
        }))];
    }

    public override string What => "INSERT, committed, on whichever machine takes writes";

    public override Task<Problem?> PrepareAsync(CancellationToken cancel) => ExecuteAsync("CREATE TABLE IF NOT EXISTS dure_drill_writes (run text NOT NULL, id bigint NOT NULL, PRIMARY KEY (run, id))", cancel);

    public override async Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel)
    {
        try
        {
            await using var connection = await PrimaryAsync(cancel);
            await using var command = new NpgsqlCommand("SELECT id FROM dure_drill_writes WHERE run = $1", connection) { Parameters = { new() { Value = _run } }, CommandTimeout = 20 };
            await using var reader = await command.ExecuteReaderAsync(cancel);
            var found = new HashSet<long>();
            while (await reader.ReadAsync(cancel))
                found.Add(reader.GetInt64(0));
            return new Outcome<IReadOnlySet<long>?>(found);
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            return DrillErrors.NoClient.With($"postgres cannot be read back: {failure.Message}");
        }
    }

    public override Task CleanAsync(CancellationToken cancel) => ExecuteAsync("DROP TABLE IF EXISTS dure_drill_writes", cancel);

    protected override async ValueTask EndAsync()
    {
        Close();
        foreach (var machine in _machines)
            await machine.DisposeAsync();
    }

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        try
        {
            // Whatever the library still waits for: this client has run out of patience.
            await WriteAsync(id, cancel).WaitAsync(cancel);
            return null;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            Close();
            throw;
        }
    }

    private async Task WriteAsync(long id, CancellationToken cancel)
    {
        var connection = _open ??= await PrimaryAsync(cancel);
        await using var command = new NpgsqlCommand("INSERT INTO dure_drill_writes (run, id) VALUES ($1, $2)", connection) { Parameters = { new() { Value = _run }, new() { Value = id } } };
        await command.ExecuteNonQueryAsync(cancel);
    }

    private async Task<NpgsqlConnection> PrimaryAsync(CancellationToken cancel)
    {
        Exception? last = null;
        for (var i = 0; i < _machines.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var connection = _machines[_last % _machines.Count].CreateConnection();
            try
            {
                await connection.OpenAsync(cancel);
                await using var ask = new NpgsqlCommand("SELECT pg_is_in_recovery()", connection);
                if (await ask.ExecuteScalarAsync(cancel) is false)
                    return connection;
            }
            catch (Exception failure) when (IsExpected(failure))
            {
                last = failure;
            }

            _last++;
            Forget(connection);
        }

        throw new IOException($"no machine takes writes{(last is null ? "" : $": {last.Message}")}", last);
    }

    private async Task<Problem?> ExecuteAsync(string sql, CancellationToken cancel)
    {
        try
        {
            await using var connection = await PrimaryAsync(cancel);
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 20 };
            await command.ExecuteNonQueryAsync(cancel);
            return null;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            return DrillErrors.NoClient.With($"postgres: {failure.Message}");
        }
    }

    private void Close()
    {
        if (_open is { } open)
        {
            _open = null;
            Forget(open);
        }
    }

    // To close it may take as long as what it waits for: nobody waits for that.
    private static void Forget(NpgsqlConnection connection) => _ = Task.Run(async () =>
    {
        try
        {
            await connection.DisposeAsync();
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            // It was broken.
        }
    });
}
