using System.CommandLine;
using Dure.Apps.Access;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps share</c>, <c>shares</c> and <c>revoke</c>: links into apps that are not for everybody.</summary>
internal static class ShareCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The app." };
    private static readonly Argument<string> Share = new("share") { Description = "The link, as `dure apps shares` shows it." };
    private static readonly Option<string> Expires = new("--expires") { Description = "How long it leads in: 1h, 7d, 90d.", HelpName = "TIME", DefaultValueFactory = _ => "7d" };
    private static readonly Option<string?> Note = new("--note") { Description = "Whom it is for, to be shown in the list.", HelpName = "TEXT" };

    public static Verb[] Make() => [MakeShare(), MakeShares(), MakeRevoke()];

    private static Verb MakeShare() =>
        new Verb("share", "Make a link into an app that is not for everybody, and print it, once.",
            ("dure apps share attention", "leads in for 7 days"),
            ("dure apps share attention --expires 90d --note 'second reviewer'", "for longer, and so that one knows later whose it is"))
        .With(Id, Expires, Note)
        .Calls(async (call, client, cancel) =>
        {
            var length = Units.ReadDuration(call.Get(Expires)!);
            if (length.Error is not null || length.Value < TimeSpan.FromSeconds(1) || length.Value > SharesApi.LengthMost)
                return CommandErrors.Usage.With($"--expires '{Host.Texts.Shown.Safely(call.Get(Expires)!)}': {length.Error ?? "from a second to a year"}.");
            var body = DureClient.Json(new AppShareRequest((long)length.Value.TotalSeconds, call.Get(Note)), SharesCommandJson.Default.AppShareRequest);
            var made = await client.SendAsync(HttpMethod.Post, PathOf(call.Get(Id)!), body, SharesCommandJson.Default.AppShareView, cancel);
            if (!made.Ok)
                return made.Problem;
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(made.Value, SharesCommandJson.Default.AppShareView);
            else
            {
                call.Screen.Line(made.Value.Url);
                call.Screen.Note($"Whoever has it gets in until {made.Value.ExpiresAt.ToLocalTime():yyyy-MM-dd HH:mm}. It is not shown again; end it with: dure apps revoke {call.Get(Id)} {made.Value.Id}");
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeShares() =>
        new Verb("shares", "List the links into an app, without their keys.", ("dure apps shares attention", "with how often each was opened"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var found = await client.ListAsync(PathOf(call.Get(Id)!), int.MaxValue, SharesCommandJson.Default.PageViewAppLinkEntry, cancel);
            if (!found.Ok)
                return found.Problem;
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(found.Value, SharesCommandJson.Default.IReadOnlyListAppLinkEntry);
            else
            {
                call.Screen.Table([new("share"), new("note", 12), new("by"), new("made"), new("expires"), new("opened", RightAligned: true), new("last")],
                    [.. found.Value.Select(link => (IReadOnlyList<string>)[link.Id, link.Note, link.Owner, Phrase.Ago(link.CreatedAt, call.Time), link.Over ? "over" : Phrase.Ago(link.ExpiresAt, call.Time),
                        FormattableString.Invariant($"{link.Visits}"), link.LastUsedAt is { } at ? Phrase.Ago(at, call.Time) : "-"])]);
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeRevoke() =>
        new Verb("revoke", "End a link into an app: who came in by it is out with the next request.", ("dure apps revoke attention 4f2a9b1c", "as `dure apps shares attention` shows it"))
        .With(Id, Share)
        .Calls(async (call, client, cancel) =>
        {
            var ended = await client.SendAsync(HttpMethod.Delete, $"{PathOf(call.Get(Id)!)}/{Uri.EscapeDataString(call.Get(Share)!)}", null, cancel);
            if (!ended.Ok)
                return ended.Problem;
            call.Screen.Say($"{call.Get(Share)} does not lead in any more");
            return ExitCodes.Ok;
        });

    private static string PathOf(string id) => $"/api/apps/{Uri.EscapeDataString(id)}/shares";
}

/// <summary>JSON that the verbs about links print: the API's shapes, indented.</summary>
[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[System.Text.Json.Serialization.JsonSerializable(typeof(PageView<AppLinkEntry>))]
[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<AppLinkEntry>))]
[System.Text.Json.Serialization.JsonSerializable(typeof(AppShareView))]
[System.Text.Json.Serialization.JsonSerializable(typeof(AppShareRequest))]
internal sealed partial class SharesCommandJson : System.Text.Json.Serialization.JsonSerializerContext;
