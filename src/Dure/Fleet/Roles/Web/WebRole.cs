using System.Net;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Web;

/// <summary>nginx behind the balancer.</summary>
internal static class WebRole
{
    public const string Name = "web";

    /// <summary>What nginx answers by itself.</summary>
    public const string HealthPath = "/health";

    public static readonly RoleKind Kind = new(Name, "nginx behind the balancer: static files, published apps, and everything else passed on to Dure.", Build)
    {
        Settings = [WebSettings.Port, WebSettings.Root, .. WebSettings.Waf.All],
        Ports = static fleet => [new(fleet.Get(WebSettings.Port), "tcp", "nginx", Reach.Roles) { From = [BalancerRole.Name, "monitor"] }],
        Services = static fleet =>
        [
            new("Web", "web", fleet.With(BalancerRole.Name).Count > 0
                ? new Condition.Both(new Condition.AnyOf(Name), new Condition.Needs(BalancerRole.Service))
                : new Condition.AnyOf(Name)),
        ],
        Demand = static _ => new(0.5, 256L << 20, 2L << 30),
        Data = [WebSettings.Root.Default],
        Check = Check,
        Rolling = true,
    };

    private static IEnumerable<Finding> Check(FleetModel fleet)
    {
        if (fleet.With(Name).Count > 0 && fleet.With(BalancerRole.Name).Count == 0)
        {
            yield return new("web-without-balancer", Severity.Warning, Places.Of(fleet, Name), "No balancer passes requests on to the web machines, and they let nobody else in.",
                "Give two machines the role balancer, or use the role edge, which stands at the door by itself.");
        }
    }

    private static void Build(RoleScope scope)
    {
        var port = scope.Get(WebSettings.Port);
        NginxMachine.Build(scope, new NginxSite(
            [Invariant($"{Quoting.Host(scope.Address)}:{port}"), Invariant($"127.0.0.1:{port}")],
            Tls: false,
            scope.Get(WebSettings.Root),
            [.. scope.Fleet.With(BalancerRole.Name).SelectMany(balancer => balancer.Addresses).Select(address => address.Address)],
            WebSettings.Waf.Of(scope)));
        scope.Healthy("nginx answers", Invariant($"curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:{port}{HealthPath}"));
    }
}
