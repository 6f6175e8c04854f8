using System.Text;
using Dure.Fleet.Model;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>One thing that people are told.</summary>
/// <param name="Expression">In Prometheus' language; true for each series that it yields.</param>
/// <param name="For">How long it must hold.</param>
/// <param name="Severity"><c>critical</c>: somebody should look now. <c>warning</c>: today.</param>
/// <param name="Summary">A sentence, with the labels of the series in Prometheus' templates.</param>
internal sealed record AlertRule(string Name, string Expression, TimeSpan For, string Severity, string Summary);

/// <summary>What people are told about a fleet, and when.</summary>
internal static class AlertRules
{
    // Signs of life that a service gives by itself come every ten seconds, and one may be missed.
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(15);

    /// <summary>The rules as Prometheus reads them.</summary>
    public static string Of(FleetModel fleet)
    {
        var text = new StringBuilder("groups:\n  - name: fleet\n    rules:\n");
        foreach (var rule in Table(fleet))
        {
            text.Append(Invariant(
                $"""
                      - alert: {rule.Name}
                        expr: '{rule.Expression.Replace("'", "''", StringComparison.Ordinal)}'
                        for: {PrometheusConfig.Time(rule.For)}
                        labels:
                          severity: {rule.Severity}
                        annotations:
                          summary: '{rule.Summary.Replace("'", "''", StringComparison.Ordinal)}'

                """));
        }

        return text.ToString();
    }

    /// <summary>The rules as data.</summary>
    public static IReadOnlyList<AlertRule> Table(FleetModel fleet) =>
    [
        .. OfMachines(fleet),
        .. OfServices(),
        .. OfDatabases(fleet),
        .. OfDure(fleet),
    ];

    private static IEnumerable<AlertRule> OfMachines(FleetModel fleet)
    {
        var percent = fleet.Get(MonitorSettings.DiskPercent);
        yield return new("ServerDown", "up{job=\"node\"} == 0", fleet.Get(MonitorSettings.DownAfter), "critical", "{{ $labels.machine }} does not answer.");
        yield return new("WatchStopped", "time() - max by (machine) (node_textfile_mtime_seconds{file=~\".*/dure.prom\"}) > 60", Watched, "warning",
            "{{ $labels.machine }} has not looked at its services for a minute (dure-watch.service).");
        yield return new("DiskFull",
            Invariant($"min by (machine, mountpoint) (100 * node_filesystem_avail_bytes{{fstype!~\"tmpfs|ramfs|squashfs|iso9660|fuse.*\"}} / node_filesystem_size_bytes) < {percent}"), TimeSpan.FromMinutes(2), "warning",
            "{{ $labels.machine }} has {{ $value | printf \"%.0f\" }} % of {{ $labels.mountpoint }} free.");
        yield return new("CertificateExpires", Invariant($"dure_certificate_expires_seconds - time() < {(long)fleet.Get(MonitorSettings.CertificateBefore).TotalSeconds}"), TimeSpan.FromMinutes(1), "warning",
            "The certificate {{ $labels.file }} on {{ $labels.machine }} ends in {{ $value | humanizeDuration }}.");
    }

    private static IEnumerable<AlertRule> OfServices()
    {
        yield return new("RedisDown", "dure_role_up{role=\"redis\"} == 0", Watched, "critical", "Redis on {{ $labels.machine }} does not work: not so that {{ $labels.check }}.");
        yield return new("DatabaseDown", "dure_role_up{role=~\"postgres|galera\"} == 0", Watched, "critical", "{{ $labels.role }} on {{ $labels.machine }} does not work: not so that {{ $labels.check }}.");
        yield return new("ServiceDown", "dure_role_up{role!~\"redis|postgres|galera\"} == 0", Watched, "critical", "{{ $labels.role }} on {{ $labels.machine }} does not work: not so that {{ $labels.check }}.");
    }

    private static IEnumerable<AlertRule> OfDatabases(FleetModel fleet)
    {
        yield return new("DatabaseBusy",
            Invariant($"100 * (1 - avg by (machine) (rate(node_cpu_seconds_total{{mode=\"idle\",roles=~\".*,(postgres|galera),.*\"}}[1m]))) > {fleet.Get(MonitorSettings.BusyPercent)}"),
            fleet.Get(MonitorSettings.BusyAfter), "warning", "The database machine {{ $labels.machine }} uses {{ $value | printf \"%.0f\" }} % of its processors.");
        if (fleet.With("postgres").Count == 0)
            yield break;
        yield return new("DatabaseWithoutPrimary", "max(patroni_primary) < 1 or absent(patroni_primary)", Watched, "critical", "PostgreSQL has no primary: nothing can be written.");
        yield return new("ReplicationLag",
            Invariant($"scalar(max(patroni_xlog_location)) - max by (machine) (patroni_xlog_replayed_location and patroni_replica == 1) > {fleet.Get(MonitorSettings.LagMax)}"),
            TimeSpan.FromMinutes(1), "warning", "PostgreSQL on {{ $labels.machine }} is {{ $value | humanize1024 }}B behind.");
    }

    private static IEnumerable<AlertRule> OfDure(FleetModel fleet)
    {
        if (fleet.With("dure").Count == 0)
            yield break;
        var after = fleet.Get(MonitorSettings.QueueAfter);
        var window = PrometheusConfig.Time(after);
        yield return new("QueueStuck", Invariant($"sum by (function) (dure_function_waiting) > 0 unless on (function) sum by (function) (increase(dure_function_starts_total[{window}])) > 0"), after, "warning",
            "Invocations of {{ $labels.function }} wait, and none has ended for long.");
        yield return new("QueueOld",
            Invariant($"sum by (function) (rate(dure_function_wait_seconds_sum[{window}])) / sum by (function) (rate(dure_function_wait_seconds_count[{window}])) > {(long)after.TotalSeconds}"), TimeSpan.FromMinutes(1), "warning",
            "Invocations of {{ $labels.function }} waited {{ $value | humanizeDuration }} on average before they ran.");
        yield return new("DiskRefuses", "dure_disk_state == 2", TimeSpan.Zero, "critical", "Dure on {{ $labels.machine }} takes no more work: its disk is full.");
        yield return new("ReplicaBehind", "dure_storage_replication_oldest_seconds > 3600", TimeSpan.FromMinutes(5), "warning", "Objects have waited {{ $value | humanizeDuration }} for the second provider {{ $labels.provider }}.");
    }
}
