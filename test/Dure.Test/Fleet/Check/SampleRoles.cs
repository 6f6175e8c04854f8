using Dure.Fleet.Check;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Configuration;

namespace Dure.Test.Fleet.Check;

/// <summary>A catalogue of roles for tests of <c>check</c>: like the product's, and independent of it.</summary>
internal static class SampleRoles
{
    public static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    public static readonly Setting<TimeSpan> Ttl = SettingKinds.Duration("postgres.ttl", "20s", "5s", "1h", "How long a leader's key lives.");

    public static readonly Setting<TimeSpan> LoopWait = SettingKinds.Duration("postgres.loop_wait", "2s", "1s", "1m", "How often it is renewed.");

    public static IReadOnlyList<RoleKind> All { get; } =
    [
        BaseRole.Kind,
        Kind("balancer", [new(443, "tcp", "HTTPS", Reach.World) { OnVip = true }, new(80, "tcp", "HTTP", Reach.World) { OnVip = true }, From(0, "vrrp", "VRRP", "balancer")],
            new Service("Virtual address", "vip", new Condition.AnyOf("balancer"))) with
        {
            Secrets = _ => [new("vrrp", "What balancers know each other by.", SecretKind.ShortPassword)],
        },
        Kind("web", [From(8080, "nginx", "balancer")], new Service("Web", "web", new Condition.Both(new Condition.AnyOf("web"), new Condition.Needs("Virtual address")))),
        Kind("dure", [From(7070, "Dure", "web"), From(9091, "metrics", "monitor")], new Service("Portal and API", "api", new Condition.Both(new Condition.AnyOf("dure"), new Condition.Needs("PostgreSQL"), new Condition.Needs("Web")))) with { Needs = ["postgres"] },
        Kind("etcd", [From(2379, "etcd", "postgres"), From(2380, "etcd peers", "etcd")], new Service("etcd", "etcd", new Condition.MajorityOf("etcd"))),
        Kind("postgres", [From(5432, "PostgreSQL", "dure", "postgres"), From(8008, "Patroni", "postgres"), From(9187, "metrics", "monitor")],
            new Service("PostgreSQL", "postgres", new Condition.Both(new Condition.AnyOf("postgres"), new Condition.Needs("etcd")))) with
        {
            Needs = ["etcd"],
            Settings = [Ttl, LoopWait],
            Demand = _ => new(1, 2L << 30, 20L << 30),
            Secrets = _ => [new("postgres", "The password of PostgreSQL's superuser.", SecretKind.Password)],
        },
        Kind("redis", [From(6379, "Redis", "dure", "redis"), From(26379, "Sentinel", "dure", "redis"), From(9121, "metrics", "monitor")], new Service("Redis", "redis", new Condition.MajorityOf("redis"))),
        Kind("galera", [From(3306, "MariaDB", "slurm-db"), From(4567, "Galera", "galera"), From(9104, "metrics", "monitor")], new Service("MariaDB", "galera", new Condition.MajorityOf("galera"))) with
        {
            Demand = _ => new(1, 1L << 30, 20L << 30),
        },
        Kind("slurm-db", [From(6819, "slurmdbd", "slurm-controller")], new Service("Slurm accounting", "slurm", new Condition.Both(new Condition.AnyOf("slurm-db"), new Condition.Needs("MariaDB")))) with { Needs = ["galera"] },
        Kind("slurm-controller", [From(6817, "slurmctld", "slurm-node", "slurm-controller", "dure")], new Service("Slurm", "slurm", new Condition.AnyOf("slurm-controller"))) with { Needs = ["slurm-db"], NeedsHere = ["munge"] },
        Kind("slurm-node", [From(6818, "slurmd", "slurm-controller", "slurm-node")]) with { NeedsHere = ["munge"] },
        Kind("munge", []),
        Kind("monitor", [From(9090, "Prometheus", "dure"), From(9094, "Alertmanager peers", "monitor")], new Service("Alerts", "monitor", new Condition.AnyOf("monitor"))) with
        {
            Secrets = _ => [new("slack", "Where alerts go.", SecretKind.Given)],
        },
        Kind("firewall", []),
    ];

    /// <summary>The settings of a fleet, by key and text, from this catalogue.</summary>
    public static FleetModel With(this FleetModel fleet, params (Setting Setting, string Text)[] settings) => fleet with
    {
        Settings = settings.ToDictionary(given => given.Setting.Key, given => new SettingValue(given.Setting, given.Setting.Read(given.Text).Value, SettingOrigin.File, "dure.yaml:1:1"), StringComparer.Ordinal),
    };

    /// <summary>A fleet of machines by names and roles with commas; zones a, b, c in turn, each machine on a line of its own.</summary>
    public static FleetModel Fleet(params IReadOnlyList<(string Name, string Roles)> machines)
    {
        var fleet = FleetSamples.Of([], ("", ""));
        return fleet with
        {
            Machines = [.. machines.Select((machine, index) =>
            {
                var place = new Place("dure.yaml", 10 + index, 3);
                return fleet.Machines[0] with
                {
                    Name = machine.Name,
                    Target = "root@" + machine.Name,
                    Zone = "abc"[index % 3].ToString(),
                    Addresses = [new("internal", new System.Net.IPAddress([10, 77, (byte)(5 + (index / 200)), (byte)(11 + (index % 200))]), place)],
                    Roles = [.. machine.Roles.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(role => new MachineRole(role, place))],
                    Order = index,
                    Place = place,
                };
            })],
        };
    }

    /// <summary>A fleet with one machine changed.</summary>
    public static FleetModel Change(this FleetModel fleet, string name, Func<Machine, Machine> change) =>
        fleet with { Machines = [.. fleet.Machines.Select(machine => machine.Name == name ? change(machine) : machine)] };

    /// <summary>Four machines in three zones with nothing wrong but what four machines cannot have.</summary>
    public static FleetModel Good() => Fleet(
        ("n1", "balancer,web,monitor,firewall,munge,slurm-node"),
        ("n2", "balancer,web,dure,etcd,postgres,redis,galera,firewall,munge,slurm-controller,slurm-db"),
        ("n3", "dure,etcd,postgres,redis,galera,firewall,munge,slurm-controller,slurm-db,monitor"),
        ("n4", "etcd,postgres,redis,galera,firewall,munge,slurm-node"));

    public static CheckReport Check(FleetModel fleet, CheckFacts? facts = null, Func<FleetModel, Machine, Admits>? opens = null) =>
        CheckReport.Of(fleet, All, facts ?? new CheckFacts(Now), opens);

    private static RoleKind Kind(string name, IReadOnlyList<Port> ports, params Service[] services) => new(name, name, static _ => { })
    {
        Ports = _ => ports,
        Services = _ => services,
        Demand = _ => new(0.2, 128L << 20, 1L << 30),
    };

    private static Port From(int number, string what, params string[] roles) => new(number, number == 0 ? "vrrp" : "tcp", what, Reach.Roles) { From = roles };
}
