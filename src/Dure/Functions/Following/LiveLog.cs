using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Functions.Api;
using Dure.Functions.Dispatch;
using Dure.Host.Live;

namespace Dure.Functions.Following;

/// <summary>New lines of a log in a live stream.</summary>
/// <param name="Offset">The first byte behind them: where to go on.</param>
public sealed record LiveLogView(string Id, long Offset, IReadOnlyList<string> Lines);

/// <summary>A function in a live stream: it was deployed, changed or removed.</summary>
public sealed record LiveFunctionView(string Name);

/// <summary>Tells a stream the lines of a log from any byte on, each once, as fast as the stream is read, until the invocation has ended.</summary>
internal sealed class LiveLog(FunctionsContext context, ChangeReader changes)
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);

    /// <summary>Begins.</summary>
    /// <param name="offset">Where the viewer is; only a request that is sent again as it was goes on where the stream stood.</param>
    public IDisposable Watch(LiveWatch watch, long id, long offset)
    {
        if (watch.Repeated && watch.Marks.TryGetValue(InvocationId.Format(id), out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var mark))
            offset = mark;
        var hints = context.Live.Subscribe(InvocationEvents.Channel(id));
        _ = Task.Run(() => TellAsync(watch, hints, id, offset), CancellationToken.None);
        return hints;
    }

    private async Task TellAsync(LiveWatch watch, ILiveSubscription hints, long id, long offset)
    {
        var (name, path) = (InvocationId.Format(id), context.Logs.PathOf(id));
        try
        {
            while (!watch.Ended.IsCancellationRequested)
            {
                // Before the lines are read: what a final state promises is then already in the file.
                var ended = await HasEndedAsync(id, watch.Ended);
                (offset, var lines) = await LogEndpoints.ReadLinesAsync(path, offset, watch.Ended);
                if (lines.Count > 0)
                {
                    var data = JsonSerializer.SerializeToUtf8Bytes(new LiveLogView(name, offset, lines), FollowingJson.Default.LiveLogView);
                    await watch.Feed.PutAsync(new LivePiece("log", data, new(name, offset.ToString(CultureInfo.InvariantCulture))), watch.Ended);
                }
                else if (ended)
                {
                    return;
                }
                else
                {
                    await hints.NextAsync(PollEvery, watch.Ended);
                }
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or ObjectDisposedException)
        {
            // The stream has ended.
        }
        catch (IOException)
        {
            // Retention removes it just now.
            watch.Feed.More(watch.Topic);
        }
    }

    private async ValueTask<bool> HasEndedAsync(long id, CancellationToken cancel)
    {
        if (context.Dispatcher.Active(id) is not null)
            return false;
        try
        {
            return await changes.HasEndedAsync(id, cancel) is true;
        }
        catch (DbException)
        {
            // Asked again after the next lines.
            return false;
        }
    }
}

/// <summary>JSON of what the functions slice tells in live streams.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LiveLogView))]
[JsonSerializable(typeof(LiveFunctionView))]
internal sealed partial class FollowingJson : JsonSerializerContext;
