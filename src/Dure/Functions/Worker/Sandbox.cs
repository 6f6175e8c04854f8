using Dure.Functions.Worker.Cgroups;
using Dure.Functions.Worker.Native;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>How far a sandbox has come.</summary>
internal enum SandboxState
{
    /// <summary>A process that waits to become a sandbox.</summary>
    Parked,

    /// <summary>The sandbox is made and the program inside starts.</summary>
    Starting,

    /// <summary>The program can be talked to.</summary>
    Started,

    /// <summary>Nothing of it lives any more.</summary>
    Gone,
}

/// <summary>One sandbox from its first process to the last word about it. Belongs to the reactor's thread.</summary>
internal abstract class Sandbox
{
    private static readonly TimeSpan KillAgain = TimeSpan.FromMilliseconds(5);
    private Reactor.Alarm? _grace;
    private Reactor.Alarm? _again;
    private bool _watched;

    protected Sandbox(SandboxHost host, string name, string folder, ControlGroup? group)
    {
        (Host, Slot, Folder, Group) = (host, name, folder, group);
        Out = new OutputPipe(host.Reactor, host.Outbox, () => Slot, "out");
        Err = new OutputPipe(host.Reactor, host.Outbox, () => Slot, "err");
    }

    /// <summary>The name the server knows it by, or a name of our own before it was given out.</summary>
    public string Slot { get; private set; }

    public string Folder { get; private set; }

    public ControlGroup? Group { get; }

    public SandboxState State { get; protected set; }

    /// <summary>True once the server has asked for it by name.</summary>
    public bool GivenOut { get; private set; }

    /// <summary>True when it was pre-started and wants ASSIGN.</summary>
    public bool Generic { get; protected init; }

    public SandboxSpec? Spec { get; protected set; }

    /// <summary>Hears, before it is given out, that it can be talked to or is gone.</summary>
    public Action<Sandbox> Changed { get; set; } = _ => { };

    /// <summary>The end of what it wrote to its error output.</summary>
    public string LastWords => Err.Tail;

    protected SandboxHost Host { get; }

    protected OutputPipe Out { get; }

    protected OutputPipe Err { get; }

    /// <summary>Whether its end was asked for.</summary>
    public bool StopAsked { get; private set; }

    protected string? Breach { get; private set; }

    protected Problem? Fault { get; set; }

    /// <summary>Gives a waiting or pre-started sandbox the server's name.</summary>
    public Problem? GiveOut(string slot)
    {
        var target = Host.SlotPath(slot);
        GivenOut = true;
        Slot = slot;
        try
        {
            // What is mounted inside moves along: mounts follow the folder, not its path.
            Directory.Move(Folder, target);
        }
        catch (IOException e)
        {
            return WorkerErrors.SlotTaken.With(e.Message);
        }

        Folder = target;
        return null;
    }

    /// <summary>Sets the limits and looks out for breaches from now on.</summary>
    public void Limit(SandboxSpec spec)
    {
        Spec = spec;
        Group?.Apply(spec.Limits);
        if (_watched) return;
        _watched = true;
        Group?.Watch(Host.Reactor, CheckLimits);
    }

    /// <summary>Reads its output from now on.</summary>
    /// <param name="discard">Only the last words are kept.</param>
    public void Listen(bool discard = false)
    {
        Out.Listen(discard);
        Err.Listen(discard);
    }

    /// <summary>The server takes output again.</summary>
    public void Resume()
    {
        Out.Resume();
        Err.Resume();
        TryFinish();
    }

    /// <summary>TERM to every process inside, KILL after <paramref name="grace"/>.</summary>
    public void Stop(TimeSpan grace)
    {
        StopAsked = true;
        var inside = grace > TimeSpan.Zero ? Inside() : [];
        foreach (var pid in inside) _ = Libc.kill(pid, Libc.SigTerm);
        if (inside.Count == 0) Kill();
        else _grace ??= Host.Reactor.After(grace, Kill);
    }

    /// <summary>KILL to every process inside.</summary>
    public void Kill()
    {
        KillProcesses();
        Group?.Kill();
    }

    /// <summary>What it used; null without a control group.</summary>
    public SlotUsage? Usage() =>
        Group is null ? null : new SlotUsage(Slot, Group.CpuMicros, Group.MemoryBytes, Group.MemoryPeakBytes);

    /// <summary>Ends it because it cannot be what was asked for.</summary>
    public void Fail(Problem problem)
    {
        Fault ??= problem;
        Kill();
        TryFinish();
    }

    /// <summary>Ends it when it went over a limit.</summary>
    public void CheckLimits()
    {
        if (Breach is not null || Group is null || Spec is null || !_watched) return;
        if (Group.MemoryKills > 0) Breach = "memory";
        else if (Group.ForkRefusals > 0) Breach = "processes";
        else return;
        Kill();
    }

    /// <summary>Says the last word once nothing of it lives and the server has taken all output.</summary>
    protected void TryFinish()
    {
        if (State == SandboxState.Gone || !ProcessesGone()) return;
        if (Group is { Processes.Count: > 0 })
        {
            Group.Kill();
            _again?.Cancel();
            _again = Host.Reactor.After(KillAgain, TryFinish);
            return;
        }

        CheckLimits();
        if (GivenOut ? !(Out.Drain() & Err.Drain()) : !Err.DrainQuietly()) return;
        Out.Finish(GivenOut);
        Err.Finish(GivenOut);
        Host.Outbox.SayDropped(Slot, Host.Reactor.Now);
        var last = LastMessage();
        State = SandboxState.Gone;
        Discard();
        Host.OnGone(this, last);
    }

    /// <summary>It can be talked to.</summary>
    protected void Started()
    {
        if (State != SandboxState.Starting) return;
        State = SandboxState.Started;
        Host.OnStarted(this);
        if (!GivenOut) Changed(this);
    }

    protected void OpenOutputs()
    {
        Out.Open(Folder + "/io/raw.out");
        Err.Open(Folder + "/io/raw.err");
    }

    /// <summary>Lets go of everything that is held for it.</summary>
    protected virtual void Discard()
    {
        _grace?.Cancel();
        _again?.Cancel();
        Group?.Unwatch(Host.Reactor);
        Out.Finish(say: false);
        Err.Finish(say: false);
        RemoveGroup();
    }

    /// <summary>Sends KILL so that everything ends.</summary>
    protected abstract void KillProcesses();

    /// <summary>Whether all processes are known to be gone; brings it about when the main one is.</summary>
    protected abstract bool ProcessesGone();

    /// <summary>The processes that run the code, for TERM.</summary>
    protected abstract List<int> Inside();

    /// <summary>The message about its end.</summary>
    protected abstract FromWorker LastMessage();

    private void RemoveGroup()
    {
        if (Group is not null && !Group.Remove()) Host.Reactor.After(KillAgain, RemoveGroup);
    }
}
