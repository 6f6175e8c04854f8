using System.CommandLine;
using Dure.Host.Configuration;
using Dure.Host.Files;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure status</c>: the server, its workers, its queue, its disk.</summary>
internal static class StatusCommand
{
    private const int LastLines = 2;
    private const int LastBytes = 8192;
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Show it again every second until Ctrl-C." };

    public static Verb Make() =>
        new Verb("status", "Show how the server and its workers are.",
            ("dure status", "once"),
            ("dure status --watch", "again every second"),
            ("dure status --format json", "for a program"))
        .With(Watch)
        .Calls(async (call, client, cancel) =>
        {
            while (true)
            {
                var status = await client.GetAsync("/api/status", HostJson.Default.StatusView, cancel);
                if (!status.Ok)
                {
                    return status.Problem;
                }

                if (call.Get(Watch) && call.Screen is { Format: OutputFormat.Table, Traits.OutIsTerminal: true })
                {
                    await call.Screen.Out.WriteAsync("\x1b[H\x1b[J");
                }

                Print(call.Screen, status.Value);
                if (!call.Get(Watch))
                {
                    return ExitCodes.Ok;
                }

                await Task.Delay(TimeSpan.FromSeconds(1), call.Time, cancel);
            }
        });

    private static void Print(Screen screen, StatusView status)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(status, HostJson.Default.StatusView);
            return;
        }

        screen.Facts(
        [
            ("Dure", $"{status.Version}, process {status.Pid}, started {Phrase.Ago(status.StartedAt, screen.Time)}"),
            ("address", status.Url),
            ("store", status.Store),
            ("data", status.Data),
            ("database", status.Database),
            ("disk", status.Disk is { } disk ? $"{Phrase.Size(disk.FreeBytes)} free of {Phrase.Size(disk.TotalBytes)}, {disk.State}" : null),
            ("waiting", $"{status.Pending}"),
            ("running", $"{status.Processing}"),
        ]);
        if (status.Workers.Count == 0)
        {
            screen.Warn("no worker is connected; nothing can run" + LastWords(status));
            return;
        }

        screen.Line("");
        screen.Table(
            [new("worker"), new("state", Painted: true), new("process", RightAligned: true), new("heard", RightAligned: true),
             new("slots", RightAligned: true), new("memory", RightAligned: true), new("cores", RightAligned: true), new("gpus"), new("free")],
            [.. status.Workers.Select(worker => (IReadOnlyList<string>)
            [
                worker.Id, worker.State, $"{worker.Pid}", Phrase.Took(worker.AgeMs) + " ago", $"{worker.Slots}", Phrase.Size(worker.MemoryBytes),
                FormattableString.Invariant($"{worker.CpuMillis / 1000.0:0.#}"), Numbers(worker.Gpus, "-"), worker.Gpus is { Count: > 0 } ? Numbers(worker.FreeGpus, "none") : "-",
            ])]);
        WarnOfLimits(screen, status);
    }

    // Why a worker does not start stands in its own log, which is at hand on the server's machine alone.
    private static string LastWords(StatusView status)
    {
        var log = ServerStart.WorkerLogIn(status.Data);
        var text = RunningServer.Read(status.Data)?.Pid == status.Pid ? LogEnd.Read(log, LastBytes) : null;
        var last = (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(LastLines).ToList();
        return last.Count == 0 ? "" : $"; {log} ends with\n  {string.Join("\n  ", last)}";
    }

    private static void WarnOfLimits(Screen screen, StatusView status)
    {
        foreach (var worker in status.Workers.Where(worker => worker.Drained is not null))
        {
            screen.Warn($"worker {worker.Id} is {worker.Drained}; `dure worker undrain {worker.Id}` gives it work again");
        }

        foreach (var worker in status.Workers.Where(worker => worker.Unlimited is not null))
        {
            screen.Warn($"worker {worker.Id} cannot limit {string.Join(", ", worker.Unlimited!)} for each function: this machine gives it no control group of that kind");
        }
    }

    private static string Numbers(IReadOnlyList<int>? gpus, string none) => gpus is { Count: > 0 } ? string.Join(',', gpus) : none;
}
