using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Etcd;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Postgres;

/// <summary>PostgreSQL kept by Patroni: one primary, synchronous replicas, failover that loses no acknowledged write. Dure's own record lies here.</summary>
internal static class PostgresRole
{
    public static readonly Setting<TimeSpan> Ttl = SettingKinds.Duration(
        "postgres.ttl", "20s", "5s", "5m", "How long the primary's lease lasts: after a power cut another takes over once it has run out. Patroni asks for 20 s at least.");

    public static readonly Setting<TimeSpan> LoopWait = SettingKinds.Duration(
        "postgres.loop_wait", "1s", "1s", "1m", "How often Patroni looks after PostgreSQL and renews its lease.");

    public static readonly Setting<TimeSpan> RetryTimeout = SettingKinds.Duration(
        "postgres.retry_timeout", "3s", "1s", "1m", "How long Patroni tries to reach etcd or PostgreSQL again before a primary steps down.");

    public static readonly Setting<int> SynchronousReplicas = SettingKinds.Number(
        "postgres.synchronous_replicas", 0, 0, 8, "On how many replicas a write is safe before it is acknowledged; 0 is every replica that lives.");

    public static readonly Setting<int> MaxConnections = SettingKinds.Number(
        "postgres.max_connections", 200, 20, 10_000, "How many connections PostgreSQL takes.");

    public static readonly Setting<long> SharedBuffers = SettingKinds.Bytes(
        "postgres.shared_buffers", "256MiB", "16MiB", "1TiB", "Memory for PostgreSQL's cache; a quarter of the machine's is usual.");

    public static readonly RoleKind Kind = new("postgres", "The platform's database: PostgreSQL under Patroni, one primary and synchronous replicas.", Build)
    {
        Settings = [Ttl, LoopWait, RetryTimeout, SynchronousReplicas, MaxConnections, SharedBuffers],
        Secrets = static _ =>
        [
            new("postgres_superuser", "Password of PostgreSQL's superuser, for Patroni between the database machines.", SecretKind.Password),
            new("postgres_replication", "Password with which replicas follow the primary.", SecretKind.Password),
            new("postgres_rest", "Password for orders to Patroni: restart, switchover, settings.", SecretKind.Password),
            new("postgres_dure", "Password of the database user dure, with which Dure signs in.", SecretKind.Password),
        ],
        Ports = static _ =>
        [
            new(5432, "tcp", "PostgreSQL", Reach.Fleet),
            new(8008, "tcp", "Patroni", Reach.Roles) { From = ["balancer", "dure", "monitor", "postgres"] },
        ],
        Services = static _ => [new("PostgreSQL", "postgres", new Condition.Both(new Condition.AnyOf("postgres"), new Condition.MajorityOf("etcd")))],
        Needs = ["etcd"],
        Demand = static fleet => new(1, (768L << 20) + fleet.Get(SharedBuffers), 20L << 30),
        Data = ["/var/lib/postgresql"],
        Check = PostgresChecks.Find,
        Rolling = true,
        Leads = $"test \"$({PostgresSteps.Recovery})\" = f",
    };

    /// <summary>The major version of PostgreSQL that a distribution has.</summary>
    public static int VersionOf(string os) => os switch
    {
        "debian-13" => 17,
        "ubuntu-24.04" => 16,
        "ubuntu-22.04" => 14,
        _ => 15,
    };

    private static void Build(RoleScope scope)
    {
        var version = VersionOf(scope.Machine.Os);
        scope.Package(RoleScope.Invariant($"postgresql-{version}"), "patroni", "python3-psycopg2", "python3-yaml", "curl")
            .Folder(RoleScope.Invariant($"/var/lib/postgresql/{version}"), owner: "postgres")
            .File("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n", file => file with { BeforePackages = true })
            .File(PatroniConfig.Path, PatroniConfig.Of(scope), file => file with { Mode = "0640", Group = "postgres", Secret = true, Check = PatroniConfig.Check })
            .File(PatroniShared.Path, PatroniShared.Text(scope))
            .File(PatroniShared.ScriptPath, PatroniShared.Script(scope), file => file with { Mode = "0755" })
            .File("/etc/systemd/system/patroni.service.d/dure.conf", Unit)
            .Unit("postgresql.service", UnitState.Masked)
            .Unit("patroni.service", with: unit => unit with { ReloadOn = [PatroniConfig.Path], WaitFor = EtcdAnswers(scope.Fleet), StartLimit = TimeSpan.FromMinutes(3) });
        PostgresWatch.Add(scope, version);
        PostgresSteps.Add(scope);
        scope.Healthy("PostgreSQL", PostgresSteps.Healthy(scope), 180);
    }

    private static string EtcdAnswers(FleetModel fleet) =>
        string.Join(" || ", EtcdRole.Clients(fleet).Select(client => $"curl -fs --max-time 2 http://{client}/health | grep -q '\"health\": *\"true\"'"));

    private const string Unit =
        """
        [Unit]
        After=network-online.target
        Wants=network-online.target
        StartLimitIntervalSec=0

        [Service]
        Restart=always
        RestartSec=1

        """;
}
