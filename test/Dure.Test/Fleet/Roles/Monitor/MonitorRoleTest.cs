using System.Text.Json.Nodes;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Monitor;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Roles.Monitor;

public sealed class MonitorRoleTest
{
    private const string Prometheus = "/etc/prometheus/prometheus.yml";
    private const string Alertmanager = "/etc/prometheus/alertmanager.yml";
    private const string Watch = "/usr/local/lib/dure/watch";

    private static readonly (string Name, string Text) Webhook = (MonitorRole.SlackSecret, "https://hooks.example.org/it's");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Roles of the door only, so that the golden file says nothing of how others are watched.
    private static FleetModel Fleet(string os = "debian-12") => FleetSamples.Of(os, [], ("n1", "balancer,monitor"), ("n2", "web,monitor"), ("n3", "dure"));

    [Theory]
    [InlineData("debian-12")]
    [InlineData("ubuntu-24.04")]
    public void A_monitor_is_what_its_golden_file_says(string os) => Golden.Same(RoleStates.State(Fleet(os), "n1", Webhook), "monitor", $"monitor-{os}");

    [Theory]
    [InlineData("n1")]
    [InlineData("n3")]
    public void Every_machine_is_watched_as_its_golden_file_says(string machine) => Golden.Same(RoleStates.State(Fleet(), machine), "exporter", $"exporter-{machine}");

    [Fact]
    public void Without_a_monitor_no_machine_measures_anything()
    {
        var state = RoleStates.State(FleetSamples.Of([], ("n1", "web")), "n1");
        Assert.DoesNotContain(state.Packages, package => package.Name == "prometheus-node-exporter");
    }

    [Fact]
    public async Task Prometheus_takes_its_configuration_and_rules_and_refuses_broken_ones()
    {
        var state = RoleStates.State(RoleStates.Door("debian-12"), "n1", Webhook);
        foreach (var (path, good, bad) in new[] { (Prometheus, "scrape_configs", "scrape_confgs"), (MonitorRole.RulesFile, "rate(", "rat(") })
        {
            var (code, text) = await Validators.Traffic.CheckAsync(state, path, Cancel);
            Assert.True(code == 0, text);
            Assert.NotEqual(0, (await Validators.Traffic.CheckAsync(state, path, Cancel, state.Text(path).Replace(good, bad, StringComparison.Ordinal))).Code);
        }
    }

    [Fact]
    public async Task Alertmanager_takes_its_configuration_with_and_without_Slack_and_refuses_a_broken_one()
    {
        foreach (var (secrets, receiver) in new[] { (new[] { Webhook }, "slack"), ([], "nobody") })
        {
            var state = RoleStates.State(RoleStates.Door("debian-12"), "n1", secrets);
            var (code, text) = await Validators.Traffic.CheckAsync(state, Alertmanager, Cancel);
            Assert.True(code == 0, text);
            var (routed, where) = await Validators.Traffic.RunAsync($"amtool config routes test --config.file={Alertmanager} --verify.receivers={receiver} alertname=ServerDown machine=n3", Cancel, (Alertmanager, state.Text(Alertmanager)));
            Assert.True(routed == 0, where);
            Assert.NotEqual(0, (await Validators.Traffic.CheckAsync(state, Alertmanager, Cancel, state.Text(Alertmanager).Replace("receiver: " + receiver, "receiver: somebody", StringComparison.Ordinal))).Code);
        }
    }

    [Fact]
    public async Task Every_alert_comes_when_it_should_and_not_before()
    {
        var state = RoleStates.State(RoleStates.Door("debian-12"), "n1");
        var tests = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "test/Dure.Test/Fleet/Roles/Monitor/alert-tests.yml"), Cancel);
        var (code, text) = await Validators.Traffic.RunAsync("promtool test rules /etc/tests.yml", Cancel, ("/etc/tests.yml", tests), (MonitorRole.RulesFile, state.Text(MonitorRole.RulesFile)));
        Assert.True(code == 0, text);

        // The same with rules that look for something else: each test can fail.
        var (bad, _) = await Validators.Traffic.RunAsync("promtool test rules /etc/tests.yml", Cancel, ("/etc/tests.yml", tests), (MonitorRole.RulesFile, state.Text(MonitorRole.RulesFile).Replace("> 40", "> 4", StringComparison.Ordinal)));
        Assert.NotEqual(0, bad);
        Assert.All(AlertRules.Table(RoleStates.Door("debian-12")), rule => Assert.Contains("alertname: " + rule.Name, tests, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_watcher_writes_what_the_node_exporter_reads()
    {
        var state = RoleStates.State(FleetSamples.Of([], ("n1", "balancer,monitor")), "n1");
        var (code, text) = await Validators.Traffic.RunAsync(
            $$"""
            mkdir -p /etc/haproxy/tls
            openssl req -x509 -newkey rsa:2048 -nodes -days 10 -subj /CN=lab -keyout /dev/null -out /etc/haproxy/tls/fleet.pem 2>/dev/null
            # Twice round would take ten seconds.
            sed 's/sleep 10/exit 0/' {{Watch}} >/watch && sh /watch || exit 8
            prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.textfile.directory=/var/lib/prometheus/node-exporter 2>/dev/null &
            for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do curl -fsS -o /metrics http://127.0.0.1:9100/metrics 2>/dev/null && break; sleep 0.5; done
            kill $!
            grep -E '^(dure_|node_textfile_scrape_error)' /metrics
            """,
            Cancel,
            (Watch, state.Text(Watch)));
        Assert.True(code == 0, text);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("dure_role_up{check=\"HAProxy works\",role=\"balancer\"} 0", lines);
        Assert.Contains("node_textfile_scrape_error 0", lines);
        Assert.Contains(lines, line => line.StartsWith("dure_certificate_expires_seconds{file=\"/etc/haproxy/tls/fleet.pem\"} 1.", StringComparison.Ordinal));
    }

    [Fact]
    public void The_dashboard_is_what_Grafana_reads_and_shows_what_the_fleet_has()
    {
        var dashboard = JsonNode.Parse(FleetDashboard.Of(RoleStates.Door("debian-12")))!;
        var panels = dashboard["panels"]!.AsArray();
        Assert.Equal(FleetDashboard.Panels(RoleStates.Door("debian-12")).Count, panels.Count);
        Assert.Equal(panels.Count, panels.Select(panel => (int)panel!["id"]!).Distinct().Count());
        Assert.Contains(panels, panel => (string?)panel!["title"] == "PostgreSQL's primary");
        var small = FleetDashboard.Of(FleetSamples.Of([], ("n1", "monitor")));
        Assert.DoesNotContain("patroni", small, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_picture_of_the_dashboard_is_a_question_that_Prometheus_understands()
    {
        // promtool checks expressions as rules.
        static string Rules(IEnumerable<string> expressions) =>
            "groups:\n  - name: panels\n    rules:\n" + string.Concat(expressions.Select((expression, index) => $"      - record: panel:{index}\n        expr: '{expression}'\n"));
        var panels = FleetDashboard.Panels(RoleStates.Door("debian-12")).Select(panel => panel.Expression).ToList();
        var (code, text) = await Validators.Traffic.RunAsync("promtool check rules /etc/panels.yml", Cancel, ("/etc/panels.yml", Rules(panels)));
        Assert.True(code == 0, text);
        Assert.NotEqual(0, (await Validators.Traffic.RunAsync("promtool check rules /etc/panels.yml", Cancel, ("/etc/panels.yml", Rules([.. panels, "sum by (a"])))).Code);
    }

    [Fact]
    public void Monitoring_that_reaches_nobody_is_found()
    {
        Assert.Equal(["monitor-single", "monitor-silent"], RoleStates.Found(MonitorRole.Kind, FleetSamples.Of([], ("n1", "monitor"), ("n2", "web"))));
        using var secrets = new Scratch();
        File.WriteAllText(secrets[MonitorRole.SlackSecret], "https://hooks.example.org/x");
        Assert.Empty(RoleStates.Found(MonitorRole.Kind, Fleet() with { SecretsFolder = secrets.Path }));
        Assert.Equal(["monitor-hasty"], RoleStates.Found(MonitorRole.Kind, FleetSamples.Of([("monitor.every", "10s")], ("n1", "monitor"), ("n2", "monitor")) with { SecretsFolder = secrets.Path }));
    }
}
