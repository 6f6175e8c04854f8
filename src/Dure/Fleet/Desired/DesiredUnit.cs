namespace Dure.Fleet.Desired;

/// <summary>What a unit of systemd should be.</summary>
internal enum UnitState
{
    /// <summary>Enabled and active.</summary>
    Running,

    /// <summary>Enabled; whether it is active is left to what it waits for (sockets, timers, one-shot units).</summary>
    Enabled,

    /// <summary>Disabled and not active.</summary>
    Stopped,

    /// <summary>Cannot be started at all.</summary>
    Masked,
}

/// <summary>A unit of systemd that a machine should have. Units are seen to in the order in which the roles name them.</summary>
/// <param name="Name">With its suffix: <c>haproxy.service</c>.</param>
internal sealed record DesiredUnit(string Name, UnitState State, string Role)
{
    /// <summary>Paths of desired files: when one differs from what the unit was started with, it is restarted.</summary>
    public IReadOnlyList<string> RestartOn { get; init; } = [];

    /// <summary>Paths of desired files: when one differs from what the unit last read, it is reloaded (and restarted when that fails).</summary>
    public IReadOnlyList<string> ReloadOn { get; init; } = [];

    /// <summary>A shell command that must exit with 0 before it is started, tried again every half second; empty for none.</summary>
    public string WaitFor { get; init; } = "";

    /// <summary>Longest wait for <see cref="WaitFor"/> and for the start itself.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>A shell command instead of <c>systemctl start</c>, for the first start of what has to be bootstrapped; empty for none. It must leave the unit running.</summary>
    public string Start { get; init; } = "";
}

/// <summary>A user for a service. Users of packages are made by the packages.</summary>
internal sealed record DesiredUser(string Name, int? Uid, string Home, string Shell, IReadOnlyList<string> Groups, string Role);

/// <summary>Something that is done once and leaves no file: a database made, a password set. It is a shell script (<c>sh</c>, <c>set -eu</c>).</summary>
/// <param name="Name">A sentence: what is true afterwards.</param>
/// <param name="Done">A shell command that exits with 0 when it is already so. It runs on every plan, so it must be quick and change nothing.</param>
/// <param name="Do">What makes it so. Must be safe to run again.</param>
/// <param name="Secret">The scripts hold a secret and are not shown.</param>
internal sealed record DesiredStep(string Name, string Done, string Do, string Role, bool Secret = false)
{
    /// <summary>Longest time for it.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>How a machine shows that a role works there. A shell command, run on the machine, that exits with 0 when it does and prints why when it does not.</summary>
/// <param name="Limit">How long it may take until it does, after a change.</param>
internal sealed record HealthCheck(string Name, string Command, TimeSpan Limit, string Role);
