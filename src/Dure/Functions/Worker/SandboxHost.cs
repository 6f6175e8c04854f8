using System.Globalization;
using Dure.Functions.Worker.Cgroups;
using Dure.Functions.Worker.RuntimeApi;
using Dure.Functions.Worker.Warm;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>What was found out about this machine before the first sandbox.</summary>
/// <param name="Runtimes">Host folder shown at <c>/dure/rt</c>.</param>
/// <param name="OwnPrefix">How the names of all folders and groups begin that this process makes for its sandboxes.</param>
internal sealed record SandboxGround(
    WorkerOptions Options, int Uid, string RunFolder, string OwnPrefix, string Runtimes, string Bubblewrap, SystemView System, CgroupTree Groups, GpuInventory Gpus);

/// <summary>All sandboxes of this worker. Belongs to the reactor's thread.</summary>
internal sealed partial class SandboxHost
{
    private const int LearntPoolsMost = 16;
    private static readonly TimeSpan LearntPoolLife = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan PoolPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FirstKept = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LimitsEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan UsageEvery = TimeSpan.FromSeconds(1);
    private readonly SandboxGround _ground;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private RuntimeApiServer? _runtimeApi;
    private readonly Dictionary<string, Sandbox> _given = new(StringComparer.Ordinal);
    private readonly HashSet<Sandbox> _own = [];
    private readonly Queue<BwrapSandbox> _parked = new();
    private readonly Dictionary<string, WarmPool> _pools = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SlotUsage> _lastUsage = new(StringComparer.Ordinal);
    private readonly string _parent = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
    private int _number;
    private bool _refilling;

    public SandboxHost(SandboxGround ground, Reactor reactor, Outbox outbox, ILoggerFactory loggers)
    {
        (_ground, Reactor, Outbox, _loggers) = (ground, reactor, outbox, loggers);
        _log = loggers.CreateLogger("sandboxes");
        outbox.Drained = () =>
        {
            foreach (var sandbox in _given.Values.ToArray()) sandbox.Resume();
        };
    }

    public Reactor Reactor { get; }

    public Outbox Outbox { get; }

    public WorkerOptions Options => _ground.Options;

    public CgroupTree Groups => _ground.Groups;

    public GpuInventory Gpus => _ground.Gpus;

    public SystemView System => _ground.System;

    public string Runtimes => _ground.Runtimes;

    public string Bubblewrap => _ground.Bubblewrap;

    public string SpawnProgram => _ground.Runtimes + "/dure-spawn";

    public int Uid => _ground.Uid;

    /// <summary>Whether the worker is on its way out.</summary>
    public bool Ending { get; private set; }

    /// <summary>Raised when the last sandbox of all is gone.</summary>
    public Action Emptied { get; set; } = () => { };

    /// <summary>Sandboxes that the server asked for and that live.</summary>
    public IReadOnlyList<LiveSlot> Live =>
        [.. _given.Select(s => new LiveSlot(s.Key, s.Value.Generic, s.Value.GivenOut && s.Value.State == SandboxState.Started))];

    /// <summary>Host folder of a slot.</summary>
    public string SlotPath(string name) => $"{_ground.RunFolder}/s/{name}";

    /// <summary>Begins to keep processes parked, with the interpreter that forks Python, and to report use.</summary>
    public void Begin()
    {
        foreach (var pool in Options.Keep.Where(pool => Pool(pool.Prewarm) is PythonPool)) Keep(pool, TimeSpan.Zero);
        Refill();
        Reactor.After(UsageEvery, ReportUsage);
        Reactor.After(LimitsEvery, CheckLimits);
    }

    /// <summary>Begins to fill the other pools; they make room for work that was lost with the last worker.</summary>
    public void Fill()
    {
        foreach (var pool in Options.Keep.Where(pool => Pool(pool.Prewarm) is not PythonPool)) Keep(pool, FirstKept);
    }

    /// <summary>Starts a sandbox, or hands over a pre-started one.</summary>
    public void Start(StartSandbox request)
    {
        var spec = request.Spec;
        var problem = SlotFolder.IsName(request.Slot) ? null : WorkerErrors.BadSlot.With($"\"{request.Slot}\"");
        problem ??= _given.ContainsKey(request.Slot) ? WorkerErrors.SlotTaken.With($"{request.Slot} is running") : null;
        problem ??= Ending ? WorkerErrors.NotStarted.With("the worker is ending") : null;
        problem ??= BwrapArguments.Check(spec!) ?? Gpus.Check(spec!.Gpus);
        if (spec?.Network == SandboxNetwork.Egress && !File.Exists(EgressNetwork.Program)) problem ??= WorkerErrors.NoSlirp.With(EgressNetwork.Program + " does not exist");
        problem ??= HandOver(request) ? null : Launch(request);
        if (problem is not null) Outbox.Add(new SandboxStartFailed(request.Slot, problem.Kind.Id, problem.Detail));
    }

    /// <summary>Ends a sandbox; unknown slots are gone already.</summary>
    public void Stop(StopSandbox request)
    {
        if (_given.TryGetValue(request.Slot, out var sandbox)) sandbox.Stop(TimeSpan.FromMilliseconds(Math.Max(0, request.GraceMs)));
    }

    /// <summary>Ends all of them; <see cref="Emptied"/> follows.</summary>
    public void End(TimeSpan grace)
    {
        Ending = true;
        foreach (var pool in _pools.Values) pool.End();
        foreach (var sandbox in _own.ToArray()) sandbox.Stop(sandbox.GivenOut ? grace : TimeSpan.Zero);
        if (_own.Count == 0) Emptied();
    }

    /// <summary>Options that every process we start needs.</summary>
    public List<string> SpawnOptions(ControlGroup? group)
    {
        const long LargestFile = 64L << 30;
        var uid = Uid.ToString(CultureInfo.InvariantCulture);
        var list = new List<string>();
        foreach (var file in group?.JoinFiles ?? []) list.AddRange(["--cgroup", file]);
        if (Options.Niceness is { } niceness) list.AddRange(["--nice", niceness.ToString(CultureInfo.InvariantCulture)]);
        list.AddRange(["--oom", "500", "--fsize", LargestFile.ToString(CultureInfo.InvariantCulture), "--uid", uid, "--gid", uid, "--parent", _parent]);
        return list;
    }

    /// <summary>A sandbox is ready for the server.</summary>
    public void OnStarted(Sandbox sandbox)
    {
        if (sandbox.GivenOut) Outbox.Add(new SandboxStarted(sandbox.Slot, sandbox.Generic));
    }

    /// <summary>Nothing of a sandbox lives any more.</summary>
    public void OnGone(Sandbox sandbox, FromWorker last)
    {
        _own.Remove(sandbox);
        if (sandbox.GivenOut)
        {
            if (_given.GetValueOrDefault(sandbox.Slot) == sandbox) _given.Remove(sandbox.Slot);
            _lastUsage.Remove(sandbox.Slot);
            Outbox.Add(last);
        }
        else
        {
            if (!sandbox.StopAsked) Unused(_log, sandbox.Slot, last.ToString());
            sandbox.Changed(sandbox);
        }

        if (Path.GetFileName(sandbox.Folder).StartsWith('_')) _ = SlotFolder.RemoveAsync(sandbox.Folder, CancellationToken.None);
        if (Ending && _own.Count == 0) Emptied();
    }

    /// <summary>Serves the Lambda Runtime API to a sandbox that is about to start.</summary>
    public RuntimeApiSandbox ServeRuntimeApi(string folder, RuntimeFunction function)
    {
        _runtimeApi ??= new RuntimeApiServer(_loggers, CancellationToken.None);
        var sandbox = new RuntimeApiSandbox(folder, function, Options.Time, _log);
        _ = sandbox.RunAsync(_runtimeApi);
        return sandbox;
    }

    /// <summary>A name of our own for a sandbox that the server has not asked for; no worker that is gone had it, whose folders and groups may still lie about.</summary>
    public string NextName(string kind) => string.Create(CultureInfo.InvariantCulture, $"{_ground.OwnPrefix}{kind}{++_number}");

    /// <summary>Makes a sandbox one that ends with the worker.</summary>
    public void Own(Sandbox sandbox) => _own.Add(sandbox);

    /// <summary>Host folder in which a zygote finds the slots of its forks.</summary>
    public string ZygotePath(string name) => $"{_ground.RunFolder}/z/{Options.Id}/{name}/slots";

    /// <summary>Keeps so many pre-started processes of a kind from now on.</summary>
    public void Keep(KeepPool request) => Keep(request, PoolPause);

    private void Keep(KeepPool request, TimeSpan delay)
    {
        if (Pool(request.Prewarm) is not { } pool) return;
        if (pool is PythonPool python)
        {
            python.Learn(request.DepsDirectory, null);
            python.Learnt = false;
        }

        pool.Resize(request.Size, delay);
    }

    private WarmPool? Pool(string prewarm)
    {
        if (_pools.TryGetValue(prewarm, out var known)) return known;
        WarmPool? pool = prewarm.StartsWith(PythonPool.Kind, StringComparison.Ordinal) ? new PythonPool(this, prewarm)
            : GenericPool.Of(this, prewarm);
        if (pool is not null) _pools[prewarm] = pool;
        return pool;
    }

    /// <summary>Gives a pre-started process to who asked.</summary>
    /// <returns>False when there is none that serves.</returns>
    private bool HandOver(StartSandbox request)
    {
        var spec = request.Spec;
        if (spec.Prewarm is null || Pool(spec.Prewarm) is not { } pool) return false;
        if (pool is PythonPool python) Teach(python, spec);
        if (pool.Take(spec) is { } ready) return GiveTo(ready, request, pool is GenericPool);
        if ((pool as PythonPool)?.Fork(spec) is not { } fork) return false;
        _given[request.Slot] = fork;
        fork.Changed = _ => OnForkFor(fork, request);
        return true;
    }

    /// <summary>A fork that was begun for one start is ready, or came to nothing.</summary>
    private void OnForkFor(Sandbox fork, StartSandbox request)
    {
        var asked = fork.StopAsked;
        if (fork.State == SandboxState.Started && GiveTo(fork, request, withDeps: false)) return;
        _given.Remove(request.Slot);
        if (asked)
            Outbox.Add(new SandboxExited(request.Slot, 128 + Native.Libc.SigKill, Native.Libc.SigKill, "stopped", "stopped on request", 0, 0));
        else if (Launch(request) is { } problem)
            Outbox.Add(new SandboxStartFailed(request.Slot, problem.Kind.Id, problem.Detail));
    }

    /// <returns>False when the code could not be put into it; it is then ended.</returns>
    private bool GiveTo(Sandbox sandbox, StartSandbox request, bool withDeps)
    {
        var spec = request.Spec;
        try
        {
            CodeLinks.Make(spec.CodeDirectory!, sandbox.Folder + "/code");
            if (withDeps && spec.DepsDirectory is not null) CodeLinks.Make(spec.DepsDirectory, sandbox.Folder + "/deps");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            sandbox.Changed = _ => { };
            sandbox.Stop(TimeSpan.Zero);
            return false;
        }

        _given[request.Slot] = sandbox;
        if (sandbox.GiveOut(request.Slot) is { } clash)
        {
            sandbox.Fail(clash);
            return true;
        }

        // Limits first: who is told assigns the code at once.
        sandbox.Limit(spec);
        OnStarted(sandbox);
        sandbox.Listen();
        return true;
    }

    /// <summary>A pool nobody asked to be kept is kept at one while it is used; the longest unused makes room.</summary>
    private void Teach(PythonPool pool, SandboxSpec spec)
    {
        pool.Learn(spec.DepsDirectory, spec.Environment.GetValueOrDefault("DURE_PRELOAD"));
        if (pool.Size > 0) return;
        pool.Learnt = true;
        pool.Resize(1, PoolPause);
        while (_pools.Count(p => p.Value is PythonPool { Learnt: true }) > LearntPoolsMost)
            Forget(_pools.Where(p => p.Value is PythonPool { Learnt: true }).MinBy(p => ((PythonPool)p.Value).UsedAt).Key);
    }

    private void Forget(string prewarm)
    {
        if (_pools.Remove(prewarm, out var pool)) pool.End();
    }

    private void ForgetUnusedPools()
    {
        foreach (var (prewarm, pool) in _pools.ToArray())
            if (pool is PythonPool { Learnt: true } learnt && Options.Time.GetElapsedTime(learnt.UsedAt) > LearntPoolLife) Forget(prewarm);
    }

    private Problem? Launch(StartSandbox request)
    {
        var taken = Take();
        if (!taken.Ok) return taken.Problem;
        var sandbox = taken.Value;
        _given[request.Slot] = sandbox;
        if (sandbox.GiveOut(request.Slot) is { } clash)
        {
            sandbox.Fail(clash);
            return null;
        }

        sandbox.Limit(request.Spec);
        sandbox.Launch(request.Spec);
        sandbox.Listen();
        Refill();
        return null;
    }

    private Outcome<BwrapSandbox> Take()
    {
        while (_parked.TryDequeue(out var sandbox))
            if (sandbox.State == SandboxState.Parked) return sandbox;
        return Park();
    }

    private Outcome<BwrapSandbox> Park()
    {
        var parked = BwrapSandbox.Park(this, NextName("p"));
        if (parked.Ok) Own(parked.Value);
        return parked;
    }

    /// <summary>Parks processes again, a moment later so that those who wait come first.</summary>
    private void Refill()
    {
        if (_refilling || Ending || _parked.Count >= Options.Parked) return;
        _refilling = true;
        Reactor.After(WarmPool.RefillPause, () =>
        {
            _refilling = false;
            if (Ending || _parked.Count >= Options.Parked || Park() is not { Ok: true } parked) return;
            _parked.Enqueue(parked.Value);
            Refill();
        });
    }

    private void ReportUsage()
    {
        var changed = new List<SlotUsage>();
        ForgetUnusedPools();
        foreach (var sandbox in _given.Values.Where(s => s.GivenOut))
        {
            if (sandbox.Usage() is not { } usage || usage == _lastUsage.GetValueOrDefault(sandbox.Slot)) continue;
            _lastUsage[sandbox.Slot] = usage;
            changed.Add(usage);
        }

        // Also when nothing changed: who sleeps uses what he used, and that is a sample as well.
        if (_given.Count > 0) Outbox.Add(new SandboxUsage(changed, Reactor.Now));
        Reactor.After(UsageEvery, ReportUsage);
    }

    private void CheckLimits()
    {
        foreach (var sandbox in _given.Values.Where(s => s.Group is { MustBeWatched: true }).ToArray()) sandbox.CheckLimits();
        Reactor.After(LimitsEvery, CheckLimits);
    }

    [LoggerMessage(1, LogLevel.Warning, "{Slot} ended by itself before it was given out: {Last}")]
    private static partial void Unused(ILogger log, string slot, string? last);
}
