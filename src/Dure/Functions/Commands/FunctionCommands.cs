using System.CommandLine;
using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary><c>dure fn</c>: functions and their versions.</summary>
internal static class FunctionCommands
{
    /// <summary>The name of a function that exists; shells complete it.</summary>
    public static readonly Argument<string> Name = new Argument<string>("name") { Description = "The function." }.CompletedByServer();

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Verb Make() =>
        new Verb("fn", "Deploy, invoke and look after functions.").Alias("function").With(
            DeployCommand.Make(),
            MakeList(),
            MakeShow(),
            InvokeCommand.Make(),
            VersionCommands.MakeVersions(),
            VersionCommands.MakeDiff(),
            VersionCommands.MakeRollback(),
            VersionCommands.MakeCanary(),
            SourceCommands.MakeHistory(),
            SourceCommands.MakePull(),
            MakeLogs(),
            MakeDelete());

    /// <summary>The address of a function in the API.</summary>
    public static string PathOf(string name) => "/api/functions/" + Uri.EscapeDataString(name);

    /// <summary>Prints a function after it was changed or asked for.</summary>
    public static void Print(Screen screen, FunctionView function)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(function, CommandJson.Default.FunctionView);
            return;
        }

        screen.Facts(
        [
            ("name", function.Name),
            ("runtime", function.Runtime),
            ("live", VersionText.Live(function)),
            ("canary", function.Canary is { } canary ? $"{canary.Percent} % to {Phrase.Digest(canary.Version)}" : null),
            ("versions", $"{function.Versions}"),
            ("running", $"{function.Running}, {function.Waiting} waiting"),
            ("schedule", function.Schedule is { } schedule ? $"{schedule.Cron} ({schedule.TimeZone}), next {Phrase.Ago(schedule.NextAt, screen.Time)}" : null),
            ("missed", function.Schedule is { Missed: > 0 } missed ? $"{Phrase.Count(missed.Missed, "firing")}, last {Phrase.Ago(missed.LastMissedAt, screen.Time)}" : null),
            ("owner", function.Owner),
            ("created", Phrase.Ago(function.CreatedAt, screen.Time)),
            ("changed", Phrase.Ago(function.UpdatedAt, screen.Time)),
        ]);
    }

    private static Verb MakeList()
    {
        var text = new Argument<string?>("text") { Description = "Only names with this in them.", Arity = ArgumentArity.ZeroOrOne };
        return new Verb("list", "List the functions.",
            ("dure fn list", "all of them"),
            ("dure fn list train --format json", "those with `train` in their name, for a program"))
        .Alias("ls")
        .With(text)
        .Calls(async (call, client, cancel) =>
        {
            var query = call.Get(text) is { } part ? "?text=" + Uri.EscapeDataString(part) : "";
            var functions = await client.ListAsync("/api/functions" + query, int.MaxValue, CommandJson.Default.PageViewFunctionView, cancel);
            if (!functions.Ok)
            {
                return functions.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(functions.Value, CommandJson.Default.IReadOnlyListFunctionView);
                return ExitCodes.Ok;
            }

            if (functions.Value.Count == 0)
            {
                call.Screen.Note("There are no functions. Deploy one: dure fn deploy PATH");
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("name", 16), new("runtime"), new("live"), new("versions", RightAligned: true), new("running", RightAligned: true),
                 new("waiting", RightAligned: true), new("changed"), new("schedule", 8)],
                [.. functions.Value.Select(function => (IReadOnlyList<string>)
                [
                    function.Name, function.Runtime ?? "-", VersionText.Live(function), $"{function.Versions}", $"{function.Running}", $"{function.Waiting}",
                    Phrase.Ago(function.UpdatedAt, call.Time), function.Schedule?.Cron ?? "-",
                ])]);
            return ExitCodes.Ok;
        });
    }

    private static Verb MakeShow() =>
        new Verb("show", "Show a function: what is live, what runs, when it runs by itself.",
            ("dure fn show train", "for people"),
            ("dure fn show train --format json", "for a program"))
        .With(Name)
        .Calls(async (call, client, cancel) =>
        {
            var function = await client.GetAsync(PathOf(call.Get(Name)!), CommandJson.Default.FunctionView, cancel);
            if (!function.Ok)
            {
                return function.Problem;
            }

            Print(call.Screen, function.Value);
            return ExitCodes.Ok;
        });

    private static Verb MakeLogs()
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Show what happens from now on, until Ctrl-C." };
        return new Verb("logs", "Show the log of a function's latest invocation, or of all as they happen.",
            ("dure fn logs train", "of the latest invocation"),
            ("dure fn logs train --follow", "of every invocation from now on"))
        .With(Name, follow)
        .Calls(async (call, client, cancel) =>
        {
            var name = call.Get(Name)!;
            if (call.Get(follow))
            {
                return await LiveView.FollowFunctionAsync(call, client, name, cancel);
            }

            var latest = await client.ListAsync("/api/invocations?function=" + Uri.EscapeDataString(name), 1, CommandJson.Default.PageViewInvocationView, cancel);
            if (!latest.Ok)
            {
                return latest.Problem;
            }

            if (latest.Value is not [var invocation, ..])
            {
                return FunctionErrors.NoSuchInvocation.With($"'{name}' has not been invoked, or there is no such function.");
            }

            call.Screen.Note($"{invocation.Id} {LiveView.Describe(invocation)}, {Phrase.Ago(invocation.CreatedAt, call.Time)}");
            return await InvocationCommands.PrintLogsAsync(call, client, invocation.Id, cancel);
        });
    }

    private static Verb MakeDelete() =>
        new Verb("delete", "Delete a function with its versions; what waits or runs is cancelled.",
            ("dure fn delete old-train", "asks first"),
            ("dure fn delete old-train --yes", "does not"))
        .Alias("rm")
        .With(Name, Yes)
        .Calls(async (call, client, cancel) =>
        {
            var name = call.Get(Name)!;
            var confirmed = await call.ConfirmAsync($"Delete {name} with its versions?", call.Get(Yes), cancel);
            if (!confirmed.Ok)
            {
                return confirmed.Problem;
            }

            var deleted = await client.SendAsync(HttpMethod.Delete, PathOf(name), null, cancel);
            if (!deleted.Ok)
            {
                return deleted.Problem;
            }

            call.Screen.Say($"{name} is deleted.");
            return ExitCodes.Ok;
        });
}

/// <summary>How versions are written for people.</summary>
internal static class VersionText
{
    /// <summary>The live version: number and the beginning of its digest; <c>-</c> for none.</summary>
    public static string Live(FunctionView function) => function.Live is null ? "-" : $"{function.LiveNumber} ({Phrase.Digest(function.Live)})";
}
