using System.Text.Json.Serialization;

namespace Dure.Portal.Notifications;

/// <summary>The words of events, as rules name them.</summary>
internal static class NotifyEvents
{
    public const string Failed = "failed";
    public const string Finished = "finished";
    public const string Recovered = "recovered";
    public const string ScheduleMissed = "schedule_missed";
    public const string DiskLow = "disk_low";
    public const string WorkerLost = "worker_lost";
    public const string ReplicationBehind = "replication_behind";

    /// <summary>Of an invocation that somebody waits for; no rule names it.</summary>
    public const string Ended = "ended";

    /// <summary>Of a channel that is tried; no rule names it.</summary>
    public const string Test = "test";

    /// <summary>What a rule may be about.</summary>
    public static readonly IReadOnlyList<string> OfRules = [Failed, Finished, Recovered, ScheduleMissed, DiskLow, WorkerLost, ReplicationBehind];

    /// <summary>Whether the event is about a function.</summary>
    public static bool IsOfFunction(string name) => name is Failed or Finished or Recovered or ScheduleMissed;

    /// <summary>Whether many within a short time become one message.</summary>
    public static bool Gathers(string name) => name is Failed or Finished;
}

/// <summary>Where a message goes.</summary>
/// <param name="Kind">portal, email, webhook or slack.</param>
/// <param name="Target">An e-mail address or a URL; null for the portal.</param>
public sealed record NotifyChannel(string Kind, string? Target);

/// <summary>What somebody wants to be told.</summary>
/// <param name="Function">The only function that it is about; null for all.</param>
internal sealed record NotifyRule(string Id, string Owner, string Event, string? Function, IReadOnlyList<NotifyChannel> Channels, DateTimeOffset CreatedAt);

/// <summary>An invocation whose end somebody waits for.</summary>
internal sealed record NotifyWatch(string Id, string Owner, long Invocation, IReadOnlyList<NotifyChannel> Channels, DateTimeOffset CreatedAt);

/// <summary>Something that happened.</summary>
/// <param name="Subject">The function, worker, provider or disk that it happened to.</param>
/// <param name="Invocation">The last invocation of it, as the API names it.</param>
internal sealed record Sighting(string Event, string Subject, long Count, string? Invocation, string Detail, DateTimeOffset At);

/// <summary>A message to one person.</summary>
/// <param name="Source">The rule or watch that it comes from.</param>
/// <param name="GathersUntil">More of the same until then are counted here.</param>
internal sealed record NotifyMessage(string Id, string Owner, string Source, string Event, string Subject, string? Invocation, string Detail, long Count, DateTimeOffset FirstAt, DateTimeOffset LastAt,
    DateTimeOffset GathersUntil, DateTimeOffset? ReadAt);

/// <summary>A message on its way through one channel.</summary>
/// <param name="Tries">Deliveries begun so far.</param>
/// <param name="DoneAt">When it was taken, or given up: then <paramref name="LastError"/> says why.</param>
internal sealed record NotifyDeliveryRow(long Id, string Message, string Channel, string Target, int Tries, DateTimeOffset NextAt, DateTimeOffset? DoneAt, string? LastError);

/// <summary>JSON that is stored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<NotifyChannel>))]
[JsonSerializable(typeof(OpenEnds))]
internal sealed partial class NotifyJson : JsonSerializerContext;
