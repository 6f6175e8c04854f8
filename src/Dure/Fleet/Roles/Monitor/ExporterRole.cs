using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Web;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Monitor;

/// <summary>
/// What every machine of a fleet with a monitor has: the node exporter, and a watcher that tells it whether the roles of the machine work. It asks what each role itself calls
/// healthy, so no role needs an exporter of its own. It stands after all roles that it watches.
/// </summary>
internal static class ExporterRole
{
    public const string Name = "exporter";

    public const int Port = 9100;

    private const string Folder = "/var/lib/prometheus/node-exporter";
    private const string Arguments = "/etc/default/prometheus-node-exporter";
    private const string DropIn = "/etc/systemd/system/prometheus-node-exporter.service.d/dure.conf";
    private const string Script = "/usr/local/lib/dure/watch";
    private const string WatchUnit = "/etc/systemd/system/dure-watch.service";

    public static readonly RoleKind Kind = new(Name, "Every machine of a fleet with a monitor: what it measures, and whether its services work.", Build)
    {
        Everywhere = static fleet => fleet.Machines.Any(machine => machine.Has(MonitorRole.Name)),
        Ports = static _ => [new(Port, "tcp", "node exporter", Reach.Roles) { From = [MonitorRole.Name] }],
        Demand = static _ => new(0.05, 64L << 20, 100L << 20),
    };

    // What rules, dashboards and people look at. With the package's defaults each look also asks systemd for each of its units, which takes a fifth of a second of its processor time.
    private static readonly string Collectors = "--collector.disable-defaults "
        + string.Join(' ', new[] { "cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "stat", "textfile", "time", "uname" }.Select(name => "--collector." + name));

    private static void Build(RoleScope scope) => scope
        .Package("prometheus-node-exporter", "curl", "openssl")
        .File(Arguments, Invariant($"ARGS=\"--web.listen-address={Quoting.Host(scope.Address)}:{Port} --collector.textfile.directory={Folder} {Collectors}\"\n"))
        .File(DropIn, MonitorRole.TryAgain)
        .File(Script, WatchScript(scope), file => file with { Mode = "0700", Check = "sh -n \"$new\"" })
        .File(WatchUnit,
            $"""
            [Unit]
            Description=Tells the monitor whether the services of this machine work
            After=network-online.target

            [Service]
            ExecStart={Script}
            Restart=always
            RestartSec=2s
            Nice=5

            [Install]
            WantedBy=multi-user.target

            """)
        .Unit("prometheus-node-exporter.service", with: unit => unit with { RestartOn = [Arguments, DropIn] })
        .Unit("dure-watch.service", with: unit => unit with { RestartOn = [Script, WatchUnit] })
        .Healthy("The node exporter answers", Invariant($"curl -fsS -o /dev/null --max-time 5 http://{Quoting.Host(scope.Address)}:{Port}/metrics"));

    private static string WatchScript(RoleScope scope)
    {
        var text = new StringBuilder(
            $$"""
            #!/bin/sh
            # Every ten seconds, writes for the node exporter what is known here only: whether each role works as it says itself, when certificates end,
            # and what Dure's server measures, which only who owns its data may ask.
            folder={{Folder}}
            mkdir -p "$folder"
            role() {
                if timeout 8 sh -c "$3" >/dev/null 2>&1; then up=1; else up=0; fi
                printf 'dure_role_up{role="%s",check="%s"} %s\n' "$1" "$2" "$up"
            }
            certificate() {
                ends=$(openssl x509 -noout -enddate -in "$1" 2>/dev/null) || return 0
                printf 'dure_certificate_expires_seconds{file="%s"} %s\n' "$1" "$(date -d "${ends#notAfter=}" +%s)"
            }
            roles() {
                echo '# HELP dure_role_up Whether a role of this machine works, as it says itself.'
                echo '# TYPE dure_role_up gauge'

            """);
        foreach (var check in scope.HealthSoFar)
            text.Append(Invariant($"    role {Quoted(check.Role)} {Quoted(check.Name.Replace("\"", "", StringComparison.Ordinal))} {Quoted(check.Command)}\n"));
        text.Append(
            """
            }
            certificates() {
                echo '# HELP dure_certificate_expires_seconds When a certificate of this machine ends, Unix time.'
                echo '# TYPE dure_certificate_expires_seconds gauge'

            """);
        foreach (var file in scope.Machine.Has(BalancerRole.Name) || scope.Machine.Has(EdgeRole.Name) ? [BalancerRole.TlsFile, NginxMachine.TlsFile] : Array.Empty<string>())
            text.Append(Invariant($"    certificate {file}\n"));
        text.Append("}\nserver() {\n");
        text.Append(scope.Machine.Has(ServerRole.Name)
            ? Invariant(
                $$"""
                    printf 'header = "Authorization: Bearer %s"\n' "$(cat {{ServerRole.DataFolder}}/keys/owner.token)" \
                        | curl -fsS --max-time 5 -K - http://{{Quoting.Host(scope.Address)}}:{{ServerRole.Port}}/metrics 2>/dev/null \
                        | grep -E '^(# (HELP|TYPE) )?dure_'
                    return 0

                """)
            : "    return 0\n");
        text.Append(
            """
            }
            # A reader never sees half a file.
            write() { "$1" >"$folder/$2.new" && chmod 644 "$folder/$2.new" && mv "$folder/$2.new" "$folder/$2"; }
            while :; do
                write roles dure.prom
                write certificates dure-certificates.prom
                write server dure-server.prom
                sleep 10
            done

            """);
        return text.ToString();
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
