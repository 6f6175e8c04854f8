using System.Text.Json.Serialization;
using Dure.Host.Commands;

namespace Dure.Portal.Notifications;

/// <summary>A message in the portal.</summary>
/// <param name="Event">failed, finished, recovered, schedule_missed, disk_low, worker_lost, replication_behind or ended.</param>
/// <param name="Subject">The function, worker, provider or disk.</param>
/// <param name="Count">How often it happened within a short time.</param>
/// <param name="Title">In English, as it is sent.</param>
public sealed record NotificationView(string Id, string Event, string Subject, string? Invocation, string Detail, long Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, string Title, bool Read,
    IReadOnlyList<DeliveryView>? Deliveries);

/// <summary>How a message went through a channel.</summary>
/// <param name="Target">Without what may be secret in it.</param>
/// <param name="State">waiting, sent or given_up.</param>
/// <param name="Error">Of the last try.</param>
public sealed record DeliveryView(string Kind, string Target, string State, int Tries, string? Error, DateTimeOffset? At);

/// <summary>A page of messages.</summary>
/// <param name="Unread">Of all, not of the page.</param>
public sealed record InboxView(IReadOnlyList<NotificationView> Items, string? Next, long Unread);

/// <summary>Body of a request to mark messages.</summary>
/// <param name="Ids">Null for all.</param>
public sealed record MarkReadRequest(IReadOnlyList<string>? Ids);

/// <summary>How many messages are unread.</summary>
public sealed record UnreadView(long Unread);

/// <summary>A rule.</summary>
/// <param name="Function">Null for all.</param>
/// <param name="Channels">Targets without what may be secret in them.</param>
public sealed record NotifyRuleView(string Id, string Event, string? Function, IReadOnlyList<NotifyChannel> Channels, DateTimeOffset CreatedAt);

/// <summary>Body of a new rule.</summary>
public sealed record CreateRuleRequest(string Event, string? Function, IReadOnlyList<NotifyChannel>? Channels);

/// <summary>An invocation that is waited for.</summary>
public sealed record NotifyWatchView(string Id, string Invocation, IReadOnlyList<NotifyChannel> Channels, DateTimeOffset CreatedAt);

/// <summary>Body of a new watch.</summary>
/// <param name="Channels">Null for the portal.</param>
public sealed record CreateWatchRequest(string Invocation, IReadOnlyList<NotifyChannel>? Channels);

/// <summary>What a server can do.</summary>
/// <param name="Email">Whether e-mail is sent.</param>
/// <param name="GatherS">Failures of one function within so many seconds are one message.</param>
public sealed record NotifyChannelsView(bool Email, IReadOnlyList<string> Events, double GatherS);

/// <summary>What a test did.</summary>
public sealed record TestedView(bool Delivered, double TookMs);

/// <summary>JSON of the API of notifications.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InboxView))]
[JsonSerializable(typeof(MarkReadRequest))]
[JsonSerializable(typeof(UnreadView))]
[JsonSerializable(typeof(PageView<NotifyRuleView>))]
[JsonSerializable(typeof(NotifyRuleView))]
[JsonSerializable(typeof(CreateRuleRequest))]
[JsonSerializable(typeof(PageView<NotifyWatchView>))]
[JsonSerializable(typeof(NotifyWatchView))]
[JsonSerializable(typeof(CreateWatchRequest))]
[JsonSerializable(typeof(NotifyChannel))]
[JsonSerializable(typeof(NotifyChannelsView))]
[JsonSerializable(typeof(TestedView))]
[JsonSerializable(typeof(IReadOnlyList<NotifyRuleView>))]
[JsonSerializable(typeof(IReadOnlyList<NotifyWatchView>))]
internal sealed partial class NotifyApiJson : JsonSerializerContext;
