namespace Dure.Edge;

/// <summary>What nginx reads of who may enter an app: it asks <see cref="AppRoute.Gatekeeper"/> before each request, WebSockets too, and sends strangers to where they are let in.</summary>
internal static class NginxEntrance
{
    /// <summary>Inside the app's own location: nobody passes unasked.</summary>
    public static void Ask(Action<string> line, AppRoute route)
    {
        line($"    auth_request {route.Prefix}{AppRoute.Entrance}check;");
        line($"    error_page 401 = @dure_{route.Id}_stranger;");
    }

    /// <summary>Beside it. A guarded app has an entrance; that of one for everybody leads to the app itself, so that no old link is shown to its process.</summary>
    /// <param name="headers">Writes what every answer carries.</param>
    public static void Locations(Action<string> line, AppRoute route, Action<Action<string>, AppRoute, string> headers)
    {
        line("");
        line("# What comes here may carry a secret: no log gets it, and no app.");
        line($"location ^~ {route.Prefix}{AppRoute.Entrance} {{");
        line("    access_log off;");
        line("    error_log /dev/null emerg;");
        if (route is not { IsGuarded: true, Gatekeeper: { } gatekeeper })
        {
            line("    absolute_redirect off;");
            line($"    return 303 {route.Prefix};");
            line("}");
            return;
        }

        line($"    rewrite ^{route.Prefix}{AppRoute.Entrance.Replace(".", "\\.", StringComparison.Ordinal)}(.*)$ /open/{route.Id}/$1 break;");
        Forward(line, gatekeeper);
        line("    proxy_set_header Cookie \"dure_app_state=$cookie_dure_app_state\";");
        headers(line, route, "    ");
        line("}");
        line("");
        line($"location = {route.Prefix}{AppRoute.Entrance}check {{");
        line("    internal;");
        line("    error_log /dev/null emerg;");
        line($"    rewrite ^ /check/{route.Id} break;");
        // What the visitor sends is not sent here, however long it is.
        line("    client_max_body_size 0;");
        Forward(line, gatekeeper);
        line("    proxy_set_header Cookie \"dure_app=$cookie_dure_app\";");
        line("}");
        line("");
        line($"location @dure_{route.Id}_stranger {{");
        line($"    access_log {NginxSnippet.LogOf(route.Id, "access")} dure_apps;");
        line($"    error_log {NginxSnippet.LogOf(route.Id, "error")};");
        line($"    rewrite ^ /stranger/{route.Id}? break;");
        // nginx reads a body to its end although nobody gets it.
        line("    client_max_body_size 1m;");
        Forward(line, gatekeeper);
        line("    proxy_set_header Dure-Uri $request_uri;");
        line("    proxy_set_header Dure-Method $request_method;");
        line("    proxy_set_header Accept $http_accept;");
        line("    proxy_set_header Sec-Fetch-Mode $http_sec_fetch_mode;");
        headers(line, route, "    ");
        line("}");
    }

    // Nothing that the visitor sent goes along but what is named.
    private static void Forward(Action<string> line, string gatekeeper)
    {
        line($"    proxy_pass {gatekeeper};");
        line("    proxy_set_header Host $http_host;");
        line("    proxy_set_header X-Forwarded-Proto $scheme;");
        line("    proxy_method GET;");
        line("    proxy_pass_request_headers off;");
        line("    proxy_pass_request_body off;");
        // A length without a body would have the other side wait, or refuse.
        line("    proxy_set_header Content-Length \"\";");
        line("    proxy_set_header Transfer-Encoding \"\";");
        line("    proxy_connect_timeout 5s;");
        line("    proxy_read_timeout 15s;");
    }
}
