using System.Globalization;
using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary>Invocations for people.</summary>
internal static class InvocationPrint
{
    /// <summary>The id of one that was just asked for.</summary>
    public static void Accepted(Screen screen, InvocationView invocation)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(invocation, CommandJson.Default.InvocationView);
        }
        else
        {
            screen.Line(invocation.Id);
        }
    }

    /// <summary>Everything about one.</summary>
    public static void Show(Screen screen, InvocationView invocation)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(invocation, CommandJson.Default.InvocationView);
            return;
        }

        screen.Facts(
        [
            ("id", invocation.Id),
            ("function", $"{invocation.Function}, version {Phrase.Digest(invocation.Version)}"),
            ("state", invocation.State + (invocation.CancelRequested && !LiveView.IsOver(invocation) ? ", told to end" : "")),
            ("reason", invocation.Reason),
            ("asked", $"{Exact(invocation.CreatedAt)} ({Phrase.Ago(invocation.CreatedAt, screen.Time)}) by {invocation.Owner}, {invocation.Trigger}"),
            ("started", invocation.StartedAt is { } started ? Exact(started) : null),
            ("ended", invocation.FinishedAt is { } ended ? $"{Exact(ended)}, took {Phrase.Took(invocation.DurationMs)}" : null),
            ("next try", invocation.NextAttemptAt is { } next && !LiveView.IsOver(invocation) ? Phrase.Ago(next, screen.Time) : null),
            ("durability", invocation.Durability),
            ("may have run", invocation.MayHaveRun ? "yes: an earlier attempt may have reached the code" : null),
            ("rerun of", invocation.RerunOf),
            ("firing of", invocation.ScheduledFor is { } firing ? Exact(firing) : null),
            ("key", invocation.IdempotencyKey),
            ("callback", invocation.CallbackUrl),
            ("event", Phrase.Size(invocation.PayloadBytes)),
            ("result", invocation.ResultBytes is { } bytes ? Phrase.Size(bytes) : null),
            ("log", Phrase.Size(invocation.LogBytes)),
        ]);
        if (invocation.Attempts is { Count: > 0 } attempts)
        {
            screen.Line("");
            screen.Table(
                [new("attempt", RightAligned: true), new("outcome"), new("worker"), new("started"), new("took", RightAligned: true), new("start"), new("reason", 20)],
                [.. attempts.Select(attempt => (IReadOnlyList<string>)
                [
                    $"{attempt.Attempt}", attempt.Outcome is { Length: > 0 } outcome ? outcome : "running", attempt.Worker ?? "-", Exact(attempt.StartedAt),
                    Phrase.Took(attempt.FinishedAt is { } end ? (end - attempt.StartedAt).TotalMilliseconds : null), attempt.Cold ? "cold" : "warm", attempt.Reason ?? "",
                ])]);
        }

        if (invocation.Steps is { Count: > 0 } steps)
        {
            screen.Line("");
            screen.Table([new("step", 20), new("attempt", RightAligned: true)], [.. steps.Select(step => (IReadOnlyList<string>)[step.Name, $"{step.Attempt}"])]);
        }

        if (invocation.Error is { } error)
        {
            screen.Line("");
            screen.Line(DureClient.Explain(error.ErrorType, error.ErrorMessage, error.StackTrace));
        }
    }

    private static string Exact(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
