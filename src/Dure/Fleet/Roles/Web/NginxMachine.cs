using Dure.Edge.Waf;
using Dure.Fleet.Desired;

namespace Dure.Fleet.Roles.Web;

/// <summary>How a machine gets its nginx, whichever role it has.</summary>
internal static class NginxMachine
{
    /// <summary>Where published apps put their snippets. The folder and the line that reads it are the fleet's; the snippets are their apps'.</summary>
    public const string Snippets = "/etc/dure/nginx.d";

    public const string TlsFile = "/etc/nginx/tls/fleet.pem";

    private const string Http = "/etc/nginx/conf.d";
    private const string ConfigFile = "/etc/nginx/nginx.conf";
    private const string DropIn = "/etc/systemd/system/nginx.service.d/dure.conf";

    public static void Build(RoleScope scope, NginxSite site)
    {
        scope.Package("nginx", "curl").Folder(Snippets).Folder(site.Root);
        if (site.Tls)
        {
            scope.Package("openssl")
                .Folder("/etc/nginx/tls", "0700")
                .File(TlsFile, scope.Secret("tls").TrimEnd() + "\n", file => file with { Mode = "0600", Secret = true, Check = "openssl x509 -noout -in \"$new\" && openssl pkey -noout -in \"$new\"" });
        }

        if (site.Waf.Looks)
        {
            scope.Package([.. WafNginx.Packages]).Folder(WafNginx.LogFolder, "0750")
                .File($"{Http}/{WafNginx.RulesFile}", WafRules.Text())
                .File($"{Http}/{WafNginx.HttpFile}", WafNginx.Http(site.Waf.Rates, Http, fleet: true))
                .File(WafNginx.RotateFile, WafNginx.Rotate);
        }

        string[] read = [ConfigFile, .. site.Tls ? [TlsFile] : Array.Empty<string>(), .. site.Waf.Looks ? [$"{Http}/{WafNginx.RulesFile}", $"{Http}/{WafNginx.HttpFile}"] : Array.Empty<string>()];
        // The candidate lies in the same folder, so what it includes by a relative path is found.
        scope.NoFile("/etc/nginx/sites-enabled/default")
            .File(ConfigFile, NginxConfig.Of(scope, site), file => file with { Check = "nginx -t -q -c \"$new\"" })
            .File(DropIn, "# The distribution's unit stays down when nginx dies, or comes before its address does.\n[Unit]\nStartLimitIntervalSec=0\n\n[Service]\nRestart=always\nRestartSec=500ms\n")
            .Unit("nginx.service", with: unit => unit with { RestartOn = [DropIn], ReloadOn = read });
    }
}
