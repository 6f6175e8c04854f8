using System.Text.Json.Serialization;
using Dure.Functions.Api;
using Dure.Functions.Worker;

namespace Dure.Functions.Workers;

/// <summary>Why a worker is given nothing new.</summary>
/// <param name="By">Who asked for it.</param>
public sealed record DrainView(DateTimeOffset Since, string By, string? Reason);

/// <summary>A GPU and the sandbox that has it.</summary>
/// <param name="Slot">Null when it is free.</param>
public sealed record WorkerGpuView(int Index, string? Slot, string? Function);

/// <summary>How many started processes of a kind are kept ready.</summary>
public sealed record KeptView(string Kind, int Size);

/// <summary>An attempt that runs in a process.</summary>
public sealed record WorkerInvocationView(string Id, int Attempt, string Owner, DateTimeOffset Since);

/// <summary>A sandbox on a worker.</summary>
/// <param name="Function">Null for a build.</param>
/// <param name="State">starting, idle, running or ending.</param>
/// <param name="Since">When it was started, or found by a server that came later.</param>
/// <param name="Served">Invocations that it finished.</param>
/// <param name="Adopted">An earlier server started it.</param>
/// <param name="MemoryBytes">What it used at last sight; null when nothing has been measured.</param>
/// <param name="CpuMillis">Thousandths of a core at last sight.</param>
/// <param name="MeasuredAt">When that was.</param>
public sealed record WorkerProcessView(string Slot, string? Function, string? Version, int? VersionNumber, string State, DateTimeOffset? Since, DateTimeOffset? IdleSince, long Served, bool Adopted,
    IReadOnlyList<WorkerInvocationView> Invocations, IReadOnlyList<int> Gpus, long? MemoryLimitBytes, long? MemoryBytes, int? CpuMillis, DateTimeOffset? MeasuredAt);

/// <summary>A machine that runs functions.</summary>
/// <param name="State">connected; draining: it is given nothing new; drained: and nothing runs on it any more; missing: it is not heard.</param>
/// <param name="ObservedAt">When it was last heard: everything here is as old as that.</param>
/// <param name="MemoryPromisedBytes">Sum of the memory limits of its sandboxes, which is what decides whether another fits.</param>
/// <param name="MemoryUsedBytes">What its sandboxes used at last sight, together; null when nothing has been measured.</param>
/// <param name="CpuUsedMillis">Likewise, thousandths of a core.</param>
/// <param name="StandbyPids">Further worker processes, one of which would take over at once.</param>
/// <param name="Unlimited">Of memory, cpu and processes, what this machine cannot limit for each function; null for nothing.</param>
public sealed record MachineView(string Id, string Machine, string State, int? Pid, double AgeMs, DateTimeOffset ObservedAt, DrainView? Drain, long MemoryBytes, long MemoryPromisedBytes, long? MemoryUsedBytes,
    int CpuMillis, int? CpuUsedMillis, int Slots, int SlotsTaken, IReadOnlyList<WorkerGpuView> Gpus, IReadOnlyList<int> StandbyPids, IReadOnlyList<KeptView> Kept, IReadOnlyList<string>? Unlimited,
    int Running, int Waiting, IReadOnlyList<WorkerProcessView> Processes);

/// <summary>Body of POST /api/workers/{id}/drain.</summary>
public sealed record DrainRequest(string? Reason);

/// <summary>JSON of workers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Page<MachineView>))]
[JsonSerializable(typeof(DrainRequest))]
internal sealed partial class WorkersJson : JsonSerializerContext
{
    /// <summary>Of memory, cpu and processes, what a machine cannot limit for each function; null for nothing.</summary>
    public static IReadOnlyList<string>? Unlimited(WorkerHello hello)
    {
        List<string> names = [];
        if (!hello.Limits.Memory)
            names.Add("memory");
        if (!hello.Limits.Cpu)
            names.Add("cpu");
        if (!hello.Limits.Processes)
            names.Add("processes");
        return names.Count == 0 ? null : names;
    }
}
