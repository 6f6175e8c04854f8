using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Slurm;
using Dure.Fleet.Roles.Web;
using Dure.Host.Ssh;

namespace Dure.Fleet.Drill;

/// <summary>One tier as drills see it.</summary>
/// <param name="Name">As in <c>objectives:</c>.</param>
/// <param name="Role">The role that its machines have; empty for the whole fleet.</param>
/// <param name="Process">A shell command that prints the id of its main process.</param>
internal sealed record DrillTier(string Name, string Role, string Process, TimeSpan Recovery, TimeSpan ProcessRecovery)
{
    /// <summary>What a reader of the report should know of it; empty for nothing.</summary>
    public string Note { get; init; } = "";

    /// <summary>What happens to acknowledged writes is not promised yet: losses are told and not judged.</summary>
    public bool LedgerLater { get; init; }

    /// <summary>It is never the only one to hold something: losses are told and not judged.</summary>
    public bool Cache { get; init; }

    /// <summary>One of its machines leads; otherwise all serve alike.</summary>
    public bool Leads { get; init; } = true;

    /// <summary>The tier whose faults are this one's too, as its machines and its process are the same; null for a tier that has faults of its own.</summary>
    public string? Shares { get; init; }

    /// <summary>A fault of one is a fault of the other.</summary>
    public bool IsHitWith(DrillTier other) => Name == other.Name || Shares == other.Name;

    public IReadOnlyList<Machine> Members(FleetModel fleet) => fleet.With(Role);

    /// <summary>What the file promises, else the default.</summary>
    public Objective Objective(FleetModel fleet) =>
        fleet.Objectives.FirstOrDefault(given => given.Tier == Name) ?? new(Name, Recovery, ProcessRecovery, 0, new(fleet.File, 1, 1));

    /// <summary>A shell command that exits with 0 on the member that leads. Whom the balancers write to is asked through the virtual address: a member does not know.</summary>
    public string LeadsCommand(FleetModel fleet, Machine member, Func<string, string> secret) =>
        Name == "galera" && DrillTiers.GaleraUser(fleet, secret) is { } user && fleet.Front?.Vip is { } vip
            ? $"test \"$(MYSQL_PWD={Shell.Word(user.Password)} timeout 5 mariadb --no-defaults --connect-timeout=3 -h {vip} -u {Shell.Word(user.Name)} -NBe 'SELECT @@wsrep_node_name')\" = {Shell.Word(member.Name)}"
            : RoleKinds.All.First(role => role.Name == Role).Leads;
}

/// <summary>The tiers that drills know.</summary>
internal static class DrillTiers
{
    /// <summary>Stands for all machines, in drills that concern every tier alike.</summary>
    public static readonly DrillTier Fleet = new("fleet", "", "", TimeSpan.Zero, TimeSpan.Zero) { Leads = false };

    public static IReadOnlyList<DrillTier> All { get; } =
    [
        new("vip", BalancerRole.Name, MainOf("haproxy.service"), Seconds(1), Seconds(1)),
        new("web", WebRole.Name, MainOf("nginx.service"), Seconds(1.5), Seconds(1.5)) { Leads = false },
        new("api", ServerRole.Name, MainOf("dure.service"), Seconds(3), Seconds(3)) { Leads = false },
        new("functions", ServerRole.Name, "", Seconds(5), Seconds(5)) { Leads = false, Shares = "api", Note = "Invocations that the API took are asked for when all is whole: each must have succeeded." },
        new("websocket", ServerRole.Name, "", Seconds(3), Seconds(3)) { Leads = false, Shares = "api", Note = "One WebSocket that stays open, opened again when it breaks." },
        new("postgres", "postgres", "head -n 1 /var/lib/postgresql/*/dure/postmaster.pid", Seconds(25), Seconds(2)),
        new("redis", "redis", MainOf("redis-server.service"), Seconds(5), Seconds(5)) { Cache = true, Note = "A cache; each write waits for one replica (WAIT 1)." },
        new("galera", "galera", MainOf("mariadb.service"), Seconds(5), Seconds(5)),
        new("slurmctld", SlurmControllerRole.Name, MainOf("slurmctld.service"), Seconds(20), Seconds(20))
        {
            LedgerLater = true,
            Note = "Jobs go straight to Slurm, which writes its queue up to 5 s behind its answers. Dure's own ledger, which submits them again, comes with the Slurm issue.",
        },
    ];

    /// <summary>Those that a fleet has.</summary>
    public static IReadOnlyList<DrillTier> Of(FleetModel fleet) => [.. All.Where(tier => fleet.With(tier.Role).Count > 0 && (tier.Name != "vip" || fleet.Front is not null))];

    /// <summary>Who may write to MariaDB: the accounting's user is the only one that roles make. Null when there is none.</summary>
    public static (string Name, string Password, string Database)? GaleraUser(FleetModel fleet, Func<string, string> secret) =>
        fleet.With("slurm-db").Count > 0 ? (fleet.Get(SlurmSettings.DbUser), secret("slurm_db_password"), fleet.Get(SlurmSettings.DbName)) : null;

    private static string MainOf(string unit) => $"systemctl show --property=MainPID --value {unit}";

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
