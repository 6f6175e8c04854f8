using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Dure.Test.Functions.Engine;

/// <summary>Speaks to a running server as any client would.</summary>
internal sealed class EngineClient(RunningServer server, TimeProvider time, string? token = null)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(30);

    /// <summary>Sends any request, with the token; without one, the owner's.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancel, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, new Uri(server.Url, path)) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? server.Token);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Http.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    /// <summary>Deploys files as a version of a function.</summary>
    public async Task DeployAsync(string name, CancellationToken cancel, params (string Path, string Text)[] files)
    {
        using var packed = new MemoryStream();
        await using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip))
        {
            foreach (var (path, text) in files)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) }, cancel);
            }
        }
        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/gzip");
        using var answer = await SendAsync(HttpMethod.Post, $"/api/functions/{name}/versions", content, cancel);
        var said = await answer.Content.ReadAsStringAsync(cancel);
        if (!said.TrimEnd().Split('\n')[^1].StartsWith("{\"version\"", StringComparison.Ordinal))
            throw new InvalidOperationException($"{name} was not deployed: {said}");
    }

    /// <summary>Invokes and waits for the answer's head.</summary>
    public Task<HttpResponseMessage> InvokeAsync(string function, string body, CancellationToken cancel, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, $"/api/functions/{function}/invocations", new ByteArrayContent(Encoding.UTF8.GetBytes(body)), cancel, headers);

    /// <summary>Invokes, waits and gives the result as text; anything but 200 throws.</summary>
    public async Task<string> ResultAsync(string function, string body, CancellationToken cancel)
    {
        using var answer = await InvokeAsync(function, body, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{(int)answer.StatusCode}: {text}");
    }

    /// <summary>Invokes asynchronously.</summary>
    /// <returns>The id.</returns>
    public async Task<string> StartAsync(string function, string body, CancellationToken cancel)
    {
        using var answer = await InvokeAsync(function, body, cancel, ("Prefer", "respond-async"));
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? (string)JsonNode.Parse(text)!["id"]! : throw new InvalidOperationException(text);
    }

    /// <summary>GETs JSON.</summary>
    public async Task<JsonNode> GetAsync(string path, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null, cancel);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!;
    }

    /// <summary>GETs text.</summary>
    public async Task<string> TextAsync(string path, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null, cancel);
        return await answer.Content.ReadAsStringAsync(cancel);
    }

    /// <summary>The invocation as it stands.</summary>
    public Task<JsonNode> ViewAsync(string id, CancellationToken cancel) => GetAsync($"/api/invocations/{id}", cancel);

    /// <summary>The invocation's log.</summary>
    public Task<string> LogsAsync(string id, CancellationToken cancel) => TextAsync($"/api/invocations/{id}/logs", cancel);

    /// <summary>Waits for the final state.</summary>
    public Task<JsonNode> EndAsync(string id, CancellationToken cancel) =>
        UntilAsync(() => ViewAsync(id, cancel), view => (string)view["state"]! is not ("PENDING" or "PROCESSING"), cancel);

    /// <summary>Waits until the log holds a text.</summary>
    public Task<string> SaysAsync(string id, string text, CancellationToken cancel) =>
        UntilAsync(() => LogsAsync(id, cancel), log => log.Contains(text, StringComparison.Ordinal), cancel);

    private async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> enough, CancellationToken cancel)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var seen = await look();
            if (enough(seen))
                return seen;
            if (time.GetElapsedTime(begun) > EndsWithin)
                throw new TimeoutException($"Still {(seen is JsonNode node ? node.ToJsonString() : seen)}\n{server.Output}");
            await Task.Delay(Look, time, cancel);
        }
    }
}
