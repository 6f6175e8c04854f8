using Dure.Functions.Api;
using Dure.Functions.Dispatch;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Functions.Workers;

/// <summary>
/// <c>/api/workers</c>: what each machine has and runs, and whether it is given anything new. A drained one lets what runs run and starts
/// nothing; nothing is refused for that: invocations wait, on disk, until it is undrained, however often the server starts meanwhile.
/// </summary>
internal sealed class WorkersApi(Dispatcher dispatcher, DrainStore drains, TimeProvider time)
{
    private const int ReasonLengthMost = 500;

    /// <summary>The part of the API's document.</summary>
    public static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/workers", "The machines that run functions: capacity, GPUs, what runs where.", 200, WorkersJson.Default.PageMachineView),
        new("GET", "/api/workers/{id}", "One of them.", 200, WorkersJson.Default.MachineView),
        new("POST", "/api/workers/{id}/drain", "Start nothing new on it; what runs goes on, and invocations wait.", 200, WorkersJson.Default.MachineView, WorkersJson.Default.DrainRequest),
        new("POST", "/api/workers/{id}/undrain", "Give it work again.", 200, WorkersJson.Default.MachineView),
    ];

    /// <summary>Maps the endpoints.</summary>
    public void Map(Gate gate)
    {
        gate.Map("GET", "/api/workers", Scopes.Read, http => JsonBody.WriteAsync(http, new Page<MachineView>([View()], null), WorkersJson.Default.PageMachineView));
        gate.Map("GET", "/api/workers/{id}", Scopes.Read, async http =>
        {
            if (await FindAsync(http))
                await JsonBody.WriteAsync(http, View(), WorkersJson.Default.MachineView);
        });
        gate.Map("POST", "/api/workers/{id}/drain", Scopes.Admin, DrainAsync);
        gate.Map("POST", "/api/workers/{id}/undrain", Scopes.Admin, async http =>
        {
            if (!await FindAsync(http))
                return;
            await drains.RemoveAsync(dispatcher.Worker);
            dispatcher.SetDrain(null);
            await JsonBody.WriteAsync(http, View(), WorkersJson.Default.MachineView);
        });
    }

    /// <summary>This machine as it stands.</summary>
    public MachineView View()
    {
        var now = time.GetUtcNow();
        var (hello, age) = dispatcher.WorkerState;
        var (capacity, slots) = (dispatcher.CapacityNow, dispatcher.SlotsNow);
        var processes = slots.Select(slot => Process(slot, now)).ToList();
        var counts = dispatcher.Pools.Select(pool => pool.Count()).ToList();
        var running = counts.Sum(c => c.Running + c.Held);
        var used = processes.Where(p => p.MemoryBytes is not null).ToList();
        return new MachineView(dispatcher.Worker, Environment.MachineName, State(hello is not null, running), hello?.Pid, Math.Round(age.TotalMilliseconds), now - age,
            dispatcher.Drain is { } drain ? new DrainView(drain.Since, drain.Caller, drain.Reason) : null,
            hello is null ? 0 : capacity.MemoryBytes, capacity.MemoryTaken, used.Count == 0 ? null : used.Sum(p => p.MemoryBytes!.Value),
            hello?.CpuMillis ?? 0, used.Count == 0 ? null : used.Sum(p => p.CpuMillis ?? 0), capacity.Slots, capacity.SlotsTaken,
            [.. capacity.Gpus.Select(index => slots.FirstOrDefault(s => s.Gpus.Contains(index)) is { } slot ? new WorkerGpuView(index, slot.Slot, slot.Version?.FunctionName) : new WorkerGpuView(index, null, null))],
            dispatcher.StandbyPids, [.. dispatcher.Kept.Select(kept => new KeptView(kept.Prewarm.TrimEnd(':'), kept.Size))], hello is null ? null : WorkersJson.Unlimited(hello),
            running, dispatcher.Open.Count() - running, processes);
    }

    private string State(bool connected, int running) => !connected ? "missing" : dispatcher.Drain is null ? "connected" : running > 0 ? "draining" : "drained";

    private static WorkerProcessView Process(SlotFacts slot, DateTimeOffset now)
    {
        var process = slot.Process;
        var state = slot.Version is null ? "running" : process is null or { Ready: false, Closing: false } ? "starting" : process.Closing ? "ending" : process.Running.Count > 0 ? "running" : "idle";
        return new WorkerProcessView(slot.Slot, slot.Version?.FunctionName, slot.Version?.Digest, slot.Version?.Number, state, process is null ? null : now - process.Age,
            process is { Ready: true, Idle: { } idle } ? now - idle : null, process?.Served ?? 0, process?.Adopted ?? false,
            [.. (process?.Running ?? []).Select(i => new WorkerInvocationView(InvocationId.Format(i.Id), i.Attempt, i.Owner, now - i.Ran))], slot.Gpus,
            slot.Version?.Spec.Limits.MemoryBytes, slot.Use?.MemoryBytes, slot.Use?.CpuMillis, slot.Use is { } use ? DateTimeOffset.FromUnixTimeMilliseconds(use.At) : null);
    }

    private async Task DrainAsync(HttpContext http)
    {
        if (!await FindAsync(http))
            return;
        var request = http.HasBody() ? await JsonBody.ReadAsync(http, WorkersJson.Default.DrainRequest) : new DrainRequest(null);
        if (!request.Ok)
        {
            await ProblemResponse.WriteAsync(http, request.Problem);
            return;
        }
        var reason = request.Value.Reason?.Trim() is { Length: > 0 } text ? text[..Math.Min(text.Length, ReasonLengthMost)] : null;
        // On disk first: a server that dies now comes back with it.
        dispatcher.SetDrain(await drains.SetAsync(new WorkerDrain(dispatcher.Worker, time.GetUtcNow(), http.Caller().Name, reason)));
        await JsonBody.WriteAsync(http, View(), WorkersJson.Default.MachineView);
    }

    private async ValueTask<bool> FindAsync(HttpContext http)
    {
        if ((string)http.Request.RouteValues["id"]! == dispatcher.Worker)
            return true;
        await ProblemResponse.WriteAsync(http, WorkersErrors.NoSuchWorker.With($"There is no worker '{http.Request.RouteValues["id"]}'; this server's is {dispatcher.Worker}."));
        return false;
    }
}
