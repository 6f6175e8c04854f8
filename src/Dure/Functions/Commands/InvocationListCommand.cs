using System.CommandLine;
using System.Globalization;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary><c>dure invocation list</c>.</summary>
internal static class InvocationListCommand
{
    private const int DefaultLimit = 20;

    private static readonly Option<string?> Function = new("--function", "-F") { Description = "Of this function only.", HelpName = "NAME" };

    private static readonly Option<string?> Version = new("--version") { Description = "Of this version only: its number, or the first digits of its digest.", HelpName = "VERSION" };

    private static readonly Option<string[]> State = new Option<string[]>("--state", "-s")
    {
        Description = "In this state only; may be given several times.",
        HelpName = "STATE",
    }.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "PENDING", "PROCESSING", "SUCCESS", "FAILED", "CANCELLED", "UNKNOWN");

    private static readonly Option<string[]> Trigger = new Option<string[]>("--trigger")
    {
        Description = "Caused by this only; may be given several times.",
        HelpName = "TRIGGER",
    }.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "api", "schedule", "rerun");

    private static readonly Option<string?> Owner = new("--owner") { Description = "Asked for by this owner only.", HelpName = "NAME" };
    private static readonly Option<string?> Since = new("--since") { Description = "Not older than this: 2h, 7d, or a time such as 2026-11-21T09:00:00Z.", HelpName = "TIME" };
    private static readonly Option<string?> Until = new("--until") { Description = "Not newer than this, written likewise.", HelpName = "TIME" };
    private static readonly Option<string?> Text = new("--text") { Description = "With this text in the reason or error, or an id that begins so.", HelpName = "TEXT" };
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "This many at most, newest first.", HelpName = "COUNT", DefaultValueFactory = _ => DefaultLimit };

    public static Verb Make() =>
        new Verb("list", "List invocations, newest first.",
            ("dure inv list", "the latest twenty"),
            ("dure inv list --function train --state failed --since 7d", "what failed this week"),
            ("dure inv list --state failed --state unknown --since 24h", "what broke last night"),
            ("dure inv list --limit 1000 --format json", "for a program"))
        .Alias("ls")
        .With(Function, Version, State, Trigger, Owner, Since, Until, Text, Limit)
        .Calls(async (call, client, cancel) =>
        {
            var query = Query(call);
            if (!query.Ok)
            {
                return query.Problem;
            }

            var invocations = await client.ListAsync("/api/invocations" + query.Value, call.Get(Limit), CommandJson.Default.PageViewInvocationView, cancel);
            if (!invocations.Ok)
            {
                return invocations.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(invocations.Value, CommandJson.Default.IReadOnlyListInvocationView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("id"), new("function", 12), new("state", Painted: true), new("attempt", RightAligned: true), new("asked"), new("took", RightAligned: true), new("owner", 6), new("reason", 12)],
                [.. invocations.Value.Select(invocation => (IReadOnlyList<string>)
                [
                    invocation.Id, invocation.Function, invocation.State, $"{invocation.Attempt}", Phrase.Ago(invocation.CreatedAt, call.Time),
                    Phrase.Took(invocation.DurationMs), invocation.Owner, invocation.Reason ?? "",
                ])]);
            if (invocations.Value.Count == call.Get(Limit))
            {
                call.Screen.Note($"The latest {call.Get(Limit)}; --limit shows more.");
            }

            return ExitCodes.Ok;
        });

    private static Outcome<string> Query(Call call)
    {
        if (call.Get(Limit) is < 1 or > 1_000_000)
        {
            return CommandErrors.Usage.With("--limit wants a number from 1 to 1000000.");
        }

        var parts = new List<string>();
        var faults = new List<Fault>();
        void Add(string name, string? value)
        {
            if (value is not null)
            {
                parts.Add($"{name}={Uri.EscapeDataString(value)}");
            }
        }

        Add("function", call.Get(Function));
        Add("version", call.Get(Version));
        Add("state", Several(call.Get(State))?.ToUpperInvariant());
        Add("trigger", Several(call.Get(Trigger)));
        Add("owner", call.Get(Owner));
        Add("since", Moment(call.Get(Since), "--since", call.Time, faults));
        Add("until", Moment(call.Get(Until), "--until", call.Time, faults));
        Add("text", call.Get(Text));
        return faults.Count > 0 ? CommandErrors.Usage.With("", faults) : parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    private static string? Several(string[]? words) => words is { Length: > 0 } ? string.Join(',', words) : null;

    private static string? Moment(string? text, string flag, TimeProvider time, List<Fault> faults)
    {
        if (text is null)
        {
            return null;
        }

        if (Units.ReadDuration(text) is { Error: null } ago)
        {
            return (time.GetUtcNow() - ago.Value).ToString("O", CultureInfo.InvariantCulture);
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var moment))
        {
            return moment.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);
        }

        faults.Add(new(flag, $"'{text}' is neither a time span such as 2h nor a time such as 2026-11-21T09:00:00Z"));
        return null;
    }
}
