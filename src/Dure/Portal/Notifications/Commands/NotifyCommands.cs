using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Portal.Notifications.Commands;

/// <summary><c>dure notify</c>: be told what happens.</summary>
internal static class NotifyCommands
{
    private const string Path = "/api/notifications";

    private static readonly Argument<string> Event = new Argument<string>("event") { Description = "What to be told: " + string.Join(", ", NotifyEvents.OfRules) + "." }.AcceptOnlyFromAmong([.. NotifyEvents.OfRules]);
    private static readonly Argument<string> Id = new("id") { Description = "Of a rule or a watch, as `dure notify list` shows it." };
    private static readonly Argument<string> Invocation = new("invocation") { Description = "Its id." };
    private static readonly Option<string?> Function = new("--function") { Description = "Only of this function.", HelpName = "NAME" };
    private static readonly Option<bool> Portal = new("--portal") { Description = "In the portal; so it is when no channel is named." };
    private static readonly Option<string[]> Email = new("--email") { Description = "By e-mail to this address; may be given often.", HelpName = "ADDRESS", DefaultValueFactory = _ => [] };
    private static readonly Option<string[]> Webhook = new("--webhook") { Description = "By a signed POST to this address; may be given often.", HelpName = "URL", DefaultValueFactory = _ => [] };
    private static readonly Option<string[]> Slack = new("--slack") { Description = "To this Slack incoming webhook; may be given often.", HelpName = "URL", DefaultValueFactory = _ => [] };
    private static readonly Option<bool> Unread = new("--unread") { Description = "Only what you have not read." };
    private static readonly Option<bool> MarkRead = new("--mark-read") { Description = "Mark all as read after showing them." };

    public static Verb Make() => new Verb("notify", "Be told what happens: failures, ends, lost workers, copies that are behind.")
        .With(MakeList(), MakeAdd(), MakeRemove(), MakeTest(), MakeInbox(), MakeWhenEnds());

    private static Verb MakeAdd() =>
        new Verb("add", "Be told when something happens.",
            ("dure notify add failed", "every failed invocation, in the portal"),
            ("dure notify add failed --function thumbs --email ada@example.org", "those of one function, by e-mail"),
            ("dure notify add worker_lost --webhook https://example.org/hook", "to another program"))
        .With(Event, Function, Portal, Email, Webhook, Slack)
        .Calls(async (call, client, cancel) =>
        {
            var body = DureClient.Json(new CreateRuleRequest(call.Get(Event)!, call.Get(Function), Channels(call)), NotifyApiJson.Default.CreateRuleRequest);
            var made = await client.SendAsync(HttpMethod.Post, Path + "/rules", body, NotifyApiJson.Default.NotifyRuleView, cancel);
            if (!made.Ok)
            {
                return made.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(made.Value, NotifyApiJson.Default.NotifyRuleView);
            }
            else
            {
                call.Screen.Line(made.Value.Id);
                call.Screen.Note($"You are told of {made.Value.Event}{(made.Value.Function is { } function ? $" of {function}" : "")}: {Words(made.Value.Channels)}.");
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeWhenEnds() =>
        new Verb("when-ends", "Be told when one invocation ends.", ("dure notify when-ends 0a1b2c3d4e5f6 --email ada@example.org", "once, however it ends"))
        .With(Invocation, Portal, Email, Webhook, Slack)
        .Calls(async (call, client, cancel) =>
        {
            var body = DureClient.Json(new CreateWatchRequest(call.Get(Invocation)!, Channels(call)), NotifyApiJson.Default.CreateWatchRequest);
            var made = await client.SendAsync(HttpMethod.Post, Path + "/watches", body, NotifyApiJson.Default.NotifyWatchView, cancel);
            if (!made.Ok)
            {
                return made.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(made.Value, NotifyApiJson.Default.NotifyWatchView);
            }
            else
            {
                call.Screen.Say($"You are told when {made.Value.Invocation} ends: {Words(made.Value.Channels)}.");
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeList() =>
        new Verb("list", "List what you are told and what you wait for.", ("dure notify list", "rules and watches, yours only"))
        .Calls(async (call, client, cancel) =>
        {
            var rules = await client.GetAsync(Path + "/rules", NotifyApiJson.Default.PageViewNotifyRuleView, cancel);
            var watches = rules.Ok ? await client.GetAsync(Path + "/watches", NotifyApiJson.Default.PageViewNotifyWatchView, cancel) : rules.Problem;
            if (!rules.Ok || !watches.Ok)
            {
                return rules.Problem ?? watches.Problem!;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(new NotifyListView(rules.Value.Items, watches.Value.Items), NotifyListJson.Default.NotifyListView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("id"), new("told when", 12), new("of", 12), new("how", 16), new("since")],
                [
                    .. rules.Value.Items.Select(rule => (IReadOnlyList<string>)[rule.Id, rule.Event, rule.Function ?? "all", Words(rule.Channels), Phrase.Ago(rule.CreatedAt, call.Time)]),
                    .. watches.Value.Items.Select(watch => (IReadOnlyList<string>)[watch.Id, "ends", watch.Invocation, Words(watch.Channels), Phrase.Ago(watch.CreatedAt, call.Time)]),
                ]);
            return ExitCodes.Ok;
        });

    private static Verb MakeRemove() =>
        new Verb("remove", "Be told no more.", ("dure notify remove 0199aa", "a rule or a watch")).Alias("rm")
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var id = Uri.EscapeDataString(call.Get(Id)!);
            var removed = await client.SendAsync(HttpMethod.Delete, $"{Path}/rules/{id}", null, cancel);
            if (!removed.Ok && removed.Problem.Kind.Id == NotifyErrors.NoSuchRule.Id)
            {
                removed = await client.SendAsync(HttpMethod.Delete, $"{Path}/watches/{id}", null, cancel);
            }

            if (!removed.Ok)
            {
                return removed.Problem;
            }

            call.Screen.Say($"{call.Get(Id)} is removed.");
            return ExitCodes.Ok;
        });

    private static Verb MakeTest() =>
        new Verb("test", "Send a test message through channels and tell whether it was taken.", ("dure notify test --email ada@example.org", "does e-mail work?"))
        .With(Portal, Email, Webhook, Slack)
        .Calls(async (call, client, cancel) =>
        {
            foreach (var channel in Channels(call) ?? [new NotifyChannel("portal", null)])
            {
                var sent = await client.SendAsync(HttpMethod.Post, Path + "/test", DureClient.Json(channel, NotifyApiJson.Default.NotifyChannel), NotifyApiJson.Default.TestedView, cancel);
                if (!sent.Ok)
                {
                    return sent.Problem;
                }

                call.Screen.Say($"{Words([channel])}: taken in {Phrase.Took(sent.Value.TookMs)}.");
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeInbox() =>
        new Verb("inbox", "Show your messages in the portal.", ("dure notify inbox --unread", "what is new"), ("dure notify inbox --mark-read", "and it is read"))
        .With(Unread, MarkRead)
        .Calls(async (call, client, cancel) =>
        {
            var inbox = await client.GetAsync(Path + (call.Get(Unread) ? "?unread=true" : ""), NotifyApiJson.Default.InboxView, cancel);
            if (!inbox.Ok)
            {
                return inbox.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(inbox.Value, NotifyApiJson.Default.InboxView);
            }
            else
            {
                call.Screen.Table(
                    [new("when"), new("what", 24), new("detail", 24), new("invocation"), new("")],
                    [.. inbox.Value.Items.Select(message => (IReadOnlyList<string>)[Phrase.Ago(message.LastAt, call.Time), message.Title, message.Detail, message.Invocation ?? "-", message.Read ? "" : "new"])]);
            }

            var marked = call.Get(MarkRead) ? await client.SendAsync(HttpMethod.Post, Path + "/read", DureClient.Json(new MarkReadRequest(null), NotifyApiJson.Default.MarkReadRequest), cancel) : true;
            return marked.Ok ? ExitCodes.Ok : marked.Problem;
        });

    private static List<NotifyChannel>? Channels(Call call)
    {
        List<NotifyChannel> channels =
        [
            .. call.Get(Portal) ? [new NotifyChannel("portal", null)] : (IEnumerable<NotifyChannel>)[],
            .. call.Get(Email)!.Select(static target => new NotifyChannel("email", target)),
            .. call.Get(Webhook)!.Select(static target => new NotifyChannel("webhook", target)),
            .. call.Get(Slack)!.Select(static target => new NotifyChannel("slack", target)),
        ];
        return channels.Count == 0 ? null : channels;
    }

    private static string Words(IReadOnlyList<NotifyChannel> channels) => string.Join(", ", channels.Select(static channel => channel.Target is { } target ? $"{channel.Kind} {target}" : channel.Kind));
}

/// <summary>What <c>dure notify list --format json</c> prints.</summary>
internal sealed record NotifyListView(IReadOnlyList<NotifyRuleView> Rules, IReadOnlyList<NotifyWatchView> Watches);

/// <summary>JSON of the command.</summary>
[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
[System.Text.Json.Serialization.JsonSerializable(typeof(NotifyListView))]
internal sealed partial class NotifyListJson : System.Text.Json.Serialization.JsonSerializerContext;
