using System.Net;
using System.Text;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Server;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Web;

/// <summary>How nginx stands in a fleet.</summary>
/// <param name="Listen">Addresses with ports, or ports alone. With TLS the first is plain and redirects.</param>
/// <param name="Root">Folder of static files.</param>
/// <param name="TrustedProxies">Whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed: nobody else's.</param>
internal sealed record NginxSite(IReadOnlyList<string> Listen, bool Tls, string Root, IReadOnlyList<IPAddress> TrustedProxies, SiteWaf Waf);

/// <summary>What nginx reads (1.18 and later).</summary>
internal static class NginxConfig
{
    private const string Keepalive = "so_keepalive=30s:5s:3";

    /// <summary>The whole file.</summary>
    public static string Of(RoleScope scope, NginxSite site)
    {
        var text = new StringBuilder();
        text.Append(
            """
            user www-data;
            worker_processes auto;
            worker_rlimit_nofile 65536;
            pid /run/nginx.pid;
            error_log /var/log/nginx/error.log;
            include /etc/nginx/modules-enabled/*.conf;

            events {
                worker_connections 8192;
            }

            http {
                include /etc/nginx/mime.types;
                default_type application/octet-stream;
                access_log /var/log/nginx/access.log;
                server_tokens off;
                sendfile on;
                gzip on;
                gzip_types text/css text/javascript application/javascript application/json image/svg+xml;

                map $http_upgrade $connection_upgrade {
                    default upgrade;
                    "" "";
                }

            """);
        text.Append(
            """

                # What people put there themselves, and what published apps share: the server below refers to it.
                include /etc/nginx/conf.d/*.conf;

            """);
        AddForwarding(text, site);
        AddUpstream(text, scope);
        AddServers(text, scope, site);
        text.Append(
            """

                # What people put there themselves.
                include /etc/nginx/sites-enabled/*;
            }

            """);
        return text.ToString();
    }

    // Who the client is and whether it spoke TLS is told by the balancers alone; from anyone else it is what nginx sees itself.
    private static void AddForwarding(StringBuilder text, NginxSite site)
    {
        text.Append("\n    geo $realip_remote_addr $from_balancer {\n        default no;\n");
        foreach (var proxy in site.TrustedProxies)
            text.Append(Invariant($"        {proxy} yes;\n"));
        text.Append(
            """
                }
                map $from_balancer:$http_x_forwarded_proto $client_scheme {
                    default $scheme;
                    yes:https https;
                    yes:http http;
                }

            """);
        foreach (var proxy in site.TrustedProxies)
            text.Append(Invariant($"    set_real_ip_from {proxy};\n"));
        if (site.TrustedProxies.Count > 0)
            text.Append("    real_ip_header X-Forwarded-For;\n");
    }

    private static void AddUpstream(StringBuilder text, RoleScope scope)
    {
        var servers = scope.Fleet.With(ServerRole.Name);
        if (servers.Count == 0)
            return;
        text.Append("\n    upstream dure {\n        least_conn;\n");
        foreach (var server in servers)
            text.Append(Invariant($"        server {Quoting.Host(scope.Fleet.AddressOf(server))}:{ServerRole.Port} fail_timeout=2s;\n"));
        text.Append("        keepalive 64;\n    }\n");
    }

    private static void AddServers(StringBuilder text, RoleScope scope, NginxSite site)
    {
        var main = site.Listen;
        if (site.Tls)
        {
            main = [.. site.Listen.Skip(1)];
            text.Append(Invariant(
                $$"""

                    server {
                        listen {{site.Listen[0]}} default_server;
                        location = {{WebRole.HealthPath}} {
                            default_type text/plain;
                            return 200 "ok\n";
                        }
                        location /.well-known/acme-challenge/ {
                            root {{site.Root}};
                        }
                        location / {
                            return 308 https://$host$request_uri;
                        }
                    }

                """));
        }

        text.Append("\n    server {\n");
        foreach (var listen in main)
            text.Append(Invariant($"        listen {listen}{(site.Tls ? " ssl http2" : "")} default_server {Keepalive};\n"));
        if (site.Tls)
        {
            text.Append(Invariant(
                $"""
                        ssl_certificate {NginxMachine.TlsFile};
                        ssl_certificate_key {NginxMachine.TlsFile};
                        ssl_protocols TLSv1.2 TLSv1.3;
                        ssl_session_cache shared:fleet:10m;
                        ssl_session_tickets off;

                """));
        }

        text.Append(Invariant(
            $$"""
                    server_name {{(scope.Fleet.Domain.Length > 0 ? scope.Fleet.Domain : "_")}};
                    root {{site.Root}};
                    client_max_body_size 0;
                    client_body_timeout 1h;
                    send_timeout 20d;

                    location = {{WebRole.HealthPath}} {
                        access_log off;
                        default_type text/plain;
                        return 200 "ok\n";
                    }

                    # Published apps. Who publishes one owns its snippet here.
                    include {{NginxMachine.Snippets}}/*.conf;


            """));
        if (site.Waf.Looks)
            WafLocations.Add(text, site.Waf, scope.Fleet.With(ServerRole.Name).Count > 0);
        else
            AddLocations(text, scope);
        text.Append("    }\n");
    }

    private static void AddLocations(StringBuilder text, RoleScope scope)
    {
        if (scope.Fleet.With(ServerRole.Name).Count == 0)
        {
            text.Append("        location / {\n            try_files $uri $uri/index.html =404;\n        }\n");
            return;
        }

        text.Append(
            """
                    location / {
                        try_files $uri $uri/index.html @dure;
                    }
                    location /api/ {
                        try_files /dev/null @dure;
                    }
                    location @dure {
                        proxy_pass http://dure;
                        proxy_http_version 1.1;
                        proxy_set_header Host $http_host;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                        proxy_set_header X-Forwarded-For $remote_addr;
                        proxy_set_header X-Forwarded-Proto $client_scheme;
                        proxy_connect_timeout 1s;
                        # A call may be silent for as long as it runs, and a WebSocket for as long as its page is open: silence ends nothing (nginx counts
                        # milliseconds in 31 bits). Whether the other side still lives is asked of its kernel, by keepalives.
                        proxy_read_timeout 20d;
                        proxy_send_timeout 20d;
                        proxy_socket_keepalive on;
                        # What is sent is passed on as it comes: events, and uploads.
                        proxy_buffering off;
                        proxy_request_buffering off;
                    }

            """);
    }
}
