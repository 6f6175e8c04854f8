using System.Net;
using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Web;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>What HAProxy reads (2.4 and later): who gets which request, and what is healthy.</summary>
internal static class HaproxyConfig
{
    /// <summary>The whole file.</summary>
    public static string Of(RoleScope scope)
    {
        var text = new StringBuilder();
        AddGlobal(text, scope);
        AddDefaults(text, scope);
        AddInternal(text, scope);
        AddFront(text, scope);
        AddBackends(text, scope);
        HaproxyDatabases.Add(text, scope);
        return text.ToString();
    }

    /// <summary>
    /// An address to listen on. The virtual address is on another machine most of the time, and at boot the machine's own may still be missing: <c>transparent</c> binds all the
    /// same, without a kernel setting that containers do not allow.
    /// </summary>
    public static string Bind(IPAddress? address, int port) => address is null ? Invariant($"bind :{port}") : Invariant($"bind {address}:{port} transparent");

    /// <summary>Milliseconds, as HAProxy takes every time.</summary>
    public static string Time(TimeSpan span) => Invariant($"{(long)span.TotalMilliseconds}ms");

    private static void AddGlobal(StringBuilder text, RoleScope scope) => text.Append(Invariant(
        $"""
        global
            log /dev/log local0
            chroot /var/lib/haproxy
            user haproxy
            group haproxy
            daemon
            maxconn {scope.Get(BalancerSettings.ConnectionsMax)}
            stats socket /run/haproxy/admin.sock mode 660 level admin
            stats timeout 30s
            localpeer {scope.Machine.Name}
            ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
            ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305


        """));

    private static void AddDefaults(StringBuilder text, RoleScope scope)
    {
        var given = scope.Get(BalancerSettings.SilenceMax);
        var silence = given == TimeSpan.Zero ? "24d" : Time(given);
        var why = given == TimeSpan.Zero
            ? """
                  # A call may be silent for as long as it runs, and a WebSocket for as long as its page is open: silence ends nothing (24 days are the most that can be
                  # written). Whether the other machine still lives is asked of its kernel instead: keepalives on idle connections, and an end to those
                  # whose data nobody acknowledges (tcp-ut).
              """
            : "    # As balancer.silence_max says.";
        text.Append(Invariant(
            $"""
            defaults
                mode http
                log global
                option dontlognull
                maxconn {scope.Get(BalancerSettings.ConnectionsMax)}
                timeout connect 500ms
            {why}
                timeout client {silence}
                timeout server {silence}
                timeout tunnel {silence}
                timeout http-request 10s
                timeout http-keep-alive 75s
                timeout queue 30s
                # A server that is gone shows when connecting; one that is busy may take a moment to answer.
                timeout check 2s
                option clitcpka
                clitcpka-idle 30s
                clitcpka-intvl 5s
                clitcpka-cnt 3
                option srvtcpka
                srvtcpka-idle 5s
                srvtcpka-intvl 1s
                srvtcpka-cnt 3
                retries 3
                option redispatch 1
                default-server check inter {Time(scope.Get(BalancerSettings.CheckEvery))} fastinter 200ms downinter {Time(scope.Get(BalancerSettings.CheckEvery))} fall 2 rise 2 tcp-ut 2s

            peers fleet

            """));
        foreach (var peer in scope.Members)
            text.Append(Invariant($"    peer {peer.Name} {scope.AddressOf(peer)}:{BalancerPorts.Peers}\n"));
        text.Append('\n');
    }

    private static void AddInternal(StringBuilder text, RoleScope scope) => text.Append(Invariant(
        $"""
        frontend internal
            bind 127.0.0.1:{BalancerPorts.Internal}
            {Bind(scope.Address, BalancerPorts.Internal)}
            monitor-uri /alive
            http-request use-service prometheus-exporter if {"{"} path /metrics {"}"}
            option dontlog-normal
            stats enable
            stats uri /
            stats refresh 5s


        """));

    private static void AddFront(StringBuilder text, RoleScope scope)
    {
        var vip = scope.Fleet.Front?.Vip;
        var tls = scope.Get(BalancerSettings.Tls);
        var hasServers = scope.Fleet.With(ServerRole.Name).Count > 0;
        var hasWeb = scope.Fleet.With(WebRole.Name).Count > 0;
        text.Append(Invariant($"frontend front\n    {Bind(vip, 80)}\n"));
        if (tls)
            text.Append(Invariant($"    {Bind(vip, 443)} ssl crt {BalancerRole.TlsFile} alpn h2,http/1.1\n"));
        text.Append(Invariant(
            $$"""
                option httplog
                option forwardfor
                http-request return status 200 content-type text/plain string ok if { path {{BalancerRole.HealthPath}} }
            {{(tls ? "    http-request redirect scheme https code 308 unless { ssl_fc } || { path_beg /.well-known/acme-challenge/ }\n" : "")}}    # Only what this machine saw itself is told on.
                http-request del-header X-Forwarded-For
                http-request set-header X-Forwarded-Proto http
            {{(tls ? "    http-request set-header X-Forwarded-Proto https if { ssl_fc }\n" : "")}}
            """));
        AddPaths(text, "api", scope.Get(BalancerSettings.ApiPaths));
        AddPaths(text, "auth", scope.Get(BalancerSettings.AuthPaths));
        AddPaths(text, "socket", scope.Get(BalancerSettings.SocketPaths));
        text.Append("    acl websocket hdr(Upgrade) -i websocket\n");
        if (hasServers)
        {
            text.Append(hasWeb ? "    use_backend sockets if websocket api or websocket auth or websocket socket\n    use_backend web_sockets if websocket\n" : "    use_backend sockets if websocket\n");
            text.Append("    use_backend auth if auth\n    use_backend api if api or socket\n");
        }
        else if (hasWeb)
        {
            text.Append("    use_backend web_sockets if websocket\n");
        }

        text.Append(hasWeb ? "    default_backend web\n\n" : hasServers ? "    default_backend api\n\n" : "    http-request return status 503\n\n");
    }

    private static void AddPaths(StringBuilder text, string name, IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
            text.Append(Invariant($"    acl {name} always_false\n"));
        else
            text.Append(Invariant($"    acl {name} path {string.Join(' ', paths)}\n    acl {name} path_beg {string.Join(' ', paths.Select(path => path.TrimEnd('/') + "/"))}\n"));
    }

    private static void AddBackends(StringBuilder text, RoleScope scope)
    {
        // This page comes from memory. The health of what a server depends on is not asked here: one database that is down would take every server out.
        const string alive = "/errors/DURE0400";
        var servers = scope.Fleet.With(ServerRole.Name);
        if (servers.Count > 0)
        {
            AddBackend(text, scope, "api", "leastconn", alive, servers, ServerRole.Port);
            AddBackend(text, scope, "auth", "roundrobin", alive, servers, ServerRole.Port);
            AddBackend(text, scope, "sockets", "source", alive, servers, ServerRole.Port);
        }

        var web = scope.Fleet.With(WebRole.Name);
        if (web.Count == 0)
            return;
        AddBackend(text, scope, "web", "roundrobin", WebRole.HealthPath, web, scope.Get(WebSettings.Port));
        AddBackend(text, scope, "web_sockets", "source", WebRole.HealthPath, web, scope.Get(WebSettings.Port));
    }

    // What was not yet sent is tried elsewhere, whatever it is; what was sent only when sending it twice does no harm.
    private static void AddBackend(StringBuilder text, RoleScope scope, string name, string balance, string health, IReadOnlyList<Machine> servers, int port)
    {
        text.Append(Invariant(
            $$"""
            backend {{name}}
                balance {{balance}}
            {{(balance == "source" ? "    hash-type consistent\n" : "")}}    option httpchk
                http-check send meth GET uri {{health}} ver HTTP/1.1 hdr Host {{(scope.Fleet.Domain.Length > 0 ? scope.Fleet.Domain : "fleet")}}
                http-check expect status 200
                retry-on conn-failure empty-response
                acl idempotent method GET HEAD OPTIONS
                http-request disable-l7-retry unless idempotent
            {{(servers.Count == 1 ? "    # Nobody else could answer: while it is slow, its callers wait; when it starts again, it serves at once.\n    timeout check 10s\n    default-server rise 1 downinter 200ms\n" : "")}}
            """));
        // A static file is asked for again within the second; a call is worth waiting for a network that stumbles.
        var patience = name == "web" ? " tcp-ut 1s" : "";
        foreach (var server in servers)
            text.Append(Invariant($"    server {server.Name} {scope.AddressOf(server)}:{port}{patience}\n"));
        text.Append('\n');
    }
}
