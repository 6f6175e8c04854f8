namespace Dure.Functions.Worker.Warm;

/// <summary>Pre-started processes of one kind, kept so that a start needs no more than handing one over. Belongs to the reactor's thread.</summary>
internal abstract class WarmPool(SandboxHost host)
{
    private const int MisfitsMost = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private readonly List<Sandbox> _waiting = [];
    private TimeSpan _pause = FirstPause;
    private Reactor.Alarm? _next;
    private SandboxLimits _shape = SandboxLimits.Default;
    private int _misfits;

    /// <summary>From taking one to making the next: the start that took it is answered first, with all processors.</summary>
    public static TimeSpan RefillPause { get; } = TimeSpan.FromMilliseconds(40);

    /// <summary>How many to keep.</summary>
    public int Size { get; private set; }

    /// <summary>How many can be handed over now.</summary>
    public int Ready => _waiting.Count(s => s.State == SandboxState.Started);

    protected SandboxHost Host { get; } = host;

    /// <summary>Keeps so many from now on.</summary>
    /// <param name="delay">Before the first is made.</param>
    public void Resize(int size, TimeSpan delay)
    {
        Size = Math.Clamp(size, 0, 64);
        while (_waiting.Count > Size) Drop(_waiting[^1]);
        FillSoon(delay);
    }

    /// <summary>Takes one that is ready and serves this spec.</summary>
    /// <returns>Null when none does.</returns>
    public Sandbox? Take(SandboxSpec spec)
    {
        if (!Serves(spec)) return null;
        if (_shape.TmpBytes != spec.Limits.TmpBytes || _shape.OpenFiles != spec.Limits.OpenFiles)
        {
            // Neither can be changed once the process runs. When others are asked for again and again, remake them.
            if (++_misfits < MisfitsMost) return null;
            _shape = spec.Limits;
            foreach (var other in _waiting.ToArray()) Drop(other);
            FillSoon(RefillPause);
            return null;
        }

        // One that is still starting has its folder's name in use and cannot be renamed.
        _misfits = 0;
        var taken = _waiting.Find(s => s.State == SandboxState.Started);
        if (taken is not null) _waiting.Remove(taken);
        FillSoon(RefillPause);
        return taken;
    }

    /// <summary>Ends the pool.</summary>
    public virtual void End()
    {
        _next?.Cancel();
        foreach (var sandbox in _waiting.ToArray()) Drop(sandbox);
    }

    /// <summary>Whether a process of this pool could serve the spec at all.</summary>
    protected abstract bool Serves(SandboxSpec spec);

    /// <summary>Begins one more.</summary>
    /// <param name="shape">Its /tmp size and number of open files.</param>
    /// <returns>Null when that is not possible at present.</returns>
    protected abstract Sandbox? Begin(SandboxLimits shape);

    /// <summary>Fills up, a moment later so that those who wait come first.</summary>
    protected void FillSoon(TimeSpan delay)
    {
        if (_next is { Cancelled: false } || _waiting.Count >= Size || Host.Ending) return;
        _next = Host.Reactor.After(delay, () =>
        {
            if (_waiting.Count >= Size || Begin(_shape) is not { } begun) return;
            begun.Changed = OnChanged;
            _waiting.Add(begun);
            FillSoon(TimeSpan.FromMilliseconds(1));
        });
    }

    private void OnChanged(Sandbox sandbox)
    {
        if (sandbox.State == SandboxState.Started)
        {
            _pause = FirstPause;
            return;
        }

        if (!_waiting.Remove(sandbox)) return;
        // It died by itself: do not make the next one at once, or a broken interpreter would keep the machine busy.
        FillLater();
    }

    /// <summary>Fills up after a pause that doubles every time.</summary>
    protected void FillLater()
    {
        FillSoon(_pause);
        _pause = TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, LongestPause.Ticks));
    }

    private void Drop(Sandbox sandbox)
    {
        _waiting.Remove(sandbox);
        sandbox.Stop(TimeSpan.Zero);
    }
}
