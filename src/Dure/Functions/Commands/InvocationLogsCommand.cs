using System.CommandLine;
using Dure.Functions.Logs;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary><c>dure invocation logs</c>.</summary>
internal static class InvocationLogsCommand
{
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on until it is over." };
    private static readonly Option<string?> Search = new("--search") { Description = "Only lines with this text.", HelpName = "TEXT" };
    private static readonly Option<bool> Regex = new("--regex") { Description = "The text is a regular expression." };
    private static readonly Option<bool> Case = new("--case") { Description = "Upper and lower case differ." };

    public static Verb Make() =>
        new Verb("logs", "Print the log of an invocation.",
            ("dure inv logs 01K5ZQ8Y3V4M2", "what there is"),
            ("dure inv logs 01K5ZQ8Y3V4M2 --follow", "until it is over"),
            ("dure inv logs 01K5ZQ8Y3V4M2 --search error", "the lines with a word"))
        .With(InvocationCommands.Id, Follow, Search, Regex, Case)
        .Calls(async (call, client, cancel) =>
        {
            var id = call.Get(InvocationCommands.Id)!;
            if (call.Get(Search) is { } text)
            {
                return await SearchAsync(call, client, id, text, cancel);
            }

            if (!call.Get(Follow))
            {
                return await InvocationCommands.PrintLogsAsync(call, client, id, cancel);
            }

            var ended = await LiveView.FollowAsync(call, client, id, line => LogLine.Print(call.Screen, line), cancel);
            return ended.Ok ? ExitCodes.Ok : ended.Problem;
        });

    // The server says which lines; each is fetched as it stands in the log.
    private static async Task<Outcome<int>> SearchAsync(Call call, DureClient client, string id, string text, CancellationToken cancel)
    {
        var path = InvocationCommands.PathOf(id) + "/logs";
        var query = $"?text={Uri.EscapeDataString(text)}&regex={Word(call.Get(Regex))}&case={Word(call.Get(Case))}";
        List<LogHit> all = [];
        for (var after = ""; after is not null;)
        {
            var found = await client.GetAsync($"{path}/search{query}{after}", CommandJson.Default.LogHits, cancel);
            if (!found.Ok)
            {
                return found.Problem;
            }

            all.AddRange(found.Value.Hits);
            if (call.Screen.Format != OutputFormat.Json && await PrintAsync(call, client, path, found.Value.Hits, cancel) is { } problem)
            {
                return problem;
            }

            after = found.Value.Next is { } next ? "&after=" + next : null;
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(all, CommandJson.Default.IReadOnlyListLogHit);
        }
        else if (all.Count == 0)
        {
            call.Screen.Note("No line has it.");
        }

        return ExitCodes.Ok;
    }

    private static async Task<Problem?> PrintAsync(Call call, DureClient client, string path, IReadOnlyList<LogHit> hits, CancellationToken cancel)
    {
        const int AtOnce = 500;
        for (var i = 0; i < hits.Count;)
        {
            // Hits that lie near each other come with one request.
            var first = hits[i].Line;
            var near = hits.Skip(i).TakeWhile(hit => hit.Line < first + AtOnce).ToList();
            var window = await client.GetAsync($"{path}/lines?from={first}&count={near[^1].Line - first + 1}", CommandJson.Default.LogWindow, cancel);
            if (!window.Ok)
            {
                return window.Problem;
            }

            // Long lines come in smaller windows: what was not sent is asked for in the next round.
            var sent = near.Where(hit => hit.Line - first < window.Value.Lines.Count).ToList();
            if (sent.Count == 0)
            {
                return null;
            }

            sent.ForEach(hit => LogLine.Print(call.Screen, window.Value.Lines[(int)(hit.Line - first)]));
            i += sent.Count;
        }

        return null;
    }

    private static string Word(bool value) => value ? "true" : "false";
}
