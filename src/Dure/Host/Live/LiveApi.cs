using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Host.Live;

/// <summary>The regular sign of life of a stream.</summary>
public sealed record LiveBeatView(DateTimeOffset At);

/// <summary>A topic with too many changes to tell: fetch what is shown of it anew.</summary>
public sealed record LiveMoreView(string Topic);

/// <summary>
/// <c>GET /api/live?topics=a,b</c>: everything that a page watches in one stream of server-sent events (docs/portal/live.md). At most four
/// times a second whatever is new is sent, with a cursor as its id; who comes back with it, in <c>Last-Event-ID</c> or <c>after</c>, is told
/// what changed since, also by a server that has just been started. Needs the scope read only.
/// </summary>
internal sealed class LiveApi(IReadOnlyList<LiveTopic> topics, Gate gate, TimeProvider time, CancellationToken stopping)
{
    private const int TopicsMost = 32;
    private const int ArgumentLengthMost = 100;
    private const int ViewersMost = 512;

    private static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(5);

    /// <summary>Who takes nothing for so long is gone.</summary>
    private static readonly TimeSpan ReaderPatience = TimeSpan.FromMinutes(1);

    private int _viewers;

    /// <summary>The part of the API's document.</summary>
    public static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/live", "What changes, as it changes: server-sent events, resumable.", 200)
        {
            ResponseType = "text/event-stream",
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["topics"] = "Separated by commas: invocations, invocation:ID, function:NAME, log:ID@OFFSET, functions, workers, overview, notifications, storage.",
                ["after"] = "The id of the last event that was seen, as Last-Event-ID has it: what changed since is told first.",
            },
        },
    ];

    /// <summary>Maps the endpoint.</summary>
    public void Map() => gate.Map("GET", "/api/live", Scopes.Read, HandleAsync);

    private async Task HandleAsync(HttpContext http)
    {
        var wanted = Read(http.Request.Query["topics"].ToString());
        if (!wanted.Ok)
        {
            await ProblemResponse.WriteAsync(http, wanted.Problem);
            return;
        }
        if (Interlocked.Increment(ref _viewers) > ViewersMost)
        {
            Interlocked.Decrement(ref _viewers);
            await ProblemResponse.WriteAsync(http, LiveErrors.TooManyViewers.With($"{ViewersMost} are open."));
            return;
        }
        try
        {
            await StreamAsync(http, wanted.Value);
        }
        finally
        {
            Interlocked.Decrement(ref _viewers);
        }
    }

    private async Task StreamAsync(HttpContext http, List<(LiveTopic Topic, string Asked, string Argument)> wanted)
    {
        var last = http.Request.Headers["Last-Event-ID"].ToString();
        var marks = LiveCursor.Read(last.Length > 0 ? last : http.Request.Query["after"].ToString());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        using var feed = new LiveFeed();
        var opened = new List<IDisposable>();
        try
        {
            foreach (var (topic, asked, argument) in wanted)
            {
                var open = topic.Open(new LiveWatch(asked, argument, marks, last.Length > 0, feed, ended.Token));
                if (!open.Ok)
                {
                    await ProblemResponse.WriteAsync(http, open.Problem);
                    return;
                }
                opened.Add(open.Value);
            }
            await TellAsync(http, feed, ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The viewer has gone, or the server stops: then the stream ends as it should, and the viewer comes back with its cursor.
        }
        finally
        {
            await ended.CancelAsync();
            opened.ForEach(one => one.Dispose());
        }
    }

    private async Task TellAsync(HttpContext http, LiveFeed feed, CancellationToken ended)
    {
        var events = new EventStream(http);
        string? told = null;
        long flushed = 0, beaten = 0;
        while (true)
        {
            var due = beaten == 0 ? TimeSpan.Zero : BeatEvery - time.GetElapsedTime(beaten);
            if (due > TimeSpan.Zero && await feed.WaitAsync(due, ended) && FlushEvery - time.GetElapsedTime(flushed) is { Ticks: > 0 } pause)
                await Task.Delay(pause, time, ended);
            var batch = feed.Take();
            var beat = beaten == 0 || time.GetElapsedTime(beaten) >= BeatEvery;
            if (batch.IsEmpty && !beat)
                continue;
            // A session that was ended or a token that was revoked meanwhile sees no more.
            if (beat && !await gate.StillMayAsync(http, Scopes.Read))
                return;
            Write(events, batch, beat ? time.GetUtcNow() : null, ref told);
            flushed = time.GetTimestamp();
            beaten = beat ? flushed : beaten;
            await FlushAsync(http, events, ended);
        }
    }

    // The batch's marks hold once all of it has been read, so they come with its last event; a piece brings its own.
    private static void Write(EventStream events, LiveBatch batch, DateTimeOffset? beat, ref string? told)
    {
        var stands = LiveCursor.Read(told);
        foreach (var piece in batch.Pieces)
        {
            stands[piece.Mark.Key] = piece.Mark.Value;
            events.Write(piece.Event, told is null ? null : Id(stands, ref told), piece.Data);
        }
        var rest = batch.Changes.Select(change => (change.Event, change.Data))
            .Concat(batch.More.Select(topic => ("more", JsonSerializer.SerializeToUtf8Bytes(new LiveMoreView(topic), LiveJson.Default.LiveMoreView)))).ToList();
        if (beat is { } at)
            rest.Add(("beat", JsonSerializer.SerializeToUtf8Bytes(new LiveBeatView(at), LiveJson.Default.LiveBeatView)));
        for (var i = 0; i < rest.Count; i++)
            events.Write(rest[i].Item1, i == rest.Count - 1 ? Id(batch.Marks, ref told) : null, rest[i].Item2);
    }

    private static string? Id(IReadOnlyDictionary<string, string> marks, ref string? told)
    {
        var id = LiveCursor.Write(marks);
        return id == told ? null : told = id;
    }

    private async Task FlushAsync(HttpContext http, EventStream events, CancellationToken ended)
    {
        using var patience = new CancellationTokenSource(ReaderPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ended, patience.Token);
        try
        {
            await events.FlushAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // In the middle of an event: nothing that follows could be understood.
            http.Abort();
            throw;
        }
    }

    private Outcome<List<(LiveTopic Topic, string Asked, string Argument)>> Read(string text)
    {
        var found = new List<(LiveTopic, string, string)>();
        var faults = new List<Fault>();
        foreach (var asked in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal))
        {
            var colon = asked.IndexOf(':', StringComparison.Ordinal);
            var (name, argument) = colon < 0 ? (asked, "") : (asked[..colon], asked[(colon + 1)..]);
            if (topics.FirstOrDefault(t => t.Name == name && t.Named == (argument.Length > 0)) is { } topic && argument.Length <= ArgumentLengthMost)
                found.Add((topic, asked, argument));
            else
                faults.Add(new Fault("topics", string.Create(CultureInfo.InvariantCulture, $"'{asked}' is none of {string.Join(", ", topics.Select(t => t.Named ? t.Name + ":…" : t.Name))}.")));
        }
        if (found.Count == 0 && faults.Count == 0)
            faults.Add(new Fault("topics", "Nothing is asked for."));
        if (found.Count > TopicsMost)
            faults.Add(new Fault("topics", string.Create(CultureInfo.InvariantCulture, $"{found.Count} are more than {TopicsMost}.")));
        return faults.Count > 0 ? LiveErrors.BadTopics.With("The query has faults.", faults) : found;
    }
}

/// <summary>JSON of live streams.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LiveBeatView))]
[JsonSerializable(typeof(LiveMoreView))]
internal sealed partial class LiveJson : JsonSerializerContext;
