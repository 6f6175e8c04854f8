using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;

namespace Dure.Fleet.Roles.Web;

/// <summary>nginx that stands at the door by itself.</summary>
internal static class EdgeRole
{
    public const string Name = "edge";

    public static readonly RoleKind Kind = new(Name, "nginx at the door, with TLS of its own: static files, published apps, and everything else passed on to Dure.", Build)
    {
        Settings = [WebSettings.EdgeTls, WebSettings.EdgeRoot, .. WebSettings.EdgeWaf.All],
        Secrets = static fleet => fleet.Get(WebSettings.EdgeTls)
            ? [new("tls", "Certificate with its chain and private key (PEM) of the fleet's domain.", SecretKind.Given)]
            : [],
        Ports = static fleet => fleet.Get(WebSettings.EdgeTls)
            ? [new(80, "tcp", "HTTP", Reach.World), new(443, "tcp", "HTTPS", Reach.World)]
            : [new(80, "tcp", "HTTP", Reach.World)],
        Services = static _ => [new("Public web", "web", new Condition.AnyOf(Name))],
        Demand = static _ => new(0.5, 256L << 20, 2L << 30),
        Data = [WebSettings.EdgeRoot.Default],
        Check = Check,
        Rolling = true,
    };

    private static IEnumerable<Finding> Check(FleetModel fleet)
    {
        foreach (var machine in fleet.With(Name))
        {
            if (machine.Has(WebRole.Name))
            {
                yield return new("edge-and-web", Severity.Error, Places.Of(machine, Name), $"{machine.Name} cannot be edge and web: both are the nginx of the machine.", "Leave one of them out.");
            }

            if (machine.Has(BalancerRole.Name) && fleet.Front is null)
            {
                yield return new("edge-and-balancer", Severity.Error, Places.Of(machine, Name), $"nginx and HAProxy of {machine.Name} both want port 80.",
                    "Leave one of them out, or give the network of the balancer a virtual address.");
            }
        }

        if (fleet.With(Name).Count > 0 && !fleet.Get(WebSettings.EdgeTls))
        {
            yield return new("edge-plain", Severity.Warning, Places.Of(fleet, WebSettings.EdgeTls), "The edge speaks plain HTTP: passwords and tokens can be read on the way.", "Leave edge.tls out and give the secret tls.");
        }
    }

    private static void Build(RoleScope scope)
    {
        var tls = scope.Get(WebSettings.EdgeTls);
        var address = scope.Fleet.Networks.Select(network => network.Name == "public" ? scope.Machine.On(network.Name) : null).FirstOrDefault(found => found is not null);
        // With HAProxy on the same machine the ports of all addresses are not nginx's alone.
        var on = scope.Machine.Has(BalancerRole.Name) ? Quoting.Host(address ?? scope.Address) + ":" : "";
        NginxMachine.Build(scope, new NginxSite(tls ? [$"{on}80", $"{on}443"] : [$"{on}80"], tls, scope.Get(WebSettings.EdgeRoot), [], WebSettings.EdgeWaf.Of(scope)));
        var host = on.Length > 0 ? on.TrimEnd(':') : "127.0.0.1";
        scope.Healthy("nginx answers", $"curl -fsSk -o /dev/null --max-time 2 {(tls ? "https" : "http")}://{host}{WebRole.HealthPath}");
    }
}
