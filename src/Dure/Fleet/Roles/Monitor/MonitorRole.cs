using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>Prometheus and Alertmanager. Each monitor watches the whole fleet, and what the other monitors see.</summary>
internal static class MonitorRole
{
    public const string Name = "monitor";
    public const string SlackSecret = "slack_webhook";
    public const int Prometheus = 9090;
    public const int Alertmanager = 9093;
    public const int AlertmanagerPeers = 9094;

    private const string PrometheusFile = "/etc/prometheus/prometheus.yml";
    private const string PrometheusArguments = "/etc/default/prometheus";
    private const string PrometheusDropIn = "/etc/systemd/system/prometheus.service.d/dure.conf";
    private const string AlertmanagerFile = "/etc/prometheus/alertmanager.yml";
    private const string AlertmanagerArguments = "/etc/default/prometheus-alertmanager";
    private const string AlertmanagerDropIn = "/etc/systemd/system/prometheus-alertmanager.service.d/dure.conf";

    public static readonly RoleKind Kind = new(Name, "Watches every machine and service (Prometheus), and tells people what is wrong (Alertmanager, Slack).", Build)
    {
        Settings = MonitorSettings.All,
        Secrets = static _ => [new(SlackSecret, "Address of the incoming webhook of Slack that alerts are sent to; without it they are shown only.", SecretKind.Given)],
        Ports = static fleet => OfMonitor(fleet),
        Services = static _ => [new("Monitoring", "monitor", new Condition.AnyOf(Name))],
        Demand = static fleet => new(0.5, (512L << 20) + (fleet.Machines.Count * (16L << 20)), 20L << 30),
        Data = ["/var/lib/prometheus"],
        Check = Check,
        Rolling = true,
    };

    /// <summary>Where rules are, one file for each kind.</summary>
    public const string RulesFile = "/etc/prometheus/rules/fleet.yml";

    /// <summary>The dashboard for Grafana.</summary>
    public const string DashboardFile = "/etc/dure/dashboards/fleet.json";

    /// <summary>A unit that is tried again until its address is there.</summary>
    public const string TryAgain = "[Unit]\nStartLimitIntervalSec=0\n\n[Service]\nRestart=always\nRestartSec=1s\n";

    private static IEnumerable<Port> OfMonitor(FleetModel fleet)
    {
        yield return new(Prometheus, "tcp", "Prometheus", Reach.Management);
        yield return new(Alertmanager, "tcp", "Alertmanager", Reach.Management);
        if (fleet.With(Name).Count < 2)
            yield break;
        yield return new(Prometheus, "tcp", "Prometheus", Reach.Roles) { From = [Name] };
        yield return new(Alertmanager, "tcp", "Alertmanager", Reach.Roles) { From = [Name] };
        yield return new(AlertmanagerPeers, "tcp", "Alertmanager's peers", Reach.Roles) { From = [Name] };
        yield return new(AlertmanagerPeers, "udp", "Alertmanager's peers", Reach.Roles) { From = [Name] };
    }

    private static IEnumerable<Finding> Check(FleetModel fleet)
    {
        var monitors = fleet.With(Name);
        if (monitors.Count == 0)
            yield break;
        if (monitors.Count == 1 && fleet.Machines.Count > 1)
        {
            yield return new("monitor-single", Severity.Warning, Places.Of(monitors[0], Name), $"Only {monitors[0].Name} watches: nobody is told when it dies.", "Give a second machine the role monitor.");
        }

        if (!File.Exists(Path.Combine(fleet.SecretsFolder, SlackSecret)))
        {
            yield return new("monitor-silent", Severity.Warning, Places.Of(monitors[0], Name), $"The secret {SlackSecret} is not there: alerts are shown by Alertmanager, and sent to nobody.",
                $"Make an incoming webhook in Slack and put its address into the secret {SlackSecret}.");
        }

        if (fleet.Get(MonitorSettings.DownAfter) < fleet.Get(MonitorSettings.Every))
        {
            yield return new("monitor-hasty", Severity.Warning, Places.Of(fleet, MonitorSettings.DownAfter), "monitor.down_after is shorter than the time between two looks: one lost packet alerts people.",
                "Make it at least twice monitor.every.");
        }
    }

    private static void Build(RoleScope scope)
    {
        scope.Package("prometheus", "prometheus-alertmanager", "curl")
            .File(RulesFile, AlertRules.Of(scope.Fleet), file => file with { Check = "promtool check rules \"$new\"" })
            .File(PrometheusFile, PrometheusConfig.Of(scope), file => file with { Check = "promtool check config \"$new\"" })
            .File(PrometheusArguments, Invariant($"ARGS=\"--web.listen-address={scope.Address}:{Prometheus} --storage.tsdb.retention.time={(long)scope.Get(MonitorSettings.Keep).TotalHours}h\"\n"))
            .File(PrometheusDropIn, TryAgain)
            .File(DashboardFile, FleetDashboard.Of(scope.Fleet))
            .Unit("prometheus.service", with: unit => unit with { RestartOn = [PrometheusArguments, PrometheusDropIn], ReloadOn = [PrometheusFile, RulesFile] });
        var peers = string.Concat(scope.Members.Where(peer => peer != scope.Machine).Select(peer => Invariant($" --cluster.peer={scope.AddressOf(peer)}:{AlertmanagerPeers}")));
        var cluster = scope.Members.Count > 1 ? Invariant($"{scope.Address}:{AlertmanagerPeers}{peers}") : "";
        scope.File(AlertmanagerFile, AlertmanagerConfig.Of(scope), file => file with { Mode = "0640", Group = "prometheus", Secret = true, Check = "amtool check-config \"$new\"" })
            .File(AlertmanagerArguments, Invariant($"ARGS=\"--web.listen-address={scope.Address}:{Alertmanager} --cluster.listen-address={cluster}\"\n"))
            .File(AlertmanagerDropIn, TryAgain)
            .Unit("prometheus-alertmanager.service", with: unit => unit with { RestartOn = [AlertmanagerArguments, AlertmanagerDropIn], ReloadOn = [AlertmanagerFile] })
            .Healthy("Prometheus answers", Invariant($"curl -fsS -o /dev/null --max-time 2 http://{scope.Address}:{Prometheus}/-/ready"))
            .Healthy("Alertmanager answers", Invariant($"curl -fsS -o /dev/null --max-time 2 http://{scope.Address}:{Alertmanager}/-/ready"));
    }
}
