using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Cgroups;

/// <summary>A control group in the unified hierarchy (version 2).</summary>
internal sealed class ControlGroupV2(string folder) : ControlGroup
{
    private const int PeriodMicros = 100_000;
    private int _memoryWatch = -1;
    private int _pidsWatch = -1;

    public override IReadOnlyList<string> JoinFiles { get; } = [folder + "/cgroup.procs"];

    public override long CpuMicros => Number(folder + "/cpu.stat", "usage_usec");

    public override long MemoryBytes => Number(folder + "/memory.current");

    public override long MemoryPeakBytes => Number(folder + "/memory.peak");

    public override long MemoryKills => Number(folder + "/memory.events", "oom_kill");

    public override long ForkRefusals => Number(folder + "/pids.events", "max");

    public override IReadOnlyList<int> Processes => Pids(folder + "/cgroup.procs");

    public override bool MustBeWatched => false;

    public override void Apply(SandboxLimits limits)
    {
        if (limits.MemoryBytes > 0)
        {
            Write(folder + "/memory.max", Invariant(limits.MemoryBytes));
            Write(folder + "/memory.swap.max", "0");
            Write(folder + "/memory.oom.group", "1");
        }

        if (limits.Processes > 0) Write(folder + "/pids.max", Invariant(limits.Processes));
        if (limits.CpuMillis > 0)
            Write(folder + "/cpu.max", $"{Invariant(Math.Max(1000, limits.CpuMillis * (long)PeriodMicros / 1000))} {PeriodMicros}");
    }

    public override void Watch(Reactor reactor, Action breached)
    {
        _memoryWatch = reactor.WatchPath(folder + "/memory.events", Libc.InModify, _ => breached());
        _pidsWatch = reactor.WatchPath(folder + "/pids.events", Libc.InModify, _ => breached());
    }

    public override void Unwatch(Reactor reactor)
    {
        reactor.ForgetPath(ref _memoryWatch);
        reactor.ForgetPath(ref _pidsWatch);
    }

    public override void Kill()
    {
        // Without cgroup.kill (before Linux 5.14) one by one; a fork in between is caught by the next round.
        if (File.Exists(folder + "/cgroup.kill")) Write(folder + "/cgroup.kill", "1");
        else KillAll(Processes);
    }

    public override bool Remove() => Libc.rmdir(folder) == 0 || !Directory.Exists(folder);

    public override string ToString() => folder;
}
