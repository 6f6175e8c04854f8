using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Slurm;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Galera;

/// <summary>
/// MariaDB Galera: the same data on each member, for Slurm's accounting and for MySQL's users. Clients come through the balancer, which writes to one member at a time: two writers
/// can lose updates to each other. Never Dure's own record.
/// </summary>
internal static class GaleraRole
{
    public static readonly Setting<TimeSpan> Suspect = SettingKinds.Duration(
        "galera.suspect", "1500ms", "500ms", "1m", "How long a member is silent before the others suspect it; nothing is committed meanwhile.");

    public static readonly Setting<TimeSpan> Inactive = SettingKinds.Duration(
        "galera.inactive", "4s", "1s", "5m", "How long a member is silent before it is out, whatever the others think.");

    public static readonly Setting<long> Gcache = SettingKinds.Bytes(
        "galera.gcache", "32MiB", "4MiB", "1TiB", "What a member keeps of recent writes, so that one that was away for long enough gets these instead of a copy of everything.");

    public static readonly Setting<int> Flush = SettingKinds.Number(
        "galera.flush", 1, 0, 2, "MariaDB's innodb_flush_log_at_trx_commit: only with 1 an acknowledged write is on a disk.");

    public static readonly Setting<int> Writers = SettingKinds.Number(
        "galera.writers", 1, 1, 9, "To how many members at once the balancer lets clients write; more than one may lose updates.");

    public static readonly Setting<long> BufferPool = SettingKinds.Bytes(
        "galera.buffer_pool", "256MiB", "32MiB", "1TiB", "Memory for MariaDB's cache.");

    public static readonly Setting<TimeSpan> RecoveryWait = SettingKinds.Duration(
        "galera.recovery_wait", "2m", "10s", "1d",
        "After all members lost power: how long those that are back wait for the rest before a majority goes on without them.");

    public static readonly RoleKind Kind = new("galera", "MariaDB Galera for Slurm's accounting: three members with the same data, one of which is written to.", Build)
    {
        Settings = [Suspect, Inactive, Gcache, Flush, Writers, BufferPool, RecoveryWait],
        Secrets = static fleet => fleet.With("slurm-db").Count > 0
            ? [SlurmDbRole.Password]
            : [],
        Ports = static _ =>
        [
            new(3306, "tcp", "MariaDB", Reach.Fleet),
            new(4567, "tcp", "Galera", Reach.Roles) { From = ["galera"] },
            new(4568, "tcp", "Galera, missed writes", Reach.Roles) { From = ["galera"] },
            new(4444, "tcp", "Galera, copies", Reach.Roles) { From = ["galera"] },
            new(9200, "tcp", "Galera's state", Reach.Roles) { From = ["balancer", "galera", "monitor"] },
        ],
        Services = static _ => [new("MariaDB (Galera)", "galera", new Condition.MajorityOf("galera"))],
        Demand = static fleet => new(1, (512L << 20) + fleet.Get(BufferPool), (10L << 30) + fleet.Get(Gcache)),
        Data = ["/var/lib/mysql"],
        Check = GaleraChecks.Find,
        Rolling = true,
        Leads = $"{GaleraRecovery.Path} leads",
    };

    private static void Build(RoleScope scope)
    {
        scope.Package("mariadb-server", "mariadb-client", "galera-4", "rsync", "socat", "psmisc", "curl", "python3-pymysql")
            .File(GaleraConfig.Path, GaleraConfig.Of(scope), file => file with { Check = GaleraConfig.Check })
            .File(GaleraRecovery.Path, GaleraRecovery.Of(scope), file => file with { Mode = "0755" })
            .File(GaleraAnswer.Path, GaleraAnswer.Script, file => file with { Mode = "0755" })
            .File("/etc/systemd/system/dure-galera-check.socket", GaleraAnswer.Socket(scope))
            .File("/etc/systemd/system/dure-galera-check.service", GaleraAnswer.Service)
            .File("/etc/systemd/system/dure-galera-watch.service", WatchUnit)
            .File("/etc/systemd/system/mariadb.service.d/dure.conf", Unit)
            .Unit("dure-galera-check.socket", with: unit => unit with { RestartOn = ["/etc/systemd/system/dure-galera-check.socket"] })
            .Unit("dure-galera-check.service", with: unit => unit with { RestartOn = [GaleraAnswer.Path] })
            .Unit("mariadb.service", with: unit => unit with { RestartOn = [GaleraConfig.Path], StartLimit = scope.Get(RecoveryWait) + TimeSpan.FromMinutes(5) })
            .Unit("dure-galera-watch.service", with: unit => unit with { RestartOn = [GaleraRecovery.Path] });
        if (scope.Fleet.With("slurm-db").Count > 0 && scope.Get(SlurmSettings.DbHost).Length == 0)
            GaleraUsers.Slurm(scope);
        scope.Healthy("Galera", $"curl -fsS --max-time 2 http://{Quoting.Host(scope.Address)}:9200/", 180);
    }

    // A copy of everything may take long, and so may the wait for the others: there is no limit to a start.
    private const string Unit =
        $"""
        [Unit]
        After=network-online.target dure-galera-check.socket
        Wants=network-online.target dure-galera-check.socket
        StartLimitIntervalSec=0

        [Service]
        EnvironmentFile=-{GaleraRecovery.Environment}
        ExecStartPre=+{GaleraRecovery.Path} start
        ExecStopPost=+/bin/rm -f {GaleraRecovery.State} {GaleraRecovery.Environment}
        Restart=always
        RestartSec=2
        TimeoutStartSec=infinity

        """;

    private const string WatchUnit =
        $"""
        [Unit]
        Description=Brings a Galera member that lost its majority back into the recovery of the others
        After=dure-galera-check.socket

        [Service]
        ExecStart={GaleraRecovery.Path} watch
        Restart=always
        RestartSec=5

        [Install]
        WantedBy=multi-user.target

        """;
}
