using System.Text;
using Dure.Edge.Waf;

namespace Dure.Fleet.Roles.Web;

/// <summary>The locations of an nginx whose requests a firewall looks at. nginx forgets what was found when it redirects by itself, so these rewrite, which keeps it.</summary>
internal static class WafLocations
{
    private const string Portal = "/.dure-portal";

    private const string Proxy =
        """
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $client_scheme;
        proxy_connect_timeout 1s;
        proxy_read_timeout 20d;
        proxy_send_timeout 20d;
        proxy_socket_keepalive on;
        proxy_buffering off;
        proxy_request_buffering off;
        """;

    // Packed code goes by whatever length is told; what people keep secret is neither judged nor written down.
    private static readonly string[] OfApi =
    [
        "modsecurity_rules '",
        "    SecRule REQUEST_LINE \"@rx ^POST /api/(?:functions|apps)/[^/? ]+/versions[? ]\" \"id:27090,phase:1,pass,nolog,t:none,setvar:tx.dure_bulk=1\"",
        "    SecAction \"id:27091,phase:1,pass,nolog,t:none,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:json.password,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:json.new_password,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:json.value\"",
        "';",
    ];

    public static void Add(StringBuilder text, SiteWaf waf, bool dure)
    {
        void Put(string line) => text.Append("        ").Append(line).Append('\n');
        void Location(string path, params IEnumerable<string> lines)
        {
            Put($"location {path} {{");
            foreach (var line in lines)
                Put("    " + line);
            Put("}");
        }

        IEnumerable<string> Look(WafProfile profile) => profile.Looks ? WafLocation.Lines(profile) : [];
        IEnumerable<string> Divert(WafProfile profile) => profile.Looks && dure ? WafLocation.Divert() : [];
        var limits = WafNginx.Limits(waf.Rates).ToList();
        if (!dure)
        {
            Location("/", [.. Look(waf.Portal), .. limits, "try_files $uri $uri/index.html =404;"]);
            return;
        }

        Put("set $dure_found \"\";");
        Put("if (-f $document_root$uri) { set $dure_found yes; }");
        Put("if (-f $document_root$uri/index.html) { set $dure_found yes; }");
        string[] ask = ["proxy_pass http://dure$request_uri;", .. Proxy.Split('\n')];
        Location("/", [.. Look(waf.Portal), .. limits, .. Divert(waf.Portal), $"if ($dure_found = \"\") {{ rewrite ^ {Portal}$uri last; }}", "try_files $uri $uri/index.html =404;"]);
        Location($"^~ {Portal}/", ["internal;", .. waf.Portal.Looks ? ["modsecurity on;"] : Array.Empty<string>(), .. limits, .. ask]);
        Location("/api/",
        [
            .. Look(waf.Api), .. waf.Api.Looks ? OfApi : [], .. limits,
            .. waf.Api.Looks ? ["if ($dure_upload) { rewrite ^ " + WafNginx.Passing + "$uri last; }"] : Array.Empty<string>(), .. Divert(waf.Api), .. ask,
        ]);
        Location($"^~ {WafNginx.Passing}/", ["internal;", "modsecurity off;", .. limits, .. ask]);
        Location($"^~ {WafNginx.Unknown}/", ["internal;", "modsecurity on;", FormattableString.Invariant($"client_max_body_size {WafNginx.UnknownBytesMost};"), .. limits, .. ask]);
    }
}
