using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>One picture of a dashboard.</summary>
/// <param name="Unit">As Grafana calls it: <c>percent</c>, <c>bytes</c>, <c>s</c>, <c>short</c>.</param>
/// <param name="Expression">In Prometheus' language.</param>
/// <param name="Legend">What a line is called, from its labels.</param>
/// <param name="IsState">Shown as the last value of each series in a colour: 1 is green, 0 red.</param>
internal sealed record DashboardPanel(string Title, string Unit, string Expression, string Legend, bool IsState = false);

/// <summary>The fleet at a glance: as data, and as Grafana reads it (schema 38).</summary>
internal static class FleetDashboard
{
    private const int PanelsInRow = 3;
    private const int ColumnsOfGrafana = 24;
    private const int RowsOfPanel = 8;

    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is shown of a fleet, in order.</summary>
    public static IReadOnlyList<DashboardPanel> Panels(FleetModel fleet) =>
    [
        new("Machines", "short", "up{job=\"node\"}", "{{machine}}", IsState: true),
        new("Services", "short", "min by (machine, role) (dure_role_up)", "{{role}} on {{machine}}", IsState: true),
        new("Alerts", "short", "sum by (alertname, machine) (ALERTS{alertstate=\"firing\"})", "{{alertname}} {{machine}}"),
        new("Processors", "percent", "100 * (1 - avg by (machine) (rate(node_cpu_seconds_total{mode=\"idle\"}[1m])))", "{{machine}}"),
        new("Memory", "percent", "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)", "{{machine}}"),
        new("Disks", "percent", "max by (machine, mountpoint) (100 - 100 * node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs|squashfs|iso9660|fuse.*\"} / node_filesystem_size_bytes)", "{{machine}} {{mountpoint}}"),
        new("Network in", "Bps", "sum by (machine) (rate(node_network_receive_bytes_total{device!=\"lo\"}[1m]))", "{{machine}}"),
        new("Network out", "Bps", "sum by (machine) (rate(node_network_transmit_bytes_total{device!=\"lo\"}[1m]))", "{{machine}}"),
        .. OfBalancers(fleet),
        .. OfPostgres(fleet),
        .. OfDure(fleet),
    ];

    /// <summary>The dashboard for Grafana.</summary>
    public static string Of(FleetModel fleet)
    {
        var panels = new JsonArray();
        foreach (var (index, panel) in Panels(fleet).Index())
            panels.Add(Grafana(panel, index));
        var dashboard = new JsonObject
        {
            ["uid"] = "dure-fleet",
            ["title"] = $"Fleet {fleet.Name}",
            ["schemaVersion"] = 38,
            ["editable"] = true,
            ["refresh"] = "10s",
            ["time"] = new JsonObject { ["from"] = "now-1h", ["to"] = "now" },
            ["templating"] = new JsonObject
            {
                ["list"] = new JsonArray(new JsonObject { ["name"] = "datasource", ["label"] = "Prometheus", ["type"] = "datasource", ["query"] = "prometheus" }),
            },
            ["panels"] = panels,
        };
        return dashboard.ToJsonString(Written) + "\n";
    }

    private static IEnumerable<DashboardPanel> OfBalancers(FleetModel fleet)
    {
        if (fleet.With("balancer").Count == 0)
            yield break;
        yield return new("Requests", "reqps", "sum by (proxy) (rate(haproxy_backend_http_requests_total[1m]))", "{{proxy}}");
        yield return new("Answers by kind", "reqps", "sum by (code) (rate(haproxy_frontend_http_responses_total{proxy=\"front\"}[1m]))", "{{code}}");
        yield return new("Servers behind the balancers", "short", "min by (proxy, server) (haproxy_server_status{state=\"UP\"})", "{{proxy}} {{server}}", IsState: true);
    }

    private static IEnumerable<DashboardPanel> OfPostgres(FleetModel fleet)
    {
        if (fleet.With("postgres").Count == 0)
            yield break;
        yield return new("PostgreSQL's primary", "short", "patroni_primary", "{{machine}}");
        yield return new("Replicas behind", "bytes", "scalar(max(patroni_xlog_location)) - max by (machine) (patroni_xlog_replayed_location and patroni_replica == 1)", "{{machine}}");
    }

    private static IEnumerable<DashboardPanel> OfDure(FleetModel fleet)
    {
        if (fleet.With("dure").Count == 0)
            yield break;
        yield return new("Invocations that wait", "short", "sum by (function) (dure_function_waiting)", "{{function}}");
        yield return new("Invocations that run", "short", "sum by (function) (dure_function_running)", "{{function}}");
        yield return new("Ended invocations", "ops", "sum by (state) (rate(dure_function_invocations_total[5m]))", "{{state}}");
    }

    private static JsonObject Grafana(DashboardPanel panel, int index)
    {
        const int width = ColumnsOfGrafana / PanelsInRow;
        var source = new JsonObject { ["type"] = "prometheus", ["uid"] = "${datasource}" };
        var defaults = new JsonObject { ["unit"] = panel.Unit };
        if (panel.IsState)
        {
            JsonObject Step(string colour, JsonNode? from) => new() { ["color"] = colour, ["value"] = from };
            defaults["thresholds"] = new JsonObject { ["mode"] = "absolute", ["steps"] = new JsonArray(Step("red", null), Step("green", 1)) };
        }

        return new JsonObject
        {
            ["id"] = index + 1,
            ["title"] = panel.Title,
            ["type"] = panel.IsState ? "stat" : "timeseries",
            ["datasource"] = source,
            ["gridPos"] = new JsonObject { ["x"] = index % PanelsInRow * width, ["y"] = index / PanelsInRow * RowsOfPanel, ["w"] = width, ["h"] = RowsOfPanel },
            ["fieldConfig"] = new JsonObject { ["defaults"] = defaults, ["overrides"] = new JsonArray() },
            ["targets"] = new JsonArray(new JsonObject { ["refId"] = "A", ["datasource"] = source.DeepClone(), ["expr"] = panel.Expression, ["legendFormat"] = panel.Legend }),
        };
    }
}
