using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>One role that machines can have, as data: what it is for, what can be set, what it opens, needs and survives, and how a machine gets it.</summary>
/// <param name="Name">As in the file: <c>slurm-controller</c>.</param>
/// <param name="Purpose">One sentence.</param>
/// <param name="Build">Adds to the desired state of one machine. Pure: the same fleet gives the same state.</param>
internal sealed record RoleKind(string Name, string Purpose, Action<RoleScope> Build)
{
    /// <summary>Whether every machine of a fleet has it without being told; such a role is not named in the file.</summary>
    public Func<FleetModel, bool>? Everywhere { get; init; }

    /// <summary>What <c>roles: NAME:</c> may hold. Keys are <c>NAME.setting</c>.</summary>
    public IReadOnlyList<Setting> Settings { get; init; } = [];

    /// <summary>Names of the secrets that it uses in this fleet, with how each is made.</summary>
    public Func<FleetModel, IEnumerable<SecretNeed>> Secrets { get; init; } = static _ => [];

    /// <summary>What listens on a machine with it.</summary>
    public Func<FleetModel, IEnumerable<Port>> Ports { get; init; } = static _ => [];

    /// <summary>What clients get from it, and when that works.</summary>
    public Func<FleetModel, IEnumerable<Service>> Services { get; init; } = static _ => [];

    /// <summary>Roles that must be somewhere in the fleet for it to work.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Roles that must be on the same machine.</summary>
    public IReadOnlyList<string> NeedsHere { get; init; } = [];

    /// <summary>Roles that come with it, so that the file need not name them: a machine with it gets theirs too, and what they include.</summary>
    public IReadOnlyList<string> Includes { get; init; } = [];

    /// <summary>What it asks of a machine.</summary>
    public Func<FleetModel, Demand> Demand { get; init; } = static _ => new(0, 0, 0);

    /// <summary>Folders with data that stay when the role goes.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>Faults that only this role's own knowledge finds: quorum sizes, settings that do not go together, placements.</summary>
    public Func<FleetModel, IEnumerable<Finding>> Check { get; init; } = static _ => [];

    /// <summary>A restart of it is noticed when all do it at once: machines with it are changed one after another, each healthy before the next.</summary>
    public bool Rolling { get; init; }

    /// <summary>A shell command that exits with 0 on the machine that leads (holds the VIP, is primary), so that it is changed last; empty when none leads.</summary>
    public string Leads { get; init; } = "";

    /// <summary>
    /// A shell command that runs on a machine which is to lose the role, before anything changes on any machine of the fleet: it brings what runs there to an end.
    /// Not 0 stops the removal. Empty for none.
    /// </summary>
    public string Leave { get; init; } = "";
}

/// <summary>Who may reach a port.</summary>
internal enum Reach
{
    /// <summary>Anyone, from any network.</summary>
    World,

    /// <summary>Machines of the fleet.</summary>
    Fleet,

    /// <summary>Machines with one of <see cref="Port.From"/>.</summary>
    Roles,

    /// <summary>The management network, or the fleet where there is none.</summary>
    Management,

    /// <summary>The machine itself; nothing is opened.</summary>
    Loopback,
}

/// <summary>A port that a role listens on.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c>, or an IP protocol such as <c>vrrp</c> (number 0).</param>
/// <param name="What">In a word or two: <c>PostgreSQL</c>.</param>
internal sealed record Port(int Number, string Protocol, string What, Reach Reach)
{
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>The last of a range that begins with <see cref="Number"/>; 0 when it is one port.</summary>
    public int Through { get; init; }

    /// <summary>It is bound on the virtual address too.</summary>
    public bool OnVip { get; init; }

    /// <summary>It is bound on the virtual address only: another role of the machine may have the number on the machine's own addresses.</summary>
    public bool OnlyVip { get; init; }
}

/// <summary>What a role asks of its machine. Memory and disk in bytes.</summary>
internal sealed record Demand(double Cores, long Memory, long Disk);

/// <summary>A secret that a role uses.</summary>
/// <param name="Name">Its file's name in the folder of secrets: letters, digits, <c>.</c>, <c>_</c>, <c>-</c>.</param>
/// <param name="Purpose">One sentence.</param>
/// <param name="Kind">How <c>dure init</c> makes it.</param>
internal sealed record SecretNeed(string Name, string Purpose, SecretKind Kind);

/// <summary>How a secret is made.</summary>
internal enum SecretKind
{
    /// <summary>32 random letters and digits.</summary>
    Password,

    /// <summary>8 random letters and digits: what VRRP takes.</summary>
    ShortPassword,

    /// <summary>1024 random bytes as base64.</summary>
    Key,

    /// <summary>Something that only people have: a webhook's address. It is asked for, and may be absent.</summary>
    Given,
}

/// <summary>Something that clients get from the fleet.</summary>
/// <param name="Name">In the words of people: <c>PostgreSQL</c>, <c>Slurm accounting</c>.</param>
/// <param name="Tier">The tier of its objective.</param>
/// <param name="Works">When it works.</param>
internal sealed record Service(string Name, string Tier, Condition Works)
{
    /// <summary>A sentence for when losing it is expected or cached: what happens meanwhile. Empty otherwise.</summary>
    public string Note { get; init; } = "";
}

/// <summary>When a service works, said about the machines with roles.</summary>
internal abstract record Condition
{
    /// <summary>At least one machine with the role lives.</summary>
    internal sealed record AnyOf(string Role) : Condition;

    /// <summary>More than half of the machines with the role live.</summary>
    internal sealed record MajorityOf(string Role) : Condition;

    /// <summary>All of these hold.</summary>
    internal sealed record Both(params IReadOnlyList<Condition> Of) : Condition;

    /// <summary>Another service works, by its name.</summary>
    internal sealed record Needs(string Service) : Condition;
}

/// <summary>How much a finding matters.</summary>
internal enum Severity
{
    /// <summary>Worth knowing.</summary>
    Note,

    /// <summary>It works, until something happens.</summary>
    Warning,

    /// <summary>It does not work, or loses what it acknowledged. Nothing is applied.</summary>
    Error,
}

/// <summary>One thing that <c>dure check</c> found.</summary>
/// <param name="Rule">Stable id: <c>quorum-even</c>, <c>vrrp-weight</c>. Every rule has its line in docs/reference/fleet-checks.md.</param>
/// <param name="Where">Where the file can be changed.</param>
/// <param name="What">What is wrong, with names and figures.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record Finding(string Rule, Severity Severity, Place Where, string What, string Remedy);
