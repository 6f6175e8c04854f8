using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Test.Fleet.Apply;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>A server of a test's own and the real <c>dure</c> beside it.</summary>
internal sealed class OneMachine(Scratch scratch, RunningDure dure) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    public RunningDure Dure => dure;

    public static async Task<OneMachine> StartAsync(CancellationToken cancel, params string[] settings)
    {
        var scratch = new Scratch();
        return new(scratch, await RunningDure.StartAsync(scratch["data"], cancel, settings));
    }

    /// <summary>A folder with <see cref="TestApp"/> in it.</summary>
    public string Folder(string name, string version, string more = "") => TestApp.Write(scratch["projects", name], version, more);

    public string Path(params string[] names) => scratch[["projects", .. names]];

    /// <summary>Runs <c>dure</c> against the server.</summary>
    public async Task<Said> DureAsync(params string[] words)
    {
        var start = new ProcessStartInfo(RunningDure.Program, [.. words, "--data", dure.Data]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Fails the test when <c>dure</c> fails.</summary>
    public async Task<JsonNode> GoodAsync(params string[] words)
    {
        var said = await DureAsync([.. words, "--format", "json"]);
        Assert.True(said.Code == 0, $"dure {string.Join(' ', words)} ended with {said.Code}\n{said.All}\n{dure.Log}");
        return said.Output.Length > 0 ? said.Json : new JsonObject();
    }

    /// <summary>What a browser gets.</summary>
    public async Task<(int Status, string Text, string? Tag)> GetAsync(string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), answer.Headers.TryGetValues("Dure-App", out var tags) ? tags.Single() : null);
    }

    /// <summary>Says something to an open WebSocket and gives the answer.</summary>
    public static async Task<string> EchoAsync(ClientWebSocket socket, string text, CancellationToken cancel)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, cancel);
        var buffer = new byte[200];
        var got = await socket.ReceiveAsync(buffer, cancel);
        return Encoding.UTF8.GetString(buffer, 0, got.Count);
    }

    public static async Task<ClientWebSocket> OpenSocketAsync(string url, CancellationToken cancel)
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await socket.ConnectAsync(new Uri(url.Replace("http://", "ws://", StringComparison.Ordinal) + "ws"), cancel);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await dure.DisposeAsync();
        scratch.Dispose();
    }
}
