using System.Globalization;
using System.Text.Json;
using Dure.Functions.Api;
using Dure.Functions.Dispatch;
using Dure.Host;
using Dure.Host.Live;

namespace Dure.Functions.Following;

/// <summary>What the functions slice tells in live streams.</summary>
internal static class FunctionTopics
{
    /// <summary>Its topics.</summary>
    public static IReadOnlyList<LiveTopic> Make(FunctionsContext context, InvocationFollower follower, ChangeReader changes)
    {
        var logs = new LiveLog(context, changes);
        return
        [
            new LiveTopic("invocations", Named: false, watch => new(follower.Watch(watch, WatchedKind.All))),
            new LiveTopic("function", Named: true, watch => new(follower.Watch(watch, WatchedKind.Function))),
            new LiveTopic("invocation", Named: true, watch => InvocationId.TryParse(watch.Argument, out var id) ? new(follower.Watch(watch, WatchedKind.One, id)) : NotAnId(watch)),
            new LiveTopic("overview", Named: false, watch => new(follower.Watch(watch, WatchedKind.Overview))),
            new LiveTopic("log", Named: true, watch => ReadPlace(watch.Argument) is var (id, offset) ? new(logs.Watch(watch, id, offset)) : NotAnId(watch)),
            LiveTopic.Hints(context.Live, "functions", InvocationEvents.Functions, static name => JsonSerializer.Serialize(new LiveFunctionView(name), FollowingJson.Default.LiveFunctionView)),
            LiveTopic.Hints(context.Live, "workers", InvocationEvents.Workers),
        ];
    }

    private static (long Id, long Offset)? ReadPlace(string argument)
    {
        var parts = argument.Split('@');
        var offset = 0L;
        return parts.Length <= 2 && InvocationId.TryParse(parts[0], out var id)
            && (parts.Length == 1 || long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out offset)) ? (id, offset) : null;
    }

    private static Outcome<IDisposable> NotAnId(LiveWatch watch) =>
        LiveErrors.BadTopics.With("The query has faults.", [new Fault("topics", $"'{watch.Topic}' names no invocation: 13 characters such as 3f2k0a1b2c3d4, and for a log @ and a byte.")]);
}
