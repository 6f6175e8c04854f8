using Dure.Test.Processes;
using Npgsql;
using Xunit;

namespace Dure.Test.Host.Data;

/// <summary>A PostgreSQL server of these tests' own, on a Unix socket in a temporary folder; started by the first test that needs it.</summary>
public sealed class PostgresCluster : IAsyncLifetime
{
    private static readonly string? Programs = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin")).LastOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
        : null;

    // PostgreSQL refuses to run as root.
    private static readonly string[] AsItself = Environment.UserName == "root"
        ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        : [];

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"dure-pg-{Path.GetRandomFileName()}");
    private readonly SemaphoreSlim _starting = new(1);
    private bool _started;

    private string Data => Path.Combine(_folder, "data");

    /// <summary>The connection string of a database of this server.</summary>
    public string Address(string database) => $"Host={_folder};Username=postgres;Database={database}";

    public ValueTask InitializeAsync() => default;

    /// <summary>Starts it once; skips the test when PostgreSQL is not installed.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        Assert.SkipWhen(Programs is null, "PostgreSQL is not installed (Debian: postgresql).");
        await _starting.WaitAsync(cancel);
        try
        {
            if (!_started)
            {
                Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
                if (AsItself.Length > 0)
                {
                    await RunAsync(cancel, "chown", "postgres", _folder);
                }
                await RunAsync(cancel, [.. AsItself, $"{Programs}/initdb", "-D", Data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]);
                await ControlAsync("start", "", cancel);
                _started = true;
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>A new, empty database.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancel)
    {
        await StartAsync(cancel);
        var name = $"t{Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal)}";
        await using var connection = new NpgsqlConnection($"{Address("postgres")};Pooling=false");
        await connection.OpenAsync(cancel);
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync(cancel);
        return name;
    }

    /// <summary>Fills a database from a dump.</summary>
    public Task RestoreAsync(string dump, string database, CancellationToken cancel) =>
        RunAsync(cancel, $"{Programs}/pg_restore", "-h", _folder, "-U", "postgres", "-d", database, dump);

    /// <summary>kill -9 of the server and all its processes.</summary>
    public async Task KillAsync(CancellationToken cancel)
    {
        var pid = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid"), cancel))[0];
        var (_, text) = await Child.RunAsync(cancel, "ps", "-o", "pid=", "--pid", pid, "--ppid", pid);
        var all = text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        await Child.RunAsync(cancel, ["kill", "-9", .. all]);
        while (all.Any(one => Directory.Exists($"/proc/{one}")))
        {
            await Task.Delay(5, cancel);
        }
    }

    /// <summary>Starts it again, with other settings if given.</summary>
    public Task StartAgainAsync(CancellationToken cancel, string settings = "") => ControlAsync("start", settings, cancel);

    /// <summary>Stops it in order.</summary>
    public Task StopAsync(CancellationToken cancel) => ControlAsync("stop", "", cancel);

    public async ValueTask DisposeAsync()
    {
        if (_started)
        {
            NpgsqlConnection.ClearAllPools();
            await Child.RunAsync(CancellationToken.None, [.. AsItself, $"{Programs}/pg_ctl", "-D", Data, "-m", "immediate", "stop"]);
        }
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
        _starting.Dispose();
    }

    private Task ControlAsync(string verb, string settings, CancellationToken cancel) => RunAsync(
        cancel,
        [.. AsItself, $"{Programs}/pg_ctl", "-w", "-s", "-D", Data, "-m", "fast", "-l", Path.Combine(_folder, "log"), "-o", $"-k {_folder} -c listen_addresses= -c shared_buffers=32MB {settings}", verb]);

    private static async Task RunAsync(CancellationToken cancel, params string[] words)
    {
        var (code, text) = await Child.RunAsync(cancel, words);
        Assert.True(code == 0, $"{string.Join(' ', words)} ended with {code}: {text}");
    }
}
