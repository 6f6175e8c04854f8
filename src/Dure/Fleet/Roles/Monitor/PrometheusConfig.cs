using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>What Prometheus reads.</summary>
internal static class PrometheusConfig
{
    /// <summary>The whole file.</summary>
    public static string Of(RoleScope scope)
    {
        var text = new StringBuilder();
        var every = Time(scope.Get(MonitorSettings.Every));
        text.Append(Invariant(
            $"""
            global:
              scrape_interval: {every}
              scrape_timeout: {every}
              evaluation_interval: {every}
              external_labels:
                fleet: {scope.Fleet.Name}
                monitor: {scope.Machine.Name}

            rule_files:
              - {MonitorRole.RulesFile}

            alerting:
              # Two monitors that see the same send the same alert, and people get one.
              alert_relabel_configs:
                - action: labeldrop
                  regex: monitor
              alertmanagers:
                - static_configs:
                    - targets: [{string.Join(", ", scope.Members.Select(member => Invariant($"\"{scope.AddressOf(member)}:{MonitorRole.Alertmanager}\"")))}]

            scrape_configs:

            """));
        AddJob(text, scope, "node", ExporterRole.Port, scope.Fleet.Machines);
        AddJob(text, scope, "haproxy", BalancerPorts.Internal, scope.Fleet.With(BalancerRole.Name));
        AddJob(text, scope, "patroni", BalancerPorts.Patroni, scope.Fleet.With("postgres"));
        AddFederation(text, scope);
        return text.ToString();
    }

    /// <summary>As Prometheus writes times.</summary>
    public static string Time(TimeSpan span) => Invariant($"{(long)span.TotalMilliseconds}ms");

    private static void AddJob(StringBuilder text, RoleScope scope, string job, int port, IReadOnlyList<Machine> machines)
    {
        if (machines.Count == 0)
            return;
        text.Append(Invariant($"  - job_name: {job}\n    static_configs:\n"));
        foreach (var machine in machines)
        {
            text.Append(Invariant(
                $"""
                      - targets: ["{scope.AddressOf(machine)}:{port}"]
                        labels:
                          machine: {machine.Name}
                          zone: "{machine.Zone}"
                          roles: "{string.Join(',', machine.Roles.Select(role => role.Role).Prepend("").Append(""))}"

                """));
        }
    }

    // What the other monitors see of the fleet: where two of them disagree, the network between is at fault.
    private static void AddFederation(StringBuilder text, RoleScope scope)
    {
        var others = scope.Members.Where(member => member != scope.Machine).ToList();
        if (others.Count == 0)
            return;
        text.Append(Invariant(
            $$"""
              - job_name: federate
                metrics_path: /federate
                honor_labels: true
                params:
                  "match[]": ['{__name__=~"up|dure_role_up|ALERTS",job!="federate"}']
                metric_relabel_configs:
                  # Seen by another: kept apart from what this one sees, on which its rules work.
                  - source_labels: [__name__]
                    target_label: __name__
                    replacement: "seen_$1"
                static_configs:
                  - targets: [{{string.Join(", ", others.Select(other => Invariant($"\"{scope.AddressOf(other)}:{MonitorRole.Prometheus}\"")))}}]

            """));
    }
}
