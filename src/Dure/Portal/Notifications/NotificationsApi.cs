using Dure.Functions;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Portal.Notifications;

/// <summary>The API of notifications, <c>/api/notifications</c>: everyone's own messages, rules and watches.</summary>
/// <param name="exists">Whether there is such an invocation, also one without a row.</param>
internal sealed class NotificationsApi(NotifyStore store, NotifyOutbox outbox, Courier courier, Func<long, CancellationToken, ValueTask<bool>> exists, LookoutOptions options, TimeProvider time)
{
    private const int LimitMax = 200;
    private const int EachMost = 100;

    /// <summary>One for each endpoint, for the API's document.</summary>
    public static IReadOnlyList<ApiOperation> Operations { get; } =
    [
        new("GET", "/api/notifications", "Your messages, the newest first.", 200, NotifyApiJson.Default.InboxView)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["unread"] = "`true` for those you have not read.", ["limit"] = "Items, 1 to 200.", ["cursor"] = "As `next` of the page before." },
        },
        new("POST", "/api/notifications/read", "Mark messages as read.", 200, NotifyApiJson.Default.UnreadView, NotifyApiJson.Default.MarkReadRequest),
        new("GET", "/api/notifications/channels", "What this server can send, and what rules may be about.", 200, NotifyApiJson.Default.NotifyChannelsView),
        new("GET", "/api/notifications/rules", "What you are told.", 200, NotifyApiJson.Default.PageViewNotifyRuleView),
        new("POST", "/api/notifications/rules", "Be told when something happens.", 201, NotifyApiJson.Default.NotifyRuleView, NotifyApiJson.Default.CreateRuleRequest),
        new("DELETE", "/api/notifications/rules/{id}", "Be told no more.", 204),
        new("GET", "/api/notifications/watches", "Invocations whose end you wait for.", 200, NotifyApiJson.Default.PageViewNotifyWatchView),
        new("POST", "/api/notifications/watches", "Be told when an invocation ends.", 201, NotifyApiJson.Default.NotifyWatchView, NotifyApiJson.Default.CreateWatchRequest),
        new("DELETE", "/api/notifications/watches/{id}", "Wait no more.", 204),
        new("POST", "/api/notifications/test", "Send a test message through a channel, once, and tell whether it was taken.", 200, NotifyApiJson.Default.TestedView, NotifyApiJson.Default.NotifyChannel),
    ];

    /// <summary>Maps the endpoints.</summary>
    public void Map(Gate gate)
    {
        gate.Map("GET", "/api/notifications", Scopes.Read, InboxAsync);
        gate.Map("POST", "/api/notifications/read", Scopes.Read, MarkAsync);
        gate.Map("GET", "/api/notifications/channels", Scopes.Read, http =>
            JsonBody.WriteAsync(http, new NotifyChannelsView(courier.SendsEmail, NotifyEvents.OfRules, options.Gather.TotalSeconds), NotifyApiJson.Default.NotifyChannelsView));
        gate.Map("GET", "/api/notifications/rules", Scopes.Read, RulesAsync);
        gate.Map("POST", "/api/notifications/rules", Scopes.Read, AddRuleAsync);
        gate.Map("DELETE", "/api/notifications/rules/{id}", Scopes.Read, http => RemoveAsync(http, store.RemoveRuleAsync));
        gate.Map("GET", "/api/notifications/watches", Scopes.Read, WatchesAsync);
        gate.Map("POST", "/api/notifications/watches", Scopes.Read, AddWatchAsync);
        gate.Map("DELETE", "/api/notifications/watches/{id}", Scopes.Read, http => RemoveAsync(http, store.RemoveWatchAsync));
        gate.Map("POST", "/api/notifications/test", Scopes.Read, TestAsync);
    }

    private async Task InboxAsync(HttpContext http)
    {
        var (query, limit) = (http.Request.Query, 50);
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
            return;
        }
        var owner = http.Caller().Name;
        var messages = await store.ListAsync(owner, query["cursor"].ToString() is { Length: > 0 } cursor ? cursor : null, query["unread"] == "true", limit + 1, http.RequestAborted);
        var page = messages.Take(limit).ToList();
        var sent = page.Count == 0 ? null : (await outbox.OfAsync(page[^1].Id, page[0].Id, owner, http.RequestAborted)).ToLookup(static row => row.Message, StringComparer.Ordinal);
        var items = page.Select(message => View(message, [.. sent![message.Id].Select(View)])).ToList();
        await JsonBody.WriteAsync(http, new InboxView(items, messages.Count > limit ? page[^1].Id : null, await store.UnreadAsync(owner, http.RequestAborted)), NotifyApiJson.Default.InboxView);
    }

    private async Task MarkAsync(HttpContext http)
    {
        var body = await JsonBody.ReadAsync(http, NotifyApiJson.Default.MarkReadRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        await store.ReadAsync(http.Caller().Name, body.Value.Ids?.Where(static id => id is not null).Take(1000).ToList());
        await JsonBody.WriteAsync(http, new UnreadView(await store.UnreadAsync(http.Caller().Name, http.RequestAborted)), NotifyApiJson.Default.UnreadView);
    }

    private async Task RulesAsync(HttpContext http)
    {
        var rules = (await store.RulesAsync(http.RequestAborted)).Where(rule => rule.Owner == http.Caller().Name).Select(View).ToList();
        await JsonBody.WriteAsync(http, new PageView<NotifyRuleView>(rules, null), NotifyApiJson.Default.PageViewNotifyRuleView);
    }

    private async Task AddRuleAsync(HttpContext http)
    {
        var body = await JsonBody.ReadAsync(http, NotifyApiJson.Default.CreateRuleRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var asked = body.Value;
        var (channels, faults) = NotifyChannels.Read(asked.Channels);
        var function = asked.Function is { Length: > 0 } named ? named : null;
        if (!NotifyEvents.OfRules.Contains(asked.Event, StringComparer.Ordinal))
            faults.Add(new Fault("event", $"One of {string.Join(", ", NotifyEvents.OfRules)}."));
        else if (function is not null && !NotifyEvents.IsOfFunction(asked.Event))
            faults.Add(new Fault("function", $"{asked.Event} is about no function."));
        else if (function is null && asked.Event == NotifyEvents.Finished)
            faults.Add(new Fault("function", "Name one: every end of every function would be a flood."));
        if (function is { Length: > 100 })
            faults.Add(new Fault("function", "The name of a function."));
        if (Refusal(http, channels, faults) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        if ((await store.RulesAsync(http.RequestAborted)).Count(rule => rule.Owner == http.Caller().Name) >= EachMost)
        {
            await ProblemResponse.WriteAsync(http, NotifyErrors.TooMany.With($"{EachMost} rules are the most."));
            return;
        }
        var rule = await store.AddRuleAsync(http.Caller().Name, asked.Event, function, channels);
        http.Response.StatusCode = StatusCodes.Status201Created;
        await JsonBody.WriteAsync(http, View(rule), NotifyApiJson.Default.NotifyRuleView);
    }

    private async Task WatchesAsync(HttpContext http)
    {
        var watches = (await store.WatchesAsync(http.RequestAborted)).Where(watch => watch.Owner == http.Caller().Name).Select(View).ToList();
        await JsonBody.WriteAsync(http, new PageView<NotifyWatchView>(watches, null), NotifyApiJson.Default.PageViewNotifyWatchView);
    }

    private async Task AddWatchAsync(HttpContext http)
    {
        var body = await JsonBody.ReadAsync(http, NotifyApiJson.Default.CreateWatchRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var (channels, faults) = NotifyChannels.Read(body.Value.Channels);
        if (Refusal(http, channels, faults) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        if (!InvocationId.TryParse(body.Value.Invocation, out var id) || !await exists(id, http.RequestAborted))
        {
            await ProblemResponse.WriteAsync(http, NotifyErrors.NoSuchInvocation.With($"There is no invocation '{body.Value.Invocation}'."));
            return;
        }
        var own = (await store.WatchesAsync(http.RequestAborted)).Where(watch => watch.Owner == http.Caller().Name).ToList();
        if (own.Count >= EachMost)
        {
            await ProblemResponse.WriteAsync(http, NotifyErrors.TooMany.With($"{EachMost} watches are the most."));
            return;
        }
        // Asked for twice, it is told once.
        var watch = own.Find(watch => watch.Invocation == id && watch.Channels.SequenceEqual(channels)) ?? await store.AddWatchAsync(http.Caller().Name, id, channels);
        http.Response.StatusCode = StatusCodes.Status201Created;
        await JsonBody.WriteAsync(http, View(watch), NotifyApiJson.Default.NotifyWatchView);
    }

    private static async Task RemoveAsync(HttpContext http, Func<string, string, ValueTask<bool>> remove)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        if (await remove(http.Caller().Name, id))
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        else
            await ProblemResponse.WriteAsync(http, NotifyErrors.NoSuchRule.With($"You have none with the id '{id}'."));
    }

    private async Task TestAsync(HttpContext http)
    {
        var body = await JsonBody.ReadAsync(http, NotifyApiJson.Default.NotifyChannel);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var (channels, faults) = NotifyChannels.Read([body.Value]);
        if (Refusal(http, channels, faults) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var (now, owner, begun) = (time.GetUtcNow(), http.Caller().Name, time.GetTimestamp());
        var sighting = new Sighting(NotifyEvents.Test, "test", 1, null, $"Asked for by {owner}.", now);
        var (kind, target) = (channels[0].Kind, channels[0].Target);
        if (target is null)
        {
            await store.TellAsync(owner, sighting);
        }
        else
        {
            var message = new NotifyMessage("test-" + Guid.CreateVersion7().ToString("N"), owner, "", sighting.Event, sighting.Subject, null, sighting.Detail, 1, now, now, now, null);
            if (await courier.SendAsync(message, kind, target, 1, http.RequestAborted) is { } error)
            {
                await ProblemResponse.WriteAsync(http, NotifyErrors.NotDelivered.With($"{kind} {NotifyChannels.Shown(kind, target)}: {error}"));
                return;
            }
        }
        await JsonBody.WriteAsync(http, new TestedView(true, time.GetElapsedTime(begun).TotalMilliseconds), NotifyApiJson.Default.TestedView);
    }

    // To have the server call an address takes what a call with a callback takes.
    private Problem? Refusal(HttpContext http, IReadOnlyList<NotifyChannel> channels, List<Fault> faults) =>
        faults.Count > 0 ? NotifyErrors.BadRule.With("Nothing was changed.", faults)
        : channels.Any(static channel => channel.Kind is "webhook" or "slack") && !http.Caller().May(Scopes.Invoke) ? HostErrors.NotAllowed.With("Webhooks need the scope 'invoke'.")
        : channels.Any(static channel => channel.Kind == "email") && !courier.SendsEmail ? NotifyErrors.EmailOff.With("notify.smtp_host or notify.smtp_from is not set.") : null;

    private static NotificationView View(NotifyMessage message, List<DeliveryView> deliveries) => new(message.Id, message.Event, message.Subject, message.Invocation, message.Detail, message.Count,
        message.FirstAt, message.LastAt, NotifyText.Title(message), message.ReadAt is not null, deliveries.Count == 0 ? null : deliveries);

    private static DeliveryView View(NotifyDeliveryRow row) => new(row.Channel, NotifyChannels.Shown(row.Channel, row.Target),
        row.DoneAt is null ? "waiting" : row.LastError is null ? "sent" : "given_up", row.Tries, row.LastError, row.DoneAt);

    private static NotifyRuleView View(NotifyRule rule) => new(rule.Id, rule.Event, rule.Function, [.. rule.Channels.Select(NotifyChannels.Shown)], rule.CreatedAt);

    private static NotifyWatchView View(NotifyWatch watch) => new(watch.Id, InvocationId.Format(watch.Invocation), [.. watch.Channels.Select(NotifyChannels.Shown)], watch.CreatedAt);
}
