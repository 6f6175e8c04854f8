using System.CommandLine;
using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary>Verbs about the versions of a function.</summary>
internal static class VersionCommands
{
    private static readonly Argument<string?> Version = new("version")
    {
        Description = "A number, a digest or its beginning.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Verb MakeVersions() =>
        new Verb("versions", "List the versions of a function.",
            ("dure fn versions train", "newest first"))
        .With(FunctionCommands.Name)
        .Calls(async (call, client, cancel) =>
        {
            var versions = await ListAsync(call, client, cancel);
            if (!versions.Ok)
            {
                return versions.Problem;
            }

            var newestFirst = versions.Value.OrderByDescending(version => version.Number).ToList();
            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(newestFirst, CommandJson.Default.IReadOnlyListVersionView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("number", RightAligned: true), new("version"), new("alias", Painted: true), new("runtime"), new("size", RightAligned: true), new("deployed"), new("by", 8)],
                [.. newestFirst.Select(version => (IReadOnlyList<string>)
                [
                    $"{version.Number}", Phrase.Digest(version.Version), version.Aliases.Count > 0 ? string.Join(' ', version.Aliases) : "-", version.Runtime,
                    Phrase.Size(version.SizeBytes), Phrase.Ago(version.CreatedAt, call.Time), version.Owner,
                ])]);
            return ExitCodes.Ok;
        });

    public static Verb MakeDiff()
    {
        var from = new Argument<string?>("from") { Description = "Older version; without, the one before the newest.", Arity = ArgumentArity.ZeroOrOne };
        var to = new Argument<string?>("to") { Description = "Newer version; without, the newest.", Arity = ArgumentArity.ZeroOrOne };
        return new Verb("diff", "Show what changed between two versions of a function.",
            ("dure fn diff train", "between the newest and the one before it"),
            ("dure fn diff train 3 5", "between two of them"))
        .With(FunctionCommands.Name, from, to)
        .Calls(async (call, client, cancel) =>
        {
            var versions = await ListAsync(call, client, cancel);
            if (!versions.Ok)
            {
                return versions.Problem;
            }

            var numbers = versions.Value.Select(version => version.Number).Order().ToList();
            if (numbers.Count < 2 && call.Get(from) is null)
            {
                return FunctionErrors.NoSuchVersion.With("There is one version only, so there is nothing to compare.");
            }

            var older = call.Get(from) ?? $"{numbers[^2]}";
            var newer = call.Get(to) ?? $"{numbers[^1]}";
            var path = $"{FunctionCommands.PathOf(call.Get(FunctionCommands.Name)!)}/diff?from={Uri.EscapeDataString(older)}&to={Uri.EscapeDataString(newer)}";
            var diff = await client.GetAsync(path, CommandJson.Default.DiffView, cancel);
            if (!diff.Ok)
            {
                return diff.Problem;
            }

            Print(call.Screen, diff.Value);
            return ExitCodes.Ok;
        });
    }

    public static Verb MakeRollback() =>
        new Verb("rollback", "Make an earlier version live again, at once.",
            ("dure fn rollback train", "the version that was live before"),
            ("dure fn rollback train 3", "version 3"))
        .With(FunctionCommands.Name, Version)
        .Calls(async (call, client, cancel) =>
        {
            var body = DureClient.Json(new Rollback(call.Get(Version)), CommandJson.Default.Rollback);
            return await ChangeAsync(call, client, HttpMethod.Post, "/rollback", body, cancel);
        });

    public static Verb MakeCanary()
    {
        var percent = new Option<int?>("--percent") { Description = "Share of the invocations, 1 to 99; 10 when not given.", HelpName = "PERCENT" };
        var off = new Option<bool>("--off") { Description = "End it: every invocation goes to the live version." };
        return new Verb("canary", "Send a share of the invocations to another version.",
            ("dure fn canary train 5 --percent 10", "one in ten to version 5"),
            ("dure fn canary train --off", "all to the live version again"),
            ("dure fn rollback train 5", "all to version 5, when it did well"))
        .With(FunctionCommands.Name, Version, percent, off)
        .Calls(async (call, client, cancel) =>
        {
            if (call.Get(Version) is null != call.Get(off))
            {
                return CommandErrors.Usage.With("Name a version, or give --off.");
            }

            var function = await client.GetAsync(FunctionCommands.PathOf(call.Get(FunctionCommands.Name)!), CommandJson.Default.FunctionView, cancel);
            if (!function.Ok)
            {
                return function.Problem;
            }

            if (function.Value.Live is not { } live)
            {
                return FunctionErrors.NotLive.With(function.Value.Name);
            }

            var canary = call.Get(off) ? null : new CanaryView(call.Get(Version)!, call.Get(percent) ?? 10);
            return await ChangeAsync(call, client, HttpMethod.Put, "/live", DureClient.Json(new SetLive(live, canary), CommandJson.Default.SetLive), cancel);
        });
    }

    private static async Task<Outcome<int>> ChangeAsync(Call call, DureClient client, HttpMethod method, string below, HttpContent body, CancellationToken cancel)
    {
        var path = FunctionCommands.PathOf(call.Get(FunctionCommands.Name)!) + below;
        var changed = await client.SendAsync(method, path, body, CommandJson.Default.FunctionView, cancel);
        if (!changed.Ok)
        {
            return changed.Problem;
        }

        FunctionCommands.Print(call.Screen, changed.Value);
        return ExitCodes.Ok;
    }

    private static Task<Outcome<IReadOnlyList<VersionView>>> ListAsync(Call call, DureClient client, CancellationToken cancel) =>
        client.ListAsync(FunctionCommands.PathOf(call.Get(FunctionCommands.Name)!) + "/versions", int.MaxValue, CommandJson.Default.PageViewVersionView, cancel);

    private static void Print(Screen screen, DiffView diff)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(diff, CommandJson.Default.DiffView);
            return;
        }

        screen.Note(diff.Files.Count == 0
            ? "They hold the same files."
            : $"From {Phrase.Digest(diff.From)} to {Phrase.Digest(diff.To)}: {Phrase.Count(diff.Files.Count, "file")}.");
        var (green, red, end) = screen.Traits is { OutIsTerminal: true, Colour: true } ? ("\x1b[32m", "\x1b[31m", "\x1b[0m") : ("", "", "");
        foreach (var file in diff.Files)
        {
            screen.Line($"{file.Change} {file.Path}");
            foreach (var line in (file.Diff ?? "").TrimEnd('\n').Split('\n').Where(line => line.Length > 0))
            {
                var clean = Screen.Printable(line, screen.Traits.OutIsTerminal);
                screen.Out.WriteLine(line[0] == '+' ? green + clean + end : line[0] == '-' ? red + clean + end : clean);
            }
        }
    }
}
