using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dure.Test.Processes;

/// <summary>A real server on a data folder of a test's own. Ended, its worker too, when disposed.</summary>
internal sealed class RunningDure : IAsyncDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    private readonly HashSet<int> _workers = [];
    private Process _process;

    private RunningDure(string data, Process process, HttpClient http) => (Data, _process, Http) = (data, process, http);

    /// <summary>The executable that is tested.</summary>
    public static string Program => ProgramUnderTest.Path;

    public string Data { get; }

    /// <summary>Signed in as the owner.</summary>
    public HttpClient Http { get; private set; }

    /// <summary>What the server wrote.</summary>
    public string Log => File.ReadAllText(Path.Combine(Data, "logs", "test-server.log"));

    /// <summary>Starts a server.</summary>
    public static async Task<RunningDure> StartAsync(string data, CancellationToken cancel, params string[] settings)
    {
        var (process, http) = await LaunchAsync(data, settings, cancel);
        return new RunningDure(data, process, http);
    }

    /// <summary>Starts it again on the same data.</summary>
    public async Task StartAgainAsync(CancellationToken cancel, params string[] settings)
    {
        Http.Dispose();
        (_process, Http) = await LaunchAsync(Data, settings, cancel);
    }

    /// <summary>Starts it again on the same data and port: for who knows it by its address.</summary>
    public async Task StartAgainThereAsync(CancellationToken cancel, params string[] settings)
    {
        var port = Http.BaseAddress!.Port;
        Http.Dispose();
        // A port of its own for the store as well, as servers on port 0 have.
        (_process, Http) = await LaunchAsync(Data, ["store.port=0", .. settings], cancel, port);
    }

    /// <summary>kill -9 of the server alone: the worker and the functions go on.</summary>
    public async Task KillAsync()
    {
        await RememberWorkersAsync();
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Deploys files as a function; fails the test when that is refused.</summary>
    public async Task<JsonNode> DeployAsync(string name, CancellationToken cancel, params (string Path, string Text)[] files)
    {
        using var package = new MemoryStream();
        await using (var zip = new GZipStream(package, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip))
        {
            foreach (var (path, text) in files)
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) }, cancel);
        }
        using var content = new ByteArrayContent(package.ToArray());
        using var response = await Http.PostAsync(new Uri($"/api/functions/{name}/versions", UriKind.Relative), content, cancel);
        var lines = (await response.Content.ReadAsStringAsync(cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var last = JsonNode.Parse(lines[^1])!;
        return last["version"] ?? throw new InvalidOperationException(string.Join('\n', lines));
    }

    /// <summary>Sends a request and reads the JSON of its answer.</summary>
    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, CancellationToken cancel, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Gets JSON.</summary>
    public async Task<JsonNode> GetAsync(string path, CancellationToken cancel) => (await SendAsync(HttpMethod.Get, path, cancel)).Body!;

    /// <summary>Submits without waiting and gives the id.</summary>
    public async Task<string> SubmitAsync(string function, string body, CancellationToken cancel, params (string Name, string Value)[] headers)
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, $"/api/functions/{function}/invocations", cancel, body, [("Prefer", "respond-async"), .. headers]);
        return status == HttpStatusCode.Accepted ? (string)answer!["id"]! : throw new InvalidOperationException($"{status}: {answer}");
    }

    /// <summary>Waits for an invocation's end.</summary>
    public Task<JsonNode> EndAsync(string id, CancellationToken cancel) => UntilAsync(
        () => GetAsync("/api/invocations/" + id, cancel), view => (string?)view["state"] is not ("PENDING" or "PROCESSING"), cancel);

    /// <summary>Looks until what is seen is as wanted.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> wanted, CancellationToken cancel)
    {
        while (true)
        {
            var seen = await look();
            if (wanted(seen))
                return seen;
            await Task.Delay(50, cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await RememberWorkersAsync();
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                (await Http.PostAsync(new Uri("/api/stop", UriKind.Relative), null, stop.Token)).Dispose();
                await _process.WaitForExitAsync(stop.Token);
            }
            catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
            {
                _process.Kill();
            }
        }
        foreach (var pid in _workers)
            KillWorker(pid);
        _process.Dispose();
        Http.Dispose();
        await EmptyAsync();
    }

    // What the worker leaves may still be going while it ends.
    private async Task EmptyAsync()
    {
        for (var tries = 0; tries < 50 && Directory.Exists(Data); tries++)
        {
            try
            {
                foreach (var left in new DirectoryInfo(Data).GetFileSystemInfos())
                {
                    if (left is DirectoryInfo folder)
                        folder.Delete(recursive: true);
                    else
                        left.Delete();
                }
                return;
            }
            catch (IOException)
            {
                await Task.Delay(100);
            }
        }
    }

    private static async Task<(Process Process, HttpClient Http)> LaunchAsync(string data, string[] settings, CancellationToken cancel, int port = 0)
    {
        Directory.CreateDirectory(Path.Combine(data, "logs"));
        // The sandboxes' user must be able to pass through the test's folders.
        foreach (var folder in new[] { data, Path.GetDirectoryName(data)! }.Where(folder => folder != Path.TrimEndingDirectorySeparator(Path.GetTempPath())))
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        string[] words = ["-c", """log=$1; shift; exec "$@" </dev/null >>"$log" 2>&1""", "sh", Path.Combine(data, "logs", "test-server.log"),
            Program, "up", "--foreground", "--yes", "--data", data, "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture), .. settings.SelectMany(setting => new[] { "--set", setting })];
        foreach (var word in words)
            start.ArgumentList.Add(word);
        var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ReadyWithin);
        await using var late = limit.Token.Register(() => process.Kill());
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"The server ended with {process.ExitCode}: {await File.ReadAllTextAsync(Path.Combine(data, "logs", "test-server.log"), cancel)}");
            if (await AddressAsync(data, process.Id, limit.Token) is { } url)
                return (process, Connect(data, url));
            await Task.Delay(20, limit.Token);
        }
    }

    private static async Task<Uri?> AddressAsync(string data, int pid, CancellationToken cancel)
    {
        try
        {
            var running = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(data, "run", "server.json"), cancel))!;
            if ((int)running["pid"]! != pid)
                return null;
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            var url = new Uri((string)running["url"]!);
            using var health = await http.GetAsync(new Uri(url, "/api/health"), cancel);
            return health.IsSuccessStatusCode && (await health.Content.ReadAsStringAsync(cancel)).Contains("starting", StringComparison.Ordinal) == false ? url : null;
        }
        catch (Exception error) when (error is IOException or JsonException or HttpRequestException)
        {
            return null;
        }
    }

    private static HttpClient Connect(string data, Uri url) => new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        BaseAddress = url,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(Path.Combine(data, "keys", "owner.token")).Trim()) },
    };

    private async Task RememberWorkersAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            var status = await GetAsync("/api/status", limit.Token);
            _workers.UnionWith(status["workers"]!.AsArray().Select(worker => (int)worker!["pid"]!));
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or JsonException)
        {
            // The server is gone; workers of before are known already.
        }
    }

    private static void KillWorker(int pid)
    {
        try
        {
            using var worker = Process.GetProcessById(pid);
            if (!worker.WaitForExit(TimeSpan.FromSeconds(5)))
                worker.Kill(entireProcessTree: true);
        }
        catch (ArgumentException)
        {
            // It has ended.
        }
    }
}
