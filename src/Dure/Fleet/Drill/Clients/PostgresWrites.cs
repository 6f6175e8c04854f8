using System.Globalization;
using Dure.Fleet.Drill.Ground;
using Dure.Host;
using Npgsql;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Rows that are committed one by one, over a connection string that names every database machine and looks for the one that takes writes.</summary>
internal sealed class PostgresWrites : DrillClient
{
    private readonly NpgsqlMultiHostDataSource _source;
    private readonly string _run;
    private NpgsqlConnection? _open;

    /// <param name="ports">Where the database machines are reached on the loopback address.</param>
    /// <param name="run">Tells this drill's rows from others'.</param>
    public PostgresWrites(IEnumerable<int> ports, string password, string run, TimeProvider time)
        : base("postgres", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3), time)
    {
        _run = run;
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = string.Join(',', ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"))),
            Database = "dure",
            Username = "dure",
            Password = password,
            Timeout = 1,
            CommandTimeout = 2,
            // A cancelled wait for the replica would come back as a success that only one machine has: the connection is given up instead.
            CancellationTimeout = -1,
            HostRecheckSeconds = 0,
            MaxPoolSize = 4,
            ApplicationName = "dure drill",
        };
        _source = new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost();
    }

    public override string What => "INSERT, committed, on whichever machine takes writes";

    public override Task<Problem?> PrepareAsync(CancellationToken cancel) => ExecuteAsync("CREATE TABLE IF NOT EXISTS dure_drill_writes (run text NOT NULL, id bigint NOT NULL, PRIMARY KEY (run, id))", cancel);

    public override async Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(TargetSessionAttributes.ReadWrite, cancel);
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
        await CloseAsync();
        await _source.DisposeAsync();
    }

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        try
        {
            _open ??= await _source.OpenConnectionAsync(TargetSessionAttributes.ReadWrite, cancel);
            await using var command = new NpgsqlCommand("INSERT INTO dure_drill_writes (run, id) VALUES ($1, $2)", _open) { Parameters = { new() { Value = _run }, new() { Value = id } } };
            await command.ExecuteNonQueryAsync(cancel);
            return null;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            await CloseAsync();
            throw;
        }
    }

    private async Task<Problem?> ExecuteAsync(string sql, CancellationToken cancel)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(TargetSessionAttributes.ReadWrite, cancel);
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 20 };
            await command.ExecuteNonQueryAsync(cancel);
            return null;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            return DrillErrors.NoClient.With($"postgres: {failure.Message}");
        }
    }

    private async Task CloseAsync()
    {
        if (_open is { } open)
        {
            _open = null;
            await open.DisposeAsync();
        }
    }
}
