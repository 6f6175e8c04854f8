using System.CommandLine;
using System.Globalization;
using Dure.Host.Identity;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure audit</c>: who changed what.</summary>
internal static class AuditCommand
{
    private static readonly Option<string?> Who = new("--who") { Description = "Only changes of this person or token.", HelpName = "NAME" };
    private static readonly Option<string?> Text = new("--text") { Description = "Only lines with this in the action or the subject.", HelpName = "TEXT" };
    private static readonly Option<string?> Since = new("--since") { Description = "Not before this moment, such as 2026-11-26 or 2026-11-26T14:00Z.", HelpName = "MOMENT" };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", HelpName = "N", DefaultValueFactory = _ => 50 };

    public static Verb Make() =>
        new Verb("audit", "Show who changed what, the newest first.",
            ("dure audit", "the last 50 changes"),
            ("dure audit --who ada --since 2026-11-01", "what ada did this month"),
            ("dure audit --text /api/secrets --format json", "for a program"))
        .With(Who, Text, Since, Limit)
        .Calls(async (call, client, cancel) =>
        {
            var query = string.Concat(new[] { ("who", call.Get(Who)), ("text", call.Get(Text)), ("from", call.Get(Since)) }
                .Where(pair => !string.IsNullOrEmpty(pair.Item2)).Select((pair, at) => $"{(at == 0 ? '?' : '&')}{pair.Item1}={Uri.EscapeDataString(pair.Item2!)}"));
            var lines = await client.ListAsync("/api/audit" + query, Math.Max(1, call.Get(Limit)), SigninJson.Default.PageViewAuditView, cancel);
            if (!lines.Ok)
            {
                return lines.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(lines.Value, SigninJson.Default.IReadOnlyListAuditView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("when"), new("who", 10), new("action", 24), new("subject", 16), new("answer", RightAligned: true), new("how", 10), new("from")],
                [.. lines.Value.Select(line => (IReadOnlyList<string>)
                [
                    line.At.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), line.Who, line.Action, line.Subject, $"{line.Status}", line.How, line.Address,
                ])]);
            return ExitCodes.Ok;
        });
}
