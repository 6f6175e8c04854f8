namespace Dure.Functions.Worker.Warm;

/// <summary>Forks of a warmed Python interpreter, one interpreter for every dependencies folder.</summary>
internal sealed class PythonPool(SandboxHost host, string prewarm) : WarmPool(host)
{
    public const string Kind = "python:";
    private string? _deps;
    private string _preload = "";
    private Zygote? _zygote;
    private bool _known = prewarm.Length == Kind.Length;

    /// <summary>True when nobody asked for the pool to be kept: it was made for a start that named it.</summary>
    public bool Learnt { get; set; }

    /// <summary>When a start last asked for this pool, <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long UsedAt { get; private set; } = host.Options.Time.GetTimestamp();

    /// <summary>Tells the pool what it cannot know by itself: the dependencies of its key.</summary>
    public void Learn(string? deps, string? preload)
    {
        UsedAt = Host.Options.Time.GetTimestamp();
        if (_known || (deps is null && prewarm.Length > Kind.Length)) return;
        (_known, _deps, _preload) = (true, deps, preload ?? "");
        FillSoon(TimeSpan.FromMilliseconds(5));
    }

    private void OnZygote()
    {
        if (_zygote is { IsReady: true }) FillSoon(TimeSpan.Zero);
        else FillLater();
    }

    public override void End()
    {
        base.End();
        _zygote?.End();
    }

    protected override bool Serves(SandboxSpec spec) =>
        spec is { Mode: SandboxMode.Shim, Network: SandboxNetwork.None, Mounts.Count: 0, Gpus.Count: 0, CodeDirectory: not null }
        && string.Equals(spec.DepsDirectory, _deps, StringComparison.Ordinal) && CodeLinks.Fit(spec.CodeDirectory);

    /// <summary>
    /// Begins a fork for one start, in the shape that it asks for. It waits for an interpreter that is about to listen: after the
    /// loss of a worker many start at once, and a fork costs a twentieth of what each would cost by itself.
    /// </summary>
    /// <returns>Null when there is no interpreter or it cannot serve this start.</returns>
    public ForkedSandbox? Fork(SandboxSpec spec) =>
        _zygote is { Gone: false } zygote && Serves(spec) ? ForkedSandbox.Begin(Host, zygote, spec.Limits, patient: false) : null;

    protected override Sandbox? Begin(SandboxLimits shape)
    {
        if (!_known) return null;
        if (_zygote is null or { Gone: true })
        {
            _zygote = Zygote.Start(Host, _deps, _preload);
            if (_zygote is not null) _zygote.Changed = OnZygote;
        }

        return _zygote is { IsReady: true } zygote ? ForkedSandbox.Begin(Host, zygote, shape, patient: true) : null;
    }
}
