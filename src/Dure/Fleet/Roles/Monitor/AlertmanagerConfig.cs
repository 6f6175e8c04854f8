using System.Text;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>What Alertmanager reads.</summary>
internal static class AlertmanagerConfig
{
    /// <summary>The whole file. Without the webhook's address alerts are shown, and sent to nobody.</summary>
    public static string Of(RoleScope scope)
    {
        var webhook = scope.Secret(MonitorRole.SlackSecret)?.Trim() ?? "";
        var receiver = webhook.Length > 0 ? "slack" : "nobody";
        var text = new StringBuilder();
        text.Append(Invariant(
            $"""
            route:
              receiver: {receiver}
              group_by: [alertname]
              group_wait: 2s
              group_interval: 30s
              repeat_interval: 4h

            inhibit_rules:
              # A machine that is down says enough: what is missing on it follows.
              - source_matchers: [alertname = ServerDown]
                target_matchers: [alertname != ServerDown]
                equal: [machine]

            receivers:
              - name: nobody

            """));
        if (webhook.Length == 0)
            return text.ToString();
        var channel = scope.Get(MonitorSettings.SlackChannel);
        text.Append(Invariant(
            $$$"""
              - name: slack
                slack_configs:
                  - api_url: {{{Quoted(webhook)}}}
            {{{(channel.Length > 0 ? $"        channel: {Quoted(channel)}\n" : "")}}}        send_resolved: true
                    title: '{{ .Status | toUpper }} {{ .CommonLabels.alertname }} ({{ .CommonLabels.fleet }})'
                    text: '{{ range .Alerts }}{{ .Annotations.summary }}{{ "\n" }}{{ end }}'

            """));
        return text.ToString();
    }

    // YAML in single quotes knows no escapes but the quote itself.
    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
