using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary>Shows what happens while it happens.</summary>
internal static class LiveView
{
    /// <summary>Log lines to <paramref name="log"/> and changes of state as talk, until the invocation is over.</summary>
    /// <returns>The invocation as it ended.</returns>
    public static async Task<Outcome<InvocationView>> FollowAsync(Call call, DureClient client, string id, Action<string> log, CancellationToken cancel)
    {
        InvocationView? last = null;
        var path = $"/api/invocations/{Uri.EscapeDataString(id)}";
        await foreach (var told in ServerEvents.ReadAsync(client, path + "/events", call.Time, call.Screen.Note, cancel))
        {
            if (!told.Ok)
            {
                return told.Problem;
            }

            switch (told.Value.Name)
            {
                case "status" when told.Value.Read(CommandJson.Default.InvocationView) is { } now:
                    if (now.State != last?.State || now.Attempt != last.Attempt)
                    {
                        call.Screen.Note($"{now.Id} {Describe(now)}");
                    }

                    last = now;
                    break;
                case "log" when told.Value.Read(CommandJson.Default.LogEvent) is { } more:
                    foreach (var line in more.Lines)
                    {
                        log(line);
                    }

                    break;
            }
        }

        return last is not null && IsOver(last) ? last : await client.GetAsync(path, CommandJson.Default.InvocationView, cancel);
    }

    /// <summary>Every invocation of a function with its logs, until Ctrl-C.</summary>
    public static async Task<Outcome<int>> FollowFunctionAsync(Call call, DureClient client, string name, CancellationToken cancel)
    {
        call.Screen.Note($"Following {name}; Ctrl-C ends it.");
        await foreach (var told in ServerEvents.ReadAsync(client, $"/api/functions/{Uri.EscapeDataString(name)}/events", call.Time, call.Screen.Note, cancel))
        {
            if (!told.Ok)
            {
                return told.Problem;
            }

            switch (told.Value.Name)
            {
                case "status" when told.Value.Read(CommandJson.Default.InvocationView) is { } now:
                    call.Screen.Line($"{now.Id} {Describe(now)}");
                    break;
                case "log" when told.Value.Read(CommandJson.Default.LogEvent) is { } log:
                    foreach (var line in log.Lines)
                    {
                        call.Screen.Line($"{log.Id} {LogLine.Show(line)}");
                    }

                    break;
            }
        }

        return ExitCodes.Ok;
    }

    /// <summary>True once the state will not change again.</summary>
    public static bool IsOver(InvocationView now) => now.State is not ("PENDING" or "PROCESSING");

    /// <summary>Where an invocation stands, in a few words.</summary>
    public static string Describe(InvocationView now) =>
        now.State + (now.Attempt > 1 ? $", attempt {now.Attempt}" : "")
        + (IsOver(now) && now.DurationMs is { } ms ? $" after {Phrase.Took(ms)}" : "")
        + (now.Reason is { Length: > 0 } reason ? $": {reason}" : "");
}

/// <summary>A line of a log as the API gives it: time, attempt, stream, text.</summary>
internal static class LogLine
{
    /// <summary>The text; what Dure itself says is marked.</summary>
    public static string Show(string line) =>
        line.Split(' ', 4) is [_, _, var stream, var text] ? (stream == "sys" ? "[dure] " + text : text) : line;

    /// <summary>The text for people, the whole line for programs.</summary>
    public static void Print(Screen screen, string line) => screen.Line(screen.Traits.OutIsTerminal ? Show(line) : line);
}
