using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Etcd;

/// <summary>etcd, in which the PostgreSQL machines agree on who is primary. Debian's and Ubuntu's packages and units are the same here.</summary>
internal static class EtcdRole
{
    public static readonly Setting<TimeSpan> Heartbeat = SettingKinds.Duration(
        "etcd.heartbeat", "100ms", "10ms", "5s", "How often etcd's leader shows the others that it lives.");

    public static readonly Setting<TimeSpan> Election = SettingKinds.Duration(
        "etcd.election", "1s", "50ms", "50s", "How long etcd's members hear nothing of their leader before they elect another; at least five heartbeats, ten are usual.");

    public static readonly RoleKind Kind = new("etcd", "Agreement for PostgreSQL's failover: an odd number of etcd members, three as a rule.", Build)
    {
        Settings = [Heartbeat, Election],
        Ports = static _ =>
        [
            new(2379, "tcp", "etcd clients", Reach.Roles) { From = ["etcd", "postgres", "monitor"] },
            new(2380, "tcp", "etcd members", Reach.Roles) { From = ["etcd"] },
        ],
        Demand = static _ => new(0.25, 256L << 20, 4L << 30),
        Data = ["/var/lib/etcd"],
        Check = Check,
        Rolling = true,
        Leads = "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 --command-timeout=2s endpoint status -w fields"
            + " | awk -F' : ' '/^\"MemberID\"/ { mine = $2 } /^\"Leader\"/ { leader = $2 } END { exit !(mine != \"\" && mine == leader) }'",
    };

    /// <summary>The addresses at which clients of this fleet reach etcd, <c>host:port</c>.</summary>
    public static IEnumerable<string> Clients(FleetModel fleet) => fleet.With("etcd").Select(machine => $"{Quoting.Host(fleet.AddressOf(machine))}:2379");

    /// <summary>
    /// Patroni before 3.1 (Debian 12, Ubuntu 22.04) writes the leader's key over etcd's third protocol without looking whose it is: one that was cut off and returns takes it from the
    /// machine that was promoted meanwhile, and that machine's writes are lost. Over the second protocol it looks. All must speak the same one, for each keeps its keys apart.
    /// </summary>
    public static bool SpeaksSecondProtocol(FleetModel fleet) => fleet.With("postgres").Any(machine => machine.Os is "debian-12" or "ubuntu-22.04");

    private static void Build(RoleScope scope)
    {
        var peers = scope.Members.Select(machine => Peer(scope.Fleet, machine)).ToList();
        scope.Package("etcd-server", "etcd-client")
            .File("/etc/default/etcd", Defaults(scope))
            .File("/usr/local/lib/dure/etcd-join", EtcdJoin.Script(scope), file => file with { Mode = "0755" })
            .File("/etc/systemd/system/etcd.service.d/dure.conf", Unit)
            .Unit("etcd.service", with: unit => unit with { RestartOn = ["/etc/default/etcd"], StartLimit = TimeSpan.FromMinutes(3) })
            .Step(
                "etcd has no members that the fleet does not have",
                $"""
                list=$({Local} member list) && test -z "$(printf '%s\n' "$list" | {Strangers(peers)})"
                """,
                $"""
                for id in $({Local} member list | {Strangers(peers)}); do {Local} member remove "$id"; done
                """)
            .Healthy("etcd", $"{Local} endpoint health", 60);
    }

    /// <summary>The address at which other members reach one, as etcd writes it.</summary>
    internal static string Peer(FleetModel fleet, Machine machine) => $"http://{Quoting.Host(fleet.AddressOf(machine))}:2380";

    private const string Local = "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 --command-timeout=5s";

    // A line of "member list": id, status, name, peer address, client addresses, learner or not.
    private static string Strangers(IEnumerable<string> peers) =>
        $$"""awk -F', ' -v known=' {{string.Join(' ', peers)}} ' 'index(known, " " $4 " ") == 0 { print $1 }'""";

    // What a member is told only on its first start stands in what etcd-join writes: a fleet that grows restarts nobody.
    private static string Defaults(RoleScope scope)
    {
        var host = Quoting.Host(scope.Address);
        return RoleScope.Invariant(
            $"""
            ETCD_NAME="{scope.Machine.Name}"
            ETCD_DATA_DIR="/var/lib/etcd/default"
            ETCD_LISTEN_PEER_URLS="http://{host}:2380"
            ETCD_LISTEN_CLIENT_URLS="http://127.0.0.1:2379,http://{host}:2379"
            ETCD_INITIAL_ADVERTISE_PEER_URLS="http://{host}:2380"
            ETCD_ADVERTISE_CLIENT_URLS="http://{host}:2379"
            ETCD_INITIAL_CLUSTER_TOKEN="dure"
            ETCD_HEARTBEAT_INTERVAL="{(long)scope.Get(Heartbeat).TotalMilliseconds}"
            ETCD_ELECTION_TIMEOUT="{(long)scope.Get(Election).TotalMilliseconds}"
            ETCD_ENABLE_V2="{(SpeaksSecondProtocol(scope.Fleet) ? "true" : "false")}"
            ETCD_AUTO_COMPACTION_MODE="periodic"
            ETCD_AUTO_COMPACTION_RETENTION="1h"

            """);
    }

    // It is ready once it sees a majority, which after a power loss may be long: it waits instead of failing.
    private const string Unit =
        """
        [Unit]
        After=network-online.target
        Wants=network-online.target
        StartLimitIntervalSec=0

        [Service]
        EnvironmentFile=-/run/dure-etcd/environment
        ExecStartPre=+/usr/local/lib/dure/etcd-join
        Restart=always
        RestartSec=1
        TimeoutStartSec=infinity

        """;

    private static IEnumerable<Finding> Check(FleetModel fleet)
    {
        var (heartbeat, election) = (fleet.Get(Heartbeat), fleet.Get(Election));
        if (fleet.With("etcd").Count > 0 && election < heartbeat * 5)
        {
            yield return new("etcd-election", Severity.Error, Places.Of(fleet, Election),
                $"etcd does not start when its election time ({Units.WriteDuration(election)}) is below five heartbeats ({Units.WriteDuration(heartbeat)} each).",
                $"Set etcd.election to {Units.WriteDuration(heartbeat * 10)}.");
        }
    }
}
