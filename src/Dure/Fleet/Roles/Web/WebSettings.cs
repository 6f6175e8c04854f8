using Dure.Host.Configuration;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Fleet.Roles.Web;

/// <summary>What can be set about nginx, behind the balancer and at the edge.</summary>
internal static class WebSettings
{
    public static readonly Setting<int> Port = Number("web.port", 8080, 1, 65535, "Port that nginx listens on behind the balancer.");

    public static readonly Setting<string> Root = Folder("web.root", "/srv/www", "Folder of static files; what is not in it is asked of Dure.");

    public static readonly WafSettings Waf = new("web");

    public static readonly WafSettings EdgeWaf = new("edge");

    public static readonly Setting<bool> EdgeTls = Switch("edge.tls", true, "Whether the edge speaks TLS, with the certificate and key of the secret tls (PEM); port 80 then only redirects.");

    public static readonly Setting<string> EdgeRoot = Folder("edge.root", "/srv/www", "Folder of static files; what is not in it is asked of Dure.");
}
