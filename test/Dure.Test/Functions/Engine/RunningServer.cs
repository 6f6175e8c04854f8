using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Dure.Functions.Dispatch;
using Dure.Test.Processes;

namespace Dure.Test.Functions.Engine;

/// <summary>The built <c>dure</c> as a process of its own, on a data folder of its own. Ends everything it started.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private readonly IReadOnlyList<string> _settings;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string _program;
    private Process? _process;

    private RunningServer(IReadOnlyList<string> settings, IReadOnlyDictionary<string, string> environment, string? program, string? data)
    {
        (_settings, _environment, _program) = (settings, environment, program ?? ProgramUnderTest.Path);
        // Functions run as another user and must be able to pass through.
        File.SetUnixFileMode(Folder.Path, (UnixFileMode)0b111_001_001);
        Data = data ?? Folder["data"];
    }

    /// <summary>Around the data folder; goes with the server.</summary>
    public Scratch Folder { get; } = new();

    /// <summary>The data folder.</summary>
    public string Data { get; }

    /// <summary>The server's own address.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>The owner's token.</summary>
    public string Token => File.ReadAllText(Path.Combine(Data, "keys", "owner.token")).Trim();

    /// <summary>Process id of the server.</summary>
    public int Pid => _process!.Id;

    /// <summary>What the server wrote.</summary>
    public string Output => File.ReadAllText(Folder["server.out"]);

    /// <summary>Starts one and waits until it answers.</summary>
    /// <param name="settings">KEY=VALUE each.</param>
    /// <param name="environment">Variables added to the server's.</param>
    /// <param name="program">Another build of <c>dure</c>; null for the one beside this program.</param>
    /// <param name="data">A data folder that the caller keeps; null for one that goes with the server.</param>
    public static async Task<RunningServer> StartAsync(IReadOnlyList<string> settings, CancellationToken cancel, IReadOnlyDictionary<string, string>? environment = null,
        string? program = null, string? data = null)
    {
        var server = new RunningServer(settings, environment ?? new Dictionary<string, string>(StringComparer.Ordinal), program, data);
        await server.StartAgainAsync(cancel);
        return server;
    }

    /// <summary>Starts the server on the data that is there. Its output goes to a file: a pipe would be inherited by what outlives it.</summary>
    public async Task StartAgainAsync(CancellationToken cancel)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        string[] words = ["-c", """out=$1; shift; exec "$@" >>"$out" 2>&1 </dev/null""", "sh", Folder["server.out"], _program,
            "up", "--foreground", "--data", Data, "--port", "0"];
        foreach (var word in words.Concat(_settings.SelectMany(s => (string[])["--set", s])))
            start.ArgumentList.Add(word);
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        var begun = TimeProvider.System.GetTimestamp();
        while (!await IsReadyAsync(cancel))
        {
            if (_process.HasExited || TimeProvider.System.GetElapsedTime(begun) > ReadyWithin)
                throw new InvalidOperationException($"The server did not start: {Output}");
            await Task.Delay(Look, cancel);
        }
    }

    /// <summary>kill -9 of the server alone.</summary>
    public async Task KillAsync(CancellationToken cancel)
    {
        _process!.Kill();
        await _process.WaitForExitAsync(cancel);
    }

    /// <summary>Process id of the worker.</summary>
    public int WorkerPid => FindWorker() ?? throw new InvalidOperationException("no worker runs");

    /// <summary>Process id of the worker; null when none runs.</summary>
    public int? FindWorker() => LeftWorker.ReadPid(Path.Combine(Data, "run", "w", "w1.pid")) is { } pid && EndProcess.IsAlive(pid) ? pid : null;

    /// <summary>Process ids of the workers that stand by.</summary>
    public IEnumerable<int> FindStandbys()
    {
        var worker = FindWorker();
        return Processes().Where(p => p.Words is [_, "worker", ..] && p.Words.Contains("--standby") && p.Pid != worker).Select(p => p.Pid);
    }

    /// <summary>Memory that the server has resident, bytes.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/status")).First(l => l.StartsWith("VmRSS", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Sends a signal to a process.</summary>
    public static async Task SignalAsync(int pid, string signal, CancellationToken cancel) =>
        await Child.RunAsync(cancel, "/bin/kill", "-" + signal, pid.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            _process.Kill();
        foreach (var (pid, _) in Processes())
            await SignalAsync(pid, "KILL", CancellationToken.None);
        while (Processes().Count > 0)
            await Task.Delay(Look, CancellationToken.None);
        _process?.Dispose();
        await LeftGroups.RemoveAsync(Data);
        Folder.Dispose();
    }

    private List<(int Pid, string[] Words)> Processes()
    {
        var found = new List<(int, string[])>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), CultureInfo.InvariantCulture, out _)))
        {
            try
            {
                var words = File.ReadAllText(folder + "/cmdline").Split('\0');
                if (words.Contains(Data, StringComparer.Ordinal) && Path.GetFileName(folder) != Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
                    found.Add((int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), words));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or is not ours.
            }
        }
        return found;
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        try
        {
            var said = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "run", "server.json"), cancel))!;
            if ((int)said["pid"]! != Pid)
                return false;
            Url = new Uri((string)said["url"]!);
            using var answer = await Http.Client.GetAsync(new Uri(Url, "/api/health"), cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is IOException or HttpRequestException or System.Text.Json.JsonException)
        {
            return false;
        }
    }
}

/// <summary>The one client of all tests.</summary>
internal static class Http
{
    private static readonly SocketsHttpHandler Sockets = new() { PooledConnectionLifetime = TimeSpan.FromMinutes(1) };

    public static readonly HttpMessageInvokerClient Client = new(Sockets);
}

/// <summary>An <see cref="HttpClient"/> over the shared sockets, without a time limit of its own.</summary>
internal sealed class HttpMessageInvokerClient : HttpClient
{
    public HttpMessageInvokerClient(HttpMessageHandler sockets)
        : base(sockets, disposeHandler: false) => Timeout = System.Threading.Timeout.InfiniteTimeSpan;
}
