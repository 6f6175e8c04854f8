using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Redis;

/// <summary>Redis with a Sentinel on each of its machines: sessions, live events and caches. It is never the only record of anything.</summary>
internal static class RedisRole
{
    public static readonly Setting<TimeSpan> DownAfter = SettingKinds.Duration(
        "redis.down_after", "1500ms", "200ms", "1m", "How long the primary must be silent before the sentinels fail over; 1 s on a quiet network.");

    public static readonly Setting<TimeSpan> FailoverTimeout = SettingKinds.Duration(
        "redis.failover_timeout", "3s", "1s", "10m", "How long a failover may take before another sentinel tries; the next try comes after twice this time.");

    public static readonly Setting<int> Quorum = SettingKinds.Number(
        "redis.quorum", 0, 0, 9, "How many sentinels must find the primary silent; 0 is the majority.");

    public static readonly Setting<int> MinReplicas = SettingKinds.Number(
        "redis.min_replicas", 1, 0, 8, "How many replicas must follow for the primary to take writes; 0 lets a primary that is cut off take writes that are lost later.");

    public static readonly Setting<TimeSpan> MaxLag = SettingKinds.Duration(
        "redis.max_lag", "3s", "1s", "1m", "How long a replica may be silent and still count as following.");

    public static readonly Setting<long> Memory = SettingKinds.Bytes(
        "redis.memory", "512MiB", "16MiB", "1TiB", "How much Redis may hold; beyond it, keys that expire are dropped, the least used first.");

    public static readonly Setting<string> Fsync = SettingKinds.Choice(
        "redis.fsync", "everysec", "When Redis's log reaches the disk.", "everysec", "always");

    public static readonly RoleKind Kind = new("redis", "Sessions and live events: Redis with a Sentinel on each of its machines, three as a rule.", Build)
    {
        Settings = [DownAfter, FailoverTimeout, Quorum, MinReplicas, MaxLag, Memory, Fsync],
        Secrets = static _ => [new("redis_password", "Password of Redis and of its sentinels.", SecretKind.Password)],
        Ports = static _ => [new(6379, "tcp", "Redis", Reach.Fleet), new(26379, "tcp", "Redis Sentinel", Reach.Fleet)],
        Services = static fleet =>
        [
            new("Redis (sessions, live)", "redis", new Condition.Both(new Condition.AnyOf("redis"), new Condition.MajorityOf("redis")))
            {
                Note = fleet.Get(MinReplicas) > 0
                    ? RoleScope.Invariant($"Writes need a primary and {fleet.Get(MinReplicas)} of its replicas. Dure goes on without it: sessions are in the database too, and live events are hints.")
                    : "Dure goes on without it: sessions are in the database too, and live events are hints.",
            },
        ],
        Demand = static fleet => new(0.5, (128L << 20) + (fleet.Get(Memory) * 3 / 2), (1L << 30) + (fleet.Get(Memory) * 4)),
        Data = ["/var/lib/redis"],
        Check = RedisChecks.Find,
        Rolling = true,
        Leads = $"{RedisScript.Path} leads",
    };

    /// <summary>How many replicas must follow, on a fleet that has enough of them.</summary>
    public static int MinReplicasOf(FleetModel fleet) => Math.Min(fleet.Get(MinReplicas), Math.Max(0, fleet.With("redis").Count - 1));

    /// <summary>How many sentinels must agree that the primary is silent.</summary>
    public static int QuorumOf(FleetModel fleet) => fleet.Get(Quorum) is var asked and > 0 ? asked : (fleet.With("redis").Count / 2) + 1;

    private static void Build(RoleScope scope)
    {
        scope.Package("redis-server", "redis-sentinel", "redis-tools")
            .File("/etc/redis/dure-password", scope.Secret("redis_password") + "\n", Guard)
            .File("/etc/redis/dure.conf", RedisConfig.Server(scope), Guard)
            .File("/etc/redis/dure-sentinel.conf", RedisConfig.Sentinel(scope), Guard)
            .File(SentinelState, "# Sentinel keeps here what it knows of the others.\n", file => file with { Kind = FileKind.Seed, Mode = "0640", Owner = "redis", Group = "redis" })
            .File(RedisScript.Path, RedisScript.Of(scope), file => file with { Mode = "0755" })
            .File("/etc/systemd/system/redis-sentinel.service.d/dure.conf", SentinelUnit)
            .File("/etc/systemd/system/redis-server.service.d/dure.conf", ServerUnit)
            .Unit("redis-sentinel.service", with: unit => unit with { RestartOn = ["/etc/redis/dure-sentinel.conf", "/etc/redis/dure-password", RedisScript.Path] })
            .Unit("redis-server.service", with: unit => unit with { RestartOn = ["/etc/redis/dure.conf"], StartLimit = TimeSpan.FromMinutes(3) })
            .Step(
                "The sentinels know each other and nobody else",
                $"{RedisScript.Path} acquainted",
                $"{RedisScript.Path} acquaint",
                limit: TimeSpan.FromSeconds(120))
            .Healthy("Redis", $"{RedisScript.Path} healthy", 90);
    }

    private const string SentinelState = "/var/lib/redis/sentinel.conf";

    private static DesiredFile Guard(DesiredFile file) => file with { Mode = "0640", Group = "redis", Secret = true };

    // What stands in the included file holds, whatever was written into the state before it. The package's sandbox lets no script run: "+" does.
    // Its PID file is named by the configuration that is not used here.
    private const string SentinelUnit =
        $"""
        [Unit]
        After=network-online.target
        Wants=network-online.target
        StartLimitIntervalSec=0

        [Service]
        PIDFile=
        ExecStart=
        ExecStart=/usr/bin/redis-sentinel {SentinelState} --include /etc/redis/dure-sentinel.conf --supervised systemd --daemonize no
        ExecStartPost=+{RedisScript.Path} watch
        RestartSec=200ms

        """;

    private const string ServerUnit =
        $"""
        [Unit]
        After=network-online.target redis-sentinel.service
        Wants=network-online.target
        StartLimitIntervalSec=0

        [Service]
        PIDFile=
        ExecStartPre=+{RedisScript.Path} start
        ExecStart=
        ExecStart=/usr/bin/redis-server {RedisScript.RolePath} --include /etc/redis/dure.conf --supervised systemd --daemonize no
        ExecStopPost=+{RedisScript.Path} stopped
        RuntimeDirectoryPreserve=yes
        TimeoutStartSec=infinity
        RestartSec=200ms

        """;
}
