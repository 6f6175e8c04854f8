using System.Net;
using Dure.Fleet.Check;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using static Dure.Test.Fleet.Check.SampleRoles;

namespace Dure.Test.Fleet.Check;

/// <summary>For every rule of <c>check</c> a good fleet that was spoilt in one place, and what must be said of it.</summary>
internal static class FindingsCases
{
    public static IEnumerable<(string Rule, string What, Func<CheckReport> Check)> Of(CheckFacts facts, Func<FleetModel, Machine, Admits> open) =>
        [.. Addresses(facts), .. Ports(facts), .. Roles(facts), .. Quorums(facts), .. Hardware(facts), .. Known(facts), .. Reach(facts, open), .. Objectives(facts)];

    private static (string, string, Func<CheckReport>) Case(string rule, string what, Func<CheckReport> check) => (rule, what, check);

    private static IEnumerable<(string, string, Func<CheckReport>)> Addresses(CheckFacts facts) =>
    [
        Case("network-none", "No network is declared.", () => SampleRoles.Check(Good() with { Networks = [] }, facts)),
        Case("network-unknown", "n1 has an address on intern, which is not declared.", () => SampleRoles.Check(Good().Change("n1", machine => machine with { Addresses = [machine.Addresses[0] with { Network = "intern" }] }), facts)),
        Case("network-overlap", "internal (10.77.5.0/24) and storage (10.77.5.128/25) overlap.", () => SampleRoles.Check(Networks(Good(), ("storage", "10.77.5.128/25", null)), facts)),
        Case("network-apart", "balancer on n1 speaks with web on n2 over internal, and has no address there.",
            () => SampleRoles.Check(Networks(Good(), ("public", "192.0.2.0/24", null)).Change("n1", machine => machine with { Addresses = [new("public", IPAddress.Parse("192.0.2.7"), machine.Place)] }), facts)),
        Case("address-none", "n3 has no address.", () => SampleRoles.Check(Good().Change("n3", machine => machine with { Addresses = [] }), facts)),
        Case("address-duplicate", "n1 and n2 have the address 10.77.5.11.", () => SampleRoles.Check(Good().Change("n2", At("10.77.5.11")), facts)),
        Case("address-outside", "n2 has 10.77.6.12, which is not in internal (10.77.5.0/24).", () => SampleRoles.Check(Good().Change("n2", At("10.77.6.12")), facts)),
        Case("address-reserved", "n2 has 10.77.5.255, the broadcast address of internal (10.77.5.0/24).", () => SampleRoles.Check(Good().Change("n2", At("10.77.5.255")), facts)),
        Case("address-reserved", "n2 has 10.77.5.0, the network's own address of internal (10.77.5.0/24).", () => SampleRoles.Check(Good().Change("n2", At("10.77.5.0")), facts)),
        Case("target-duplicate", "n1 and n2 are reached by root@n1.", () => SampleRoles.Check(Good().Change("n2", machine => machine with { Target = "root@n1" }), facts)),
        Case("vip-outside", "The virtual address 10.77.6.100 is not in internal (10.77.5.0/24).", () => SampleRoles.Check(Vip(Good(), "10.77.6.100"), facts)),
        Case("vip-reserved", "The virtual address 10.77.5.255 is the broadcast address of internal (10.77.5.0/24).", () => SampleRoles.Check(Vip(Good(), "10.77.5.255"), facts)),
        Case("vip-taken", "The virtual address 10.77.5.13 of internal is the address of n3.", () => SampleRoles.Check(Vip(Good(), "10.77.5.13"), facts)),
        Case("vip-apart", "n1 and n2 have no address on public, where the virtual address 192.0.2.10 is.",
            () => SampleRoles.Check(Networks(Good(), ("public", "192.0.2.0/24", "192.0.2.10")), facts)),
        Case("vip-none", "n1 and n2 are balancers, and no network has a virtual address.", () => SampleRoles.Check(Vip(Good(), null), facts)),
        Case("vip-unused", "No machine is a balancer, so none holds 10.77.5.100 of internal.", () => SampleRoles.Check(Without(Good(), "balancer"), facts)),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Ports(CheckFacts facts) =>
    [
        Case("port-clash", "postgres and pgbouncer both listen on 5432/tcp of n3.", () => CheckReport.Of(Give(Good(), "n3", "pgbouncer"), [.. All, Pgbouncer(false)], facts)),
        Case("vip-port-clash", "balancer and edge both bind 443/tcp on the virtual address.", () => CheckReport.Of(Give(Good(), "n4", "edge"), [.. All, new RoleKind("edge", "edge", _ => { }) { Ports = _ => [new(443, "tcp", "HTTPS", Dure.Fleet.Roles.Reach.World) { OnVip = true }] }], facts)),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Roles(CheckFacts facts) =>
    [
        Case("role-unknown", "n4: there is no role rediss.", () => SampleRoles.Check(Give(Good(), "n4", "rediss"), facts)),
        Case("role-missing", "slurm-db needs galera, and no machine has it.", () => SampleRoles.Check(Without(Good(), "galera"), facts)),
        Case("role-missing-here", "n4: slurm-node needs munge on the same machine.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Roles = [.. machine.Roles.Where(role => role.Role != "munge")] }), facts)),
        Case("machine-idle", "n4 has no role.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Roles = [] }), facts)),
        Case("service-down", "Slurm accounting cannot work: the service MariaDB is missing.",
            () => SampleRoles.Check(Without(Good(), "galera"), facts)),
        Case("balancer-none", "n1 and n2 have the role web, and no machine is a balancer.", () => SampleRoles.Check(Without(Good(), "balancer"), facts)),
        Case("balancer-one", "n1 is the only balancer: when it dies, 10.77.5.100 answers no more.", () => SampleRoles.Check(Good().Change("n2", Take("balancer")), facts)),
        Case("single-point", "If n2 dies, Slurm accounting stops: n2 is the only slurm-db.", () => SampleRoles.Check(Good().Change("n3", Take("slurm-db")), facts)),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Quorums(CheckFacts facts) =>
    [
        Case("quorum-two", "redis has two members, n2 and n3: two cannot hold a quorum, and when either dies the other stops too.", () => SampleRoles.Check(Good().Change("n4", Take("redis")), facts)),
        Case("quorum-even", "redis has 4 members: it takes 1 lost, as 3 would.", () => SampleRoles.Check(Give(Good(), "n1", "redis"), facts)),
        Case("quorum-zone", "Losing zone b loses the galera majority: n2 and n3 are there, 1 of 3 would be left.", () => SampleRoles.Check(Good().Change("n3", machine => machine with { Zone = "b" }), facts)),
        Case("quorum-host", "n2 and n3 are on host iron: losing it leaves 1 of 3 etcd, no majority.", () => SampleRoles.Check(Labels(Good(), "host=iron", "n2", "n3"), facts)),
        Case("zone-all", "All 2 balancer are in zone a (n1 and n2): losing it stops Virtual address, Web and Portal and API.",
            () => SampleRoles.Check(Good().Change("n2", machine => machine with { Zone = "a" }), facts)),
        Case("host-all", "All 2 slurm-controller are on host iron (n2 and n3): losing it stops Slurm.", () => SampleRoles.Check(Labels(Good(), "host=iron", "n2", "n3"), facts)),
        Case("zones-one", "All 4 machines are in zone a.", () => SampleRoles.Check(Good() with { Machines = [.. Good().Machines.Select(machine => machine with { Zone = "a" })] }, facts)),
        Case("os-mixed", "redis runs on debian-12 on n2 and n3, debian-13 on n4.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Os = "debian-13" }), facts)),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Hardware(CheckFacts facts) =>
    [
        Case("memory-short", "The roles of n4 ask for 3.6 GiB of memory; it has 2 GiB.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Hardware = machine.Hardware with { Memory = 2L << 30 } }), facts)),
        Case("memory-tight", "The roles of n4 ask for 3.6 GiB of memory; it has 4 GiB.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Hardware = machine.Hardware with { Memory = 4L << 30 } }), facts)),
        Case("disk-short", "The roles of n4 ask for 45 GiB of disk; it has 20 GiB.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Hardware = machine.Hardware with { Disk = 20L << 30 } }), facts)),
        Case("cores-short", "The roles of n4 ask for 3 cores; it has 2.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Hardware = machine.Hardware with { Cores = 2 } }), facts)),
        Case("hardware-unknown", "The file does not give cores, memory and disk of n4.", () => SampleRoles.Check(Good().Change("n4", machine => machine with { Hardware = new(0, 0, 0, 0) }), facts)),
        Case("hardware-less", "n4 has 2 cores, not 4 and 4 GiB of memory, not 8 GiB.", () => SampleRoles.Check(Good(), Says(facts, new MachineFact("n4", "debian-12", 2, 4L << 30, 100L << 30, Versions("redis-server", "5:7.0.15"))))),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Known(CheckFacts facts) =>
    [
        Case("secret-missing", "postgres, used by postgres, is not in /nowhere/secrets. The password of PostgreSQL's superuser.", () => SampleRoles.Check(Good(), facts with { Secrets = new HashSet<string>(StringComparer.Ordinal) { "vrrp", "slack" } })),
        Case("secret-absent", "slack, used by monitor, is not in /nowhere/secrets. Where alerts go.", () => SampleRoles.Check(Good(), facts with { Secrets = new HashSet<string>(StringComparer.Ordinal) { "vrrp", "postgres" } })),
        Case("os-unsupported", "n1: the roles are not made for fedora-41.", () => SampleRoles.Check(Good().Change("n1", machine => machine with { Os = "fedora-41" }), facts)),
        Case("os-ending", "n1: security updates of ubuntu-22.04 end in April 2027.", () => SampleRoles.Check(Good().Change("n1", machine => machine with { Os = "ubuntu-22.04" }), facts)),
        Case("os-differs", "n2 runs debian-13; the file says debian-12.", () => SampleRoles.Check(Good(), facts with { Machines = [facts.Machines[0] with { Os = "debian-13" }] })),
        Case("version-mixed", "redis-server of etcd is 5:7.0.15 on n2, 5:7.2.4 on n3.", () => SampleRoles.Check(Good(), Says(facts, new MachineFact("n3", "debian-12", 4, 8L << 30, 100L << 30, Versions("redis-server", "5:7.2.4"))))),
        Case("certificate-expired", "The certificate /etc/dure/tls/lab.pem expired on 2026-11-20.", () => SampleRoles.Check(Good(), Certificate(facts, new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero)))),
        Case("certificate-near", "The certificate /etc/dure/tls/lab.pem expires on 2026-12-06, in 9 days.", () => SampleRoles.Check(Good(), Certificate(facts, new(2026, 12, 6, 0, 0, 0, TimeSpan.Zero)))),
        Case("certificate-names", "No certificate is valid for lab.example.org; there is one for other.example.org.", () => SampleRoles.Check(Good(), facts with { Certificates = [facts.Certificates![0] with { Names = ["other.example.org"] }] })),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Reach(CheckFacts facts, Func<FleetModel, Machine, Admits> open) =>
    [
        Case("unreachable", "postgres must reach etcd (2379/tcp) of etcd on n2, n3 and n4, and the firewall there does not open it.",
            () => SampleRoles.Check(Good(), facts, (fleet, machine) => (from, protocol, port) => port != 2379 && open(fleet, machine)(from, protocol, port))),
        Case("unreachable", "pgbouncer needs postgres, and no port of postgres is open to pgbouncer.", () => CheckReport.Of(Give(Good(), "n1", "pgbouncer"), [.. All, Pgbouncer(true)], facts)),
    ];

    private static IEnumerable<(string, string, Func<CheckReport>)> Objectives(CheckFacts facts) =>
    [
        Case("objective-tier", "No service of this fleet belongs to the tier postgresql.", () => SampleRoles.Check(Objective("postgresql", 30), facts)),
        Case("objective-time", "postgres should be back in 10s, and with postgres.ttl 20s and postgres.loop_wait 2s it takes at least 18s.", () => SampleRoles.Check(Objective("postgres", 10), facts)),
        Case("objective-time", "postgres should be back in 25s, and with postgres.ttl 30s and postgres.loop_wait 2s it takes at least 28s.", () => SampleRoles.Check(Objective("postgres", 25).With((Ttl, "30s")), facts)),
        Case("objective-tight", "postgres should be back in 20s, and with postgres.ttl 20s and postgres.loop_wait 2s it may take 22s.", () => SampleRoles.Check(Objective("postgres", 20), facts)),
        Case("objective-single", "redis should be back in 5s, and Redis stops for good when n2 dies: n2 is the only redis.", () => SampleRoles.Check(Objective("redis", 5).Change("n3", Take("redis")).Change("n4", Take("redis")), facts)),
    ];

    private static FleetModel Objective(string tier, int seconds) => Good() with { Objectives = [new(tier, TimeSpan.FromSeconds(seconds), null, 0, new("dure.yaml", 80, 3))] };

    private static FleetModel Networks(FleetModel fleet, params (string Name, string Range, string? Vip)[] more) =>
        fleet with { Networks = [.. fleet.Networks, .. more.Select(network => new Network(network.Name, IPNetwork.Parse(network.Range), network.Vip is null ? null : IPAddress.Parse(network.Vip), new("dure.yaml", 5, 3)))] };

    private static FleetModel Vip(FleetModel fleet, string? vip) => fleet with { Networks = [fleet.Networks[0] with { Vip = vip is null ? null : IPAddress.Parse(vip) }] };

    private static FleetModel Give(FleetModel fleet, string machine, string role) => fleet.Change(machine, known => known with { Roles = [.. known.Roles, new(role, known.Place)] });

    private static FleetModel Without(FleetModel fleet, string role) => fleet with { Machines = [.. fleet.Machines.Select(Take(role))] };

    private static FleetModel Labels(FleetModel fleet, string label, params string[] machines) => machines.Aggregate(fleet, (changed, name) => changed.Change(name, machine => machine with { Labels = [label] }));

    private static Func<Machine, Machine> Take(string role) => machine => machine with { Roles = [.. machine.Roles.Where(given => given.Role != role)] };

    private static Func<Machine, Machine> At(string address) => machine => machine with { Addresses = [machine.Addresses[0] with { Address = IPAddress.Parse(address) }] };

    private static CheckFacts Says(CheckFacts facts, MachineFact fact) => facts with { Machines = [.. facts.Machines, fact] };

    private static CheckFacts Certificate(CheckFacts facts, DateTimeOffset until) => facts with { Certificates = [facts.Certificates![0] with { NotAfter = until }] };

    private static Dictionary<string, string> Versions(string package, string version) => new(StringComparer.Ordinal) { [package] = version };

    private static RoleKind Pgbouncer(bool needs) => new("pgbouncer", "pgbouncer", _ => { })
    {
        Needs = needs ? ["postgres"] : [],
        Ports = _ => [new(needs ? 6432 : 5432, "tcp", "PgBouncer", Dure.Fleet.Roles.Reach.Fleet)],
    };
}
