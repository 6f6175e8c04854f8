using System.Text;
using System.Text.Json;
using Dure.Functions.Dispatch;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>Logs as bytes (ranges, following) and as server-sent events, both resumable at any byte.</summary>
internal sealed class LogEndpoints(FunctionsContext context, InvocationEndpoints invocations)
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KeepAliveEvery = TimeSpan.FromSeconds(15);
    private const int PieceBytes = 256 << 10;

    /// <summary>GET /api/invocations/{id}/logs.</summary>
    public async Task LogsAsync(HttpContext http)
    {
        if (await invocations.FindAsync(http) is not { } view || InvocationEndpoints.ReadId(http) is not { } id)
            return;
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers["Dure-State"] = view.State;
        var path = context.Logs.PathOf(id);
        if (http.Request.Query["follow"].ToString() is "true" or "1")
            await FollowAsync(http, id, path, Begin(http.Request));
        else if (File.Exists(path))
            await Results.Stream(new FileSoFar(path), "text/plain; charset=utf-8", lastModified: File.GetLastWriteTimeUtc(path), enableRangeProcessing: true).ExecuteAsync(http);
    }

    /// <summary>GET /api/invocations/{id}/events.</summary>
    public async Task EventsAsync(HttpContext http)
    {
        if (await invocations.FindAsync(http) is null || InvocationEndpoints.ReadId(http) is not { } id)
            return;
        var events = new EventStream(http);
        var (offset, seen) = EventStream.ReadCursor(http.Request.Headers["Last-Event-ID"]);
        using var live = context.Live.Subscribe(InvocationEvents.Channel(id));
        string? last = seen;
        while (!http.RequestAborted.IsCancellationRequested)
        {
            // The state is read before the log: what a final state promises is then already in the file.
            // None: retention has removed it meanwhile.
            if (await context.FindAsync(id, http.RequestAborted) is not { } view)
                return;
            (offset, var lines) = await ReadLinesAsync(context.Logs.PathOf(id), offset, http.RequestAborted);
            if (lines.Count > 0)
                await events.SendAsync("log", EventStream.Cursor(offset, last), new LogEvent(view.Id, lines), ApiJson.Default.LogEvent);
            var mark = $"{view.State}.{view.Attempt}";
            if (mark != last)
            {
                last = mark;
                await events.SendAsync("status", EventStream.Cursor(offset, last), view with { Steps = null }, ApiJson.Default.InvocationView);
            }
            if (IsFinal(view.State) && lines.Count == 0)
            {
                await events.SendAsync("end", EventStream.Cursor(offset, last));
                return;
            }
            if (lines.Count == 0 && await live.NextAsync(PollEvery, http.RequestAborted) is null)
                await events.KeepAliveAsync(KeepAliveEvery, context.Time);
        }
    }

    /// <summary>GET /api/functions/{name}/events: states and lines of all its invocations.</summary>
    public async Task FunctionEventsAsync(HttpContext http, string name)
    {
        var events = new EventStream(http);
        using var live = context.Live.Subscribe(InvocationEvents.FunctionChannel(name));
        var function = context.Catalog.Find(name)!.Id;
        var (since, _) = EventStream.ReadCursor(http.Request.Headers["Last-Event-ID"]);
        var follower = new FunctionFollower(context, function, live, since);
        while (!http.RequestAborted.IsCancellationRequested)
        {
            var news = await follower.NextAsync(http.RequestAborted).ConfigureAwait(false);
            foreach (var (view, changed, lines) in news)
            {
                if (lines.Count > 0)
                    await events.SendAsync("log", EventStream.Cursor(follower.Since, null), new LogEvent(view.Id, lines), ApiJson.Default.LogEvent);
                if (changed)
                    events.Write("status", EventStream.Cursor(follower.Since, null), view, ApiJson.Default.InvocationView);
            }
            if (news.Count > 0)
                await events.FlushAsync();
            else
                await events.KeepAliveAsync(KeepAliveEvery, context.Time);
        }
    }

    /// <summary>Whole lines from an offset, at most <see cref="PieceBytes"/> at once.</summary>
    internal static async ValueTask<(long Offset, List<string> Lines)> ReadLinesAsync(string path, long offset, CancellationToken cancel)
    {
        if (!File.Exists(path))
            return (offset, []);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        var buffer = new byte[(int)Math.Clamp(RandomAccess.GetLength(file) - offset, 0, PieceBytes)];
        var count = buffer.Length == 0 ? 0 : await RandomAccess.ReadAsync(file, buffer, offset, cancel);
        var end = buffer.AsSpan(0, count).LastIndexOf((byte)'\n');
        if (end < 0)
            return (offset, []);
        return (offset + end + 1, [.. Encoding.UTF8.GetString(buffer, 0, end).Split('\n')]);
    }

    internal static bool IsFinal(string state) => state is not ("PENDING" or "PROCESSING");

    // Following may go on where it was cut: `Range: bytes=N-`.
    private static long Begin(HttpRequest request) =>
        request.GetTypedHeaders().Range is { Unit.Value: "bytes", Ranges: { Count: 1 } ranges } && ranges.First() is { From: { } from, To: null } ? from : 0;

    private async Task FollowAsync(HttpContext http, long id, string path, long offset)
    {
        using var live = context.Live.Subscribe(InvocationEvents.Channel(id));
        while (true)
        {
            var final = context.Dispatcher.Active(id) is null && await context.Reader.PayloadAsync(id, result: true, http.RequestAborted) is not { State: <= InvocationState.Processing };
            (offset, var lines) = await ReadLinesAsync(path, offset, http.RequestAborted);
            if (lines.Count > 0)
            {
                await http.Response.WriteAsync(string.Join('\n', lines) + "\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
            else if (final)
            {
                return;
            }
            else
            {
                await live.NextAsync(PollEvery, http.RequestAborted);
            }
        }
    }
}
