using Dure.Fleet.Model;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Web;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>What is wrong with the balancers of a fleet.</summary>
internal static class BalancerChecks
{
    private const int PasswordMax = 8;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static IEnumerable<Finding> Of(FleetModel fleet)
    {
        var balancers = fleet.With(BalancerRole.Name);
        if (balancers.Count == 0)
            return [];
        return [.. OfPlacement(fleet, balancers), .. OfVrrp(fleet, balancers), .. OfHaproxy(fleet)];
    }

    private static IEnumerable<Finding> OfPlacement(FleetModel fleet, IReadOnlyList<Machine> balancers)
    {
        var where = Places.Of(balancers[0], BalancerRole.Name);
        if (balancers.Count == 1)
        {
            yield return new("balancer-single", Severity.Warning, where, $"{balancers[0].Name} is the only balancer: when it dies, nobody reaches anything through it.",
                "Give a second machine, best in another zone, the role balancer.");
        }

        if (fleet.Front is not { } front)
        {
            yield return new("balancer-no-vip", balancers.Count > 1 ? Severity.Error : Severity.Note, where,
                balancers.Count > 1 ? $"{balancers.Count} balancers have no virtual address to share: clients know one of them only." : "No network has a virtual address, so a second balancer could not take over.",
                "Give a network `vip:`, an address of it that no machine has.");
            yield break;
        }

        foreach (var machine in balancers.Where(machine => machine.On(front.Name) is null))
        {
            yield return new("balancer-network", Severity.Error, Places.Of(machine, BalancerRole.Name), $"{machine.Name} cannot hold {front.Vip}: it has no address on the network {front.Name}.",
                $"Give {machine.Name} an address on {front.Name}, or the virtual address to a network that all balancers are on.");
        }
    }

    private static IEnumerable<Finding> OfVrrp(FleetModel fleet, IReadOnlyList<Machine> balancers)
    {
        var weight = fleet.Get(BalancerSettings.Weight);
        var gap = fleet.Get(BalancerSettings.PriorityGap);
        if (weight != 0 && Math.Abs(weight) <= gap)
        {
            yield return new("vrrp-weight", Severity.Error, Places.Of(fleet, BalancerSettings.Weight),
                Invariant($"A weight of {weight} never bridges the gap of {gap} between priorities: with a dead HAProxy the first balancer keeps the virtual address."),
                "Leave balancer.weight out: a dead HAProxy then gives up the address, whatever the priorities are.");
        }
        else if (weight != 0 && !fleet.Get(BalancerSettings.Preempt))
        {
            yield return new("vrrp-weight", Severity.Error, Places.Of(fleet, BalancerSettings.Weight),
                "A weight only changes priorities, and without balancer.preempt nobody takes the address from a living holder: with a dead HAProxy it keeps it.",
                "Leave balancer.weight out: a dead HAProxy then gives up the address.");
        }

        if (fleet.Get(BalancerSettings.Preempt))
        {
            yield return new("vrrp-preempt", Severity.Note, Places.Of(fleet, BalancerSettings.Preempt), "The virtual address moves back when the first balancer returns: a second interruption for each failure.",
                "Leave balancer.preempt out.");
        }

        var advert = fleet.Get(BalancerSettings.Advert);
        var version = fleet.Get(BalancerSettings.VrrpVersion);
        if (version == 2 && advert.Ticks % Second.Ticks != 0)
        {
            yield return new("vrrp-advert", Severity.Error, Places.Of(fleet, BalancerSettings.VrrpVersion), Invariant($"VRRP 2 knows whole seconds only, and balancer.advert is {advert.TotalSeconds} s."),
                "Use VRRP 3, or an advert of whole seconds.");
        }

        // Three adverts may be missed, and the skew is at most one more (RFC 5798, 6.1).
        foreach (var objective in fleet.Objectives.Where(objective => objective.Tier == "vip" && balancers.Count > 1 && 4 * advert > objective.Recovery))
        {
            yield return new("vrrp-slow", Severity.Warning, Places.Of(fleet, BalancerSettings.Advert),
                Invariant($"With an advert every {advert.TotalSeconds} s the virtual address moves after up to {4 * advert.TotalSeconds} s; the objective is {objective.Recovery.TotalSeconds} s."), "Shorten balancer.advert: 200ms suits a local network.");
        }

        var password = fleet.Get(BalancerSettings.AuthPass);
        if (password.Length > 0 && version == 3)
        {
            yield return new("vrrp-auth", Severity.Warning, Places.Of(fleet, BalancerSettings.AuthPass), "VRRP 3 has no passwords: balancer.auth_pass is not used.",
                "Leave it out; give balancers the role firewall, which lets VRRP in from balancers only.");
        }
        else if (password.Length > PasswordMax)
        {
            yield return new("vrrp-auth", Severity.Error, Places.Of(fleet, BalancerSettings.AuthPass),
                Invariant($"Of balancer.auth_pass, {password.Length} characters long, VRRP takes the first {PasswordMax}: other programs with the whole of it do not match."), "Use 8 characters, or VRRP 3.");
        }
    }

    private static IEnumerable<Finding> OfHaproxy(FleetModel fleet)
    {
        if (fleet.With(WebRole.Name).Count == 0 && fleet.With(ServerRole.Name).Count == 0)
        {
            yield return new("balancer-nothing-behind", Severity.Warning, Places.Of(fleet, BalancerRole.Name), "No machine has the role web or dure: the balancers answer every request with 503.",
                "Give machines the role web or dure.");
        }

        var silence = fleet.Get(BalancerSettings.SilenceMax);
        if (silence > TimeSpan.Zero)
        {
            yield return new("balancer-time-limit", Severity.Warning, Places.Of(fleet, BalancerSettings.SilenceMax),
                Invariant($"Connections that are silent for {silence.TotalSeconds} s are closed: calls that take longer fail, and so do idle WebSockets."), "Leave balancer.silence_max out.");
        }
    }
}
