namespace Dure.Functions.Worker.Warm;

/// <summary>Node.js processes that wait, generic, for code in their still empty <c>/code</c>.</summary>
internal sealed class NodePool(SandboxHost host) : WarmPool(host)
{
    public const string Kind = "node";

    /// <summary>What runs in them.</summary>
    public static IReadOnlyList<string> Command { get; } = ["/usr/bin/node", "/dure/rt/node/shim.mjs"];

    protected override bool Serves(SandboxSpec spec) =>
        spec is { Mode: SandboxMode.Shim, Network: SandboxNetwork.None, Mounts.Count: 0, Gpus.Count: 0, CodeDirectory: not null }
        && CodeLinks.Fit(spec.CodeDirectory, spec.DepsDirectory);

    protected override Sandbox? Begin(SandboxLimits shape)
    {
        var parked = BwrapSandbox.Park(Host, Host.NextName("n"), generic: true);
        if (!parked.Ok) return null;
        Host.Own(parked.Value);
        parked.Value.Launch(Generic(Command, shape));
        return parked.Value;
    }

    /// <summary>The spec of a process that belongs to no version yet.</summary>
    internal static SandboxSpec Generic(IReadOnlyList<string> command, SandboxLimits shape, string? deps = null, IReadOnlyList<SandboxMount>? mounts = null) =>
        new(SandboxMode.Shim, null, command, null, deps, new Dictionary<string, string>(StringComparer.Ordinal) { ["LANG"] = "C.UTF-8" },
            mounts ?? [], SandboxNetwork.None, new SandboxLimits(0, 0, 0, shape.TmpBytes, shape.OpenFiles), []);
}
