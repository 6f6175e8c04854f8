using System.CommandLine;
using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary><c>dure invocation</c>: what ran, runs and waits.</summary>
internal static class InvocationCommands
{
    /// <summary>The id of an invocation; shells complete it.</summary>
    public static readonly Argument<string> Id = new Argument<string>("id") { Description = "The invocation." }.CompletedByServer();

    public static Verb Make() =>
        new Verb("invocation", "Look at invocations, end them, run them again.").Alias("inv").With(
            InvocationListCommand.Make(),
            MakeShow(),
            InvocationLogsCommand.Make(),
            MakeResult(),
            MakeWatch(),
            MakeCancel(),
            InvocationUsageCommand.Make(),
            MakeRerun());

    /// <summary>Prints the log that there is.</summary>
    public static async Task<Outcome<int>> PrintLogsAsync(Call call, DureClient client, string id, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(id) + "/logs");
        var sent = await client.SendAsync(request, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        using var response = sent.Value;
        await foreach (var line in DureClient.ReadLinesAsync(response, cancel))
        {
            LogLine.Print(call.Screen, line);
        }

        return ExitCodes.Ok;
    }

    internal static string PathOf(string id) => "/api/invocations/" + Uri.EscapeDataString(id);

    private static Verb MakeShow() =>
        new Verb("show", "Show an invocation with every attempt.",
            ("dure inv show 01K5ZQ8Y3V4M2", "for people"),
            ("dure inv show 01K5ZQ8Y3V4M2 --format json", "for a program"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var invocation = await client.GetAsync(PathOf(call.Get(Id)!), CommandJson.Default.InvocationView, cancel);
            if (!invocation.Ok)
            {
                return invocation.Problem;
            }

            InvocationPrint.Show(call.Screen, invocation.Value);
            return ExitCodes.Ok;
        });

    private static Verb MakeResult() =>
        new Verb("result", "Print the result of an invocation, as it is.",
            ("dure inv result 01K5ZQ8Y3V4M2 > result.json", "into a file"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(call.Get(Id)!) + "/result");
            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok)
            {
                return sent.Problem;
            }

            using var response = sent.Value;
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            await call.Screen.RawAsync(body, cancel);
            return ExitCodes.Ok;
        });

    private static Verb MakeWatch() =>
        new Verb("watch", "Show an invocation's states and log until it is over; ends with 7 when it failed.",
            ("dure inv watch 01K5ZQ8Y3V4M2", "until it is over"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var ended = await LiveView.FollowAsync(call, client, call.Get(Id)!, line => LogLine.Print(call.Screen, line), cancel);
            return !ended.Ok ? ended.Problem : ended.Value.State == "SUCCESS" ? ExitCodes.Ok : InvocationProblem.Of(ended.Value);
        });

    private static Verb MakeCancel() =>
        new Verb("cancel", "End an invocation: TERM, then KILL of all its processes.",
            ("dure inv cancel 01K5ZQ8Y3V4M2", "whether it waits or runs"))
        .With(Id)
        .Calls((call, client, cancel) => PostAsync(call, client, "/cancel", invocation => $"{invocation.Id} is told to end.", cancel));

    private static Verb MakeRerun()
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Show its log until it is over." };
        return new Verb("rerun", "Run an invocation again: the same version, the same event.",
            ("dure inv rerun 01K5ZQ8Y3V4M2", "prints the id of the new one"),
            ("dure inv rerun 01K5ZQ8Y3V4M2 --follow", "and shows its log"))
        .With(Id, follow)
        .Calls(async (call, client, cancel) =>
        {
            var sent = await client.SendAsync(HttpMethod.Post, PathOf(call.Get(Id)!) + "/rerun", null, CommandJson.Default.InvocationView, cancel);
            if (!sent.Ok)
            {
                return sent.Problem;
            }

            InvocationPrint.Accepted(call.Screen, sent.Value);
            if (!call.Get(follow))
            {
                return ExitCodes.Ok;
            }

            var ended = await LiveView.FollowAsync(call, client, sent.Value.Id, line => LogLine.Print(call.Screen, line), cancel);
            return !ended.Ok ? ended.Problem : ended.Value.State == "SUCCESS" ? ExitCodes.Ok : InvocationProblem.Of(ended.Value);
        });
    }

    private static async Task<Outcome<int>> PostAsync(
        Call call, DureClient client, string below, Func<InvocationView, string> say, CancellationToken cancel)
    {
        var sent = await client.SendAsync(HttpMethod.Post, PathOf(call.Get(Id)!) + below, null, CommandJson.Default.InvocationView, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(sent.Value, CommandJson.Default.InvocationView);
        }

        call.Screen.Say(say(sent.Value));
        return ExitCodes.Ok;
    }
}
