namespace Dure.Functions.Worker;

/// <summary>One line from the server to the worker (docs/protocol.md).</summary>
public abstract record ToWorker;

/// <summary>First line of a connection.</summary>
public sealed record ServerHello(int Protocol, string Server) : ToWorker;

/// <summary>Start a sandbox, or hand over a pre-started one.</summary>
/// <param name="Slot">1 to 32 of <c>a-z 0-9 _ -</c>, beginning with a letter or digit; new for every start.</param>
public sealed record StartSandbox(string Slot, SandboxSpec Spec) : ToWorker;

/// <summary>End a sandbox.</summary>
/// <param name="GraceMs">From TERM to KILL, milliseconds; 0 kills at once.</param>
public sealed record StopSandbox(string Slot, int GraceMs) : ToWorker;

/// <summary>The server is alive.</summary>
public sealed record ServerBeat : ToWorker;

/// <summary>How many pre-started sandboxes of a kind to keep.</summary>
/// <param name="Prewarm">As in <see cref="SandboxSpec.Prewarm"/>.</param>
/// <param name="Size">0 to 64; 0 ends the pool.</param>
/// <param name="DepsDirectory">The dependencies of a <c>python:</c> pool with a digest; learnt from the first matching start when absent.</param>
public sealed record KeepPool(string Prewarm, int Size, string? DepsDirectory = null) : ToWorker;

/// <summary>End every sandbox, then the worker.</summary>
public sealed record EndWorker(int GraceMs) : ToWorker;

/// <summary>One line from the worker to the server.</summary>
public abstract record FromWorker;

/// <summary>A sandbox that lives when the server connects.</summary>
/// <param name="Generic">A pre-started one: wants ASSIGN.</param>
/// <param name="Started">False while <c>started</c> is still to come.</param>
public sealed record LiveSlot(string Slot, bool Generic, bool Started);

/// <summary>Which limits the worker can enforce on this machine.</summary>
public sealed record EnforcedLimits(bool Memory, bool Cpu, bool Processes);

/// <summary>Answer to the server's hello.</summary>
/// <param name="Boot">Random, new for every worker process.</param>
/// <param name="MemoryBytes">Memory of the machine, or less when the worker itself is limited.</param>
/// <param name="CpuMillis">Thousandths of a core.</param>
/// <param name="Gpus">Indices of the GPUs of the machine.</param>
public sealed record WorkerHello(
    int Protocol, string Worker, int Pid, string Boot, IReadOnlyList<LiveSlot> Slots,
    long MemoryBytes, int CpuMillis, IReadOnlyList<int> Gpus, EnforcedLimits Limits) : FromWorker;

/// <summary><c>fn.sock</c> exists.</summary>
public sealed record SandboxStarted(string Slot, bool Generic) : FromWorker;

/// <summary>The sandbox never came to be; nothing of it lives.</summary>
/// <param name="Error">Id of an WorkerErrors kind.</param>
public sealed record SandboxStartFailed(string Slot, string Error, string Detail) : FromWorker;

/// <summary>The sandbox ended; nothing of it lives and all its output was sent.</summary>
/// <param name="Code">Exit code of the command, 128 + signal when a signal ended it.</param>
/// <param name="Signal">0 for none.</param>
/// <param name="Reason"><c>exit</c>, <c>signal</c>, <c>memory</c>, <c>processes</c> or <c>stopped</c>.</param>
/// <param name="Detail">One sentence for the user that names the limit, when one ended it.</param>
public sealed record SandboxExited(
    string Slot, int Code, int Signal, string Reason, string Detail, long CpuMicros, long MemoryPeakBytes) : FromWorker;

/// <summary>Whole lines that were written to a raw descriptor, joined by <c>\n</c>.</summary>
/// <param name="Stream"><c>out</c>, <c>err</c>, or <c>sys</c> for what the worker has to say.</param>
/// <param name="Ts">Unix milliseconds.</param>
public sealed record SandboxLog(string Slot, string Stream, long Ts, string Text) : FromWorker;

/// <summary>What one sandbox used so far.</summary>
public sealed record SlotUsage(string Slot, long CpuMicros, long MemoryBytes, long MemoryPeakBytes);

/// <summary>Sandboxes whose use changed; what all others use is as it was said last.</summary>
/// <param name="Ts">When it was measured, Unix milliseconds; 0 from workers that do not say.</param>
public sealed record SandboxUsage(IReadOnlyList<SlotUsage> Slots, long Ts = 0) : FromWorker;

/// <summary>The worker is alive.</summary>
public sealed record WorkerBeat : FromWorker;
