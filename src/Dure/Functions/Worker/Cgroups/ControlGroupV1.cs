using System.Text;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Cgroups;

/// <summary>A control group in the hierarchies of version 1, each controller with a folder of its own.</summary>
internal sealed class ControlGroupV1 : ControlGroup
{
    private const int PeriodMicros = 100_000;
    private readonly string? _memory;
    private readonly string? _pids;
    private readonly string? _cpu;
    private readonly string? _cpuUse;
    private readonly string[] _folders;
    private int _oomEvent = -1;
    private int _oomFile = -1;
    private int _pidsWatch = -1;

    /// <param name="folders">Folder of this group for each controller (<c>memory</c>, <c>pids</c>, <c>cpu</c>, <c>cpuacct</c>); they exist.</param>
    public ControlGroupV1(IReadOnlyDictionary<string, string> folders)
    {
        _memory = folders.GetValueOrDefault("memory");
        _pids = folders.GetValueOrDefault("pids");
        _cpu = folders.GetValueOrDefault("cpu");
        _cpuUse = folders.GetValueOrDefault("cpuacct");
        _folders = [.. folders.Values.Distinct(StringComparer.Ordinal)];
        JoinFiles = [.. _folders.Select(folder => folder + "/cgroup.procs")];
    }

    public override IReadOnlyList<string> JoinFiles { get; }

    public override long CpuMicros => _cpuUse is null ? 0 : Number(_cpuUse + "/cpuacct.usage") / 1000;

    public override long MemoryBytes => _memory is null ? 0 : Number(_memory + "/memory.usage_in_bytes");

    public override long MemoryPeakBytes => _memory is null ? 0 : Number(_memory + "/memory.max_usage_in_bytes");

    public override long MemoryKills => _memory is null ? 0 : Number(_memory + "/memory.oom_control", "oom_kill");

    public override long ForkRefusals => _pids is null ? 0 : Number(_pids + "/pids.events", "max");

    public override IReadOnlyList<int> Processes => Pids(JoinFiles[0]);

    /// <summary>Refused forks are counted in silence, and the memory event comes before the count.</summary>
    public override bool MustBeWatched => true;

    public override void Apply(SandboxLimits limits)
    {
        if (_memory is not null && limits.MemoryBytes > 0)
        {
            Write(_memory + "/memory.limit_in_bytes", Invariant(limits.MemoryBytes));
            Write(_memory + "/memory.memsw.limit_in_bytes", Invariant(limits.MemoryBytes));
        }

        if (_pids is not null && limits.Processes > 0) Write(_pids + "/pids.max", Invariant(limits.Processes));
        if (_cpu is null || limits.CpuMillis <= 0) return;
        Write(_cpu + "/cpu.cfs_period_us", Invariant(PeriodMicros));
        Write(_cpu + "/cpu.cfs_quota_us", Invariant(Math.Max(1000, limits.CpuMillis * (long)PeriodMicros / 1000)));
    }

    public override unsafe void Watch(Reactor reactor, Action breached)
    {
        if (_memory is not null)
        {
            _oomEvent = Libc.eventfd(0, Libc.CloseOnExec | Libc.NonBlocking);
            _oomFile = Libc.open(_memory + "/memory.oom_control", Libc.ReadOnly | Libc.CloseOnExec, 0);
            Write(_memory + "/cgroup.event_control", $"{_oomEvent} {_oomFile}");
            reactor.Watch(_oomEvent, Libc.EpollIn, events =>
            {
                long count;
                _ = Libc.read(_oomEvent, (byte*)&count, 8);
                breached();
            });
        }

        if (_pids is not null) _pidsWatch = reactor.WatchPath(_pids + "/pids.events", Libc.InModify, _ => breached());
    }

    public override void Unwatch(Reactor reactor)
    {
        reactor.ForgetPath(ref _pidsWatch);
        reactor.Close(ref _oomEvent);
        reactor.Close(ref _oomFile);
    }

    public override void Kill() => KillAll(Processes);

    public override bool Remove()
    {
        var gone = true;
        foreach (var folder in _folders)
            if (Libc.rmdir(folder) != 0 && Directory.Exists(folder)) gone = false;
        return gone;
    }

    public override string ToString() => new StringBuilder().AppendJoin(' ', _folders).ToString();
}
