namespace Dure.Functions.Worker.Warm;

/// <summary>Processes that wait, generic, for code in their still empty <c>/code</c>: a started Node.js, or <c>dure-init</c> for plain programs.</summary>
internal sealed class GenericPool(SandboxHost host, SandboxMode mode, IReadOnlyList<string> command) : WarmPool(host)
{
    public const string Node = "node";
    public const string Plain = "plain";

    /// <summary>The pool of a kind; null when there is no such kind.</summary>
    public static GenericPool? Of(SandboxHost host, string kind) => kind switch
    {
        Node => new GenericPool(host, SandboxMode.Shim, ["/usr/bin/node", "/dure/rt/node/shim.mjs"]),
        Plain => new GenericPool(host, SandboxMode.Plain, []),
        _ => null,
    };

    protected override bool Serves(SandboxSpec spec) =>
        spec is { Network: SandboxNetwork.None, Mounts.Count: 0, Gpus.Count: 0, CodeDirectory: not null }
        && spec.Mode == mode && CodeLinks.Fit(spec.CodeDirectory, spec.DepsDirectory);

    protected override Sandbox? Begin(SandboxLimits shape)
    {
        var parked = BwrapSandbox.Park(Host, Host.NextName("n"), generic: true);
        if (!parked.Ok) return null;
        Host.Own(parked.Value);
        parked.Value.Launch(Spec(mode, command, shape));
        return parked.Value;
    }

    /// <summary>The spec of a process that belongs to no version yet.</summary>
    internal static SandboxSpec Spec(SandboxMode mode, IReadOnlyList<string> command, SandboxLimits shape, string? deps = null, IReadOnlyList<SandboxMount>? mounts = null) =>
        new(mode, null, command, null, deps, new Dictionary<string, string>(StringComparer.Ordinal) { ["LANG"] = "C.UTF-8" },
            mounts ?? [], SandboxNetwork.None, new SandboxLimits(0, 0, 0, shape.TmpBytes, shape.OpenFiles), []);
}
