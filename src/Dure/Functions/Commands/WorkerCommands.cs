using System.CommandLine;
using System.Text.Json.Serialization;
using Dure.Functions.Workers;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary><c>dure worker</c>: the machines that run functions.</summary>
internal static class WorkerCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The worker." };
    private static readonly Option<string?> Reason = new("--reason", "-r") { Description = "Shown to everyone who wonders why nothing starts.", HelpName = "TEXT" };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Verb Make() => new Verb("worker", "Look at the machines that run functions, and take them out of service.").With(MakeList(), MakeShow(), MakeDrain(), MakeUndrain());

    private static Verb MakeList() =>
        new Verb("list", "List the workers: what they have, and what of it is in use.",
            ("dure worker list", "every machine"),
            ("dure worker list --format json", "for a program"))
        .Alias("ls")
        .Calls(async (call, client, cancel) =>
        {
            var workers = await client.ListAsync("/api/workers", int.MaxValue, WorkerCommandJson.Default.PageViewMachineView, cancel);
            if (!workers.Ok)
            {
                return workers.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(workers.Value, WorkerCommandJson.Default.IReadOnlyListMachineView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("worker"), new("machine", 8), new("state", Painted: true), new("heard", RightAligned: true), new("slots", RightAligned: true), new("memory", RightAligned: true),
                 new("cores", RightAligned: true), new("gpus", RightAligned: true), new("running", RightAligned: true), new("waiting", RightAligned: true)],
                [.. workers.Value.Select(worker => (IReadOnlyList<string>)
                [
                    worker.Id, worker.Machine, worker.State, Phrase.Took(worker.AgeMs) + " ago", $"{worker.SlotsTaken}/{worker.Slots}", $"{Phrase.Size(worker.MemoryPromisedBytes)}/{Phrase.Size(worker.MemoryBytes)}",
                    FormattableString.Invariant($"{worker.CpuMillis / 1000.0:0.#}"), worker.Gpus.Count == 0 ? "-" : $"{worker.Gpus.Count(gpu => gpu.Slot is not null)}/{worker.Gpus.Count}",
                    $"{worker.Running}", $"{worker.Waiting}",
                ])]);
            WarnOfDrains(call.Screen, workers.Value);
            return ExitCodes.Ok;
        });

    private static Verb MakeShow() =>
        new Verb("show", "Show a worker and what runs on it.",
            ("dure worker show w1", "its capacity and its processes"))
        .With(Id)
        .Calls(async (call, client, cancel) => Print(call.Screen, await client.GetAsync(PathOf(call), WorkerCommandJson.Default.MachineView, cancel)));

    private static Verb MakeDrain() =>
        new Verb("drain", "Start nothing new on a worker; what runs goes on, and invocations wait.",
            ("dure worker drain w1 --reason 'new memory on Friday'", "before it is switched off"))
        .With(Id, Reason, Yes)
        .Calls(async (call, client, cancel) =>
        {
            if (await call.ConfirmAsync($"Start nothing new on {call.Get(Id)} until it is undrained?", call.Get(Yes), cancel) is { Ok: true, Value: false } or { Ok: false })
            {
                return CommandErrors.NotConfirmed.With($"{call.Get(Id)} is not drained.");
            }

            var body = DureClient.Json(new DrainRequest(call.Get(Reason)), WorkerCommandJson.Default.DrainRequest);
            return Print(call.Screen, await client.SendAsync(HttpMethod.Post, PathOf(call) + "/drain", body, WorkerCommandJson.Default.MachineView, cancel));
        });

    private static Verb MakeUndrain() =>
        new Verb("undrain", "Give a worker work again: what waits begins at once.",
            ("dure worker undrain w1", "it is back"))
        .With(Id)
        .Calls(async (call, client, cancel) => Print(call.Screen, await client.SendAsync(HttpMethod.Post, PathOf(call) + "/undrain", null, WorkerCommandJson.Default.MachineView, cancel)));

    private static string PathOf(Call call) => "/api/workers/" + Uri.EscapeDataString(call.Get(Id)!);

    private static Outcome<int> Print(Screen screen, Outcome<MachineView> answer)
    {
        if (!answer.Ok)
        {
            return answer.Problem;
        }

        var worker = answer.Value;
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(worker, WorkerCommandJson.Default.MachineView);
            return ExitCodes.Ok;
        }

        screen.Facts(
        [
            ("worker", $"{worker.Id} on {worker.Machine}, {worker.State}, heard {Phrase.Took(worker.AgeMs)} ago"),
            ("drained", worker.Drain is { } drain ? $"{Phrase.Ago(drain.Since, screen.Time)} by {drain.By}{(drain.Reason is null ? "" : ": " + drain.Reason)}" : null),
            ("slots", $"{worker.SlotsTaken} of {worker.Slots}"),
            ("memory", $"{Phrase.Size(worker.MemoryPromisedBytes)} of {Phrase.Size(worker.MemoryBytes)} promised{(worker.MemoryUsedBytes is { } used ? $", {Phrase.Size(used)} used" : "")}"),
            ("cores", FormattableString.Invariant($"{worker.CpuMillis / 1000.0:0.#}{(worker.CpuUsedMillis is { } busy ? FormattableString.Invariant($", {busy / 1000.0:0.#} used") : "")}")),
            ("gpus", worker.Gpus.Count == 0 ? null : string.Join(", ", worker.Gpus.Select(gpu => $"{gpu.Index} {gpu.Function ?? (gpu.Slot is null ? "free" : "taken")}"))),
            ("invocations", $"{worker.Running} running, {worker.Waiting} waiting"),
        ]);
        if (worker.Processes.Count > 0)
        {
            screen.Line("");
            screen.Table(
                [new("process"), new("function", 12), new("version", RightAligned: true), new("state", Painted: true), new("since"), new("memory", RightAligned: true), new("invocations")],
                [.. worker.Processes.Select(process => (IReadOnlyList<string>)
                [
                    process.Slot, process.Function ?? "(build)", process.VersionNumber is { } number ? $"{number}" : "-", process.State, Phrase.Ago(process.Since, screen.Time),
                    process.MemoryBytes is { } bytes ? Phrase.Size(bytes) : "-", process.Invocations.Count == 0 ? "-" : string.Join(' ', process.Invocations.Select(i => i.Id)),
                ])]);
        }

        WarnOfDrains(screen, [worker]);
        return ExitCodes.Ok;
    }

    private static void WarnOfDrains(Screen screen, IReadOnlyList<MachineView> workers)
    {
        foreach (var worker in workers.Where(worker => worker.Drain is not null && worker.Waiting > 0))
        {
            screen.Warn($"{Phrase.Count(worker.Waiting, "invocation")} wait because {worker.Id} is drained; `dure worker undrain {worker.Id}` gives it work again");
        }
    }
}

/// <summary>JSON that the verbs about workers print: the API's shapes, indented.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(PageView<MachineView>))]
[JsonSerializable(typeof(IReadOnlyList<MachineView>))]
[JsonSerializable(typeof(DrainRequest))]
internal sealed partial class WorkerCommandJson : JsonSerializerContext;
