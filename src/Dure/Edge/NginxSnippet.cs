using System.Globalization;
using System.Text;
using Dure.Edge.Waf;

namespace Dure.Edge;

/// <summary>What nginx (1.18 and later) reads of one app: locations, for inside a <c>server</c>. It asks nothing of the rest of the configuration but <see cref="Shared"/>.</summary>
public static class NginxSnippet
{
    /// <summary>The first line of everything that is ours.</summary>
    public const string Mark = "# Made by Dure";

    /// <summary>For inside <c>http</c>, once for all apps: what nginx takes there only. Each asset crosses the uplink of the machine with the apps once; nobody's session with Dure's own portal is shown to an app.</summary>
    public const string Shared = Mark + """
         for published apps; gone with the last of them.
        proxy_cache_path /var/cache/nginx/dure-apps levels=1:2 keys_zone=dure_apps:8m max_size=2g inactive=30d use_temp_path=off;

        map $http_upgrade $dure_connection {
            default upgrade;
            "" "";
        }

        # A cookie may come several times. What is left of ours after three takes all the others along.
        map $http_cookie $dure_cookie_1 {
            default $http_cookie;
            "~^(?<dure_before_1>.*?)(?:^|;) ?dure_(?:session|app|app_state)=[^;]*;? ?(?<dure_after_1>.*)$" "$dure_before_1; $dure_after_1";
        }

        map $dure_cookie_1 $dure_cookie_2 {
            default $dure_cookie_1;
            "~^(?<dure_before_2>.*?)(?:^|;) ?dure_(?:session|app|app_state)=[^;]*;? ?(?<dure_after_2>.*)$" "$dure_before_2; $dure_after_2";
        }

        map $dure_cookie_2 $dure_cookie_3 {
            default $dure_cookie_2;
            "~^(?<dure_before_3>.*?)(?:^|;) ?dure_(?:session|app|app_state)=[^;]*;? ?(?<dure_after_3>.*)$" "$dure_before_3; $dure_after_3";
        }

        map $dure_cookie_3 $dure_cookie {
            default $dure_cookie_3;
            "~(?:^|;) ?dure_(?:session|app|app_state)=" "";
            "~^[; ]*$" "";
        }

        # What follows a question mark may be a secret: no log gets it.
        map $request_uri $dure_path {
            "~^(?<dure_before_query>[^?]*)" $dure_before_query;
        }

        log_format dure_apps '$remote_addr [$time_iso8601] "$request_method $dure_path $server_protocol" $status $body_bytes_sent $request_time "$http_user_agent"';

        """;

    /// <summary>The snippet of a route.</summary>
    public static string Of(AppRoute route)
    {
        var text = new StringBuilder();
        void Line(string line = "") => text.Append(line).Append('\n');
        var bare = route.Prefix.TrimEnd('/');
        Line($"{Mark}: {route.Tag}. Changes by hand are lost with the next publish.");
        Line($"location = {bare} {{");
        Line("    absolute_redirect off;");
        Line($"    return 308 {route.Prefix}$is_args$args;");
        Line("}");
        Line();
        Line($"location ^~ {route.Prefix} {{");
        Enter(Line, route);
        Look(Line, route);
        Pass(Line, route);
        if (route.CachesHashed)
            Assets(Line, route);
        Line("}");
        if (route.WakeAt is not null)
            Wake(Line, route);
        if (route.Waf.Looks)
        {
            Aside(Line, route, WafNginx.Passing, "Bodies that nobody looks at: what came before them was looked at.", route.BodyBytes);
            Aside(Line, route, WafNginx.Unknown, "Bodies of unknown length, read to their end before anybody looks.",
                route.BodyBytes is 0 or > WafNginx.UnknownBytesMost ? WafNginx.UnknownBytesMost : route.BodyBytes);
        }

        NginxEntrance.Locations(Line, route, Headers);
        return text.ToString();
    }

    private static void Enter(Action<string> line, AppRoute route)
    {
        Logs(line, route, "    ");
        if (route.IsGuarded)
            NginxEntrance.Ask(line, route);
    }

    private static void Pass(Action<string> line, AppRoute route, string aside = "")
    {
        Forward(line, route, "    ", aside);
        line("");
        line("    # What is sent is passed on as it comes: events, uploads, WebSockets.");
        line("    proxy_buffering off;");
        line($"    proxy_request_buffering {(route.WakeAt is null ? "off" : "on")};");
        if (route.WakeAt is not null)
        {
            line("");
            line("    # It may sleep: who wakes it passes the request on, whose body has to be there as a whole.");
            line("    proxy_intercept_errors off;");
            line($"    error_page 502 = {Waker(route)};");
        }

        Headers(line, route, "    ");
    }

    /// <summary>Where nginx writes about an app; Debian's logrotate sees to these as to its others.</summary>
    public static string LogOf(string id, string kind) => $"/var/log/nginx/dure-{id}.{kind}.log";

    private static void Logs(Action<string> line, AppRoute route, string indent)
    {
        line(indent + $"access_log {LogOf(route.Id, "access")} dure_apps;");
        line(indent + $"error_log {LogOf(route.Id, "error")};");
    }

    private static string Waker(AppRoute route) => $"@dure_wake_{route.Id}";

    // The address as it was asked for: the prefix may have been taken off it by then.
    private static void Wake(Action<string> line, AppRoute route)
    {
        line("");
        line($"location {Waker(route)} {{");
        // What was sent and not answered may have been done: only what can be asked for twice, or never reached the app, is passed on.
        line("    set $dure_sent \"$request_method $upstream_connect_time\";");
        line("    if ($dure_sent !~ \"^(GET|HEAD|OPTIONS) | -$\") {");
        line("        return 502;");
        line("    }");
        line("");
        Forward(line, route with { KeepsPrefix = true }, "    ", to: route.WakeAt + "$request_uri");
        line("    proxy_buffering off;");
        Headers(line, route, "    ");
        line("}");
    }

    // A WebSocket says which session it continues, and Referer is no header of its handshake: to the rules, somebody who plants a session.
    private static WafExclusion Handshake(AppRoute route) => new("943120", route.Prefix, "session_id");

    private static void Look(Action<string> line, AppRoute route)
    {
        if (!route.Waf.Looks)
            return;
        foreach (var text in WafLocation.Lines(route.Waf, Handshake(route)).Concat(WafNginx.Limits(route.Rates)).Concat(WafLocation.Divert()))
            line("    " + text);
        line("");
    }

    private static void Aside(Action<string> line, AppRoute route, string where, string why, long bytes)
    {
        line("");
        line($"# {why}");
        line($"location ^~ {where}{route.Prefix} {{");
        line("    internal;");
        // nginx comes here before it asked who may enter.
        Enter(line, route);
        foreach (var text in where == WafNginx.Unknown ? WafLocation.Lines(route.Waf, Handshake(route)) : ["modsecurity off;"])
            line("    " + text);
        foreach (var text in WafNginx.Limits(route.Rates))
            line("    " + text);
        Pass(line, route with { BodyBytes = bytes }, where);
        line("}");
    }

    /// <param name="aside">What nginx itself put before the path.</param>
    /// <param name="to">Who is asked; null for the app.</param>
    private static void Forward(Action<string> line, AppRoute route, string indent, string aside = "", string? to = null)
    {
        void Put(string text) => line(indent + text);
        if (!route.KeepsPrefix)
            Put($"rewrite ^{aside}{route.Prefix}(.*)$ /$1 break;");
        // As it was asked for, byte by byte; a path that was changed is written anew.
        Put(FormattableString.Invariant($"proxy_pass {to ?? route.Upstream}{(aside.Length > 0 && route.KeepsPrefix ? "$request_uri" : "")};"));
        Put("proxy_http_version 1.1;");
        Put("proxy_set_header Host $http_host;");
        Put("proxy_set_header Upgrade $http_upgrade;");
        Put("proxy_set_header Connection $dure_connection;");
        Put("proxy_set_header Cookie $dure_cookie;");
        Put("proxy_set_header X-Real-IP $remote_addr;");
        Put("proxy_set_header X-Forwarded-For $remote_addr;");
        Put("proxy_set_header X-Forwarded-Proto $scheme;");
        Put("proxy_set_header X-Forwarded-Host $http_host;");
        Put($"proxy_set_header X-Forwarded-Prefix {route.Prefix.TrimEnd('/')};");
        Put($"proxy_connect_timeout {Seconds(route.ConnectWithin)}s;");
        Put($"proxy_read_timeout {Seconds(AppRoute.SilenceMost)}s;");
        Put($"proxy_send_timeout {Seconds(AppRoute.SilenceMost)}s;");
        // Silence ends nothing; whether the other side still lives is asked of its kernel.
        Put("proxy_socket_keepalive on;");
        Put(FormattableString.Invariant($"client_max_body_size {route.BodyBytes};"));
    }

    // A location with one add_header inherits none, so each has all of them.
    private static void Headers(Action<string> line, AppRoute route, string indent)
    {
        line(indent + $"proxy_hide_header {AppRoute.VersionHeader};");
        line(indent + $"add_header {AppRoute.VersionHeader} \"{route.Tag}\" always;");
        foreach (var (name, value) in SecurityHeaders.All)
        {
            line(indent + $"proxy_hide_header {name};");
            line(indent + $"add_header {name} \"{value}\" always;");
        }
    }

    private static void Assets(Action<string> line, AppRoute route)
    {
        line("");
        line("    # The name holds a hash of the content: kept here and by browsers.");
        line($"    location ~ \"^{route.Prefix}{HashedAssets.Pattern}\" {{");
        if (route.Waf.Looks)
            line("        " + WafLocation.Asset);
        Forward(line, route, "        ");
        line("        proxy_buffering on;");
        line("        proxy_cache dure_apps;");
        line($"        proxy_cache_key {route.Id}$uri$is_args$args;");
        line("        proxy_cache_valid 200 30d;");
        line("        proxy_cache_lock on;");
        line("        proxy_cache_use_stale error timeout updating http_502 http_503 http_504;");
        line("        proxy_hide_header Cache-Control;");
        line($"        add_header Cache-Control \"{HashedAssets.CacheControlOf(route)}\";");
        line("        add_header Dure-Cache $upstream_cache_status;");
        Headers(line, route, "        ");
        line("    }");
    }

    private static string Seconds(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
