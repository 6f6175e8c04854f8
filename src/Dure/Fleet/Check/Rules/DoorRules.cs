using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Who stands at the door: balancers and the virtual address that they hold.</summary>
internal static class DoorRules
{
    private const string Balancer = "balancer";

    private static readonly string[] Behind = ["web", "dure", "portal", "controller"];

    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        var balancers = scope.With(Balancer);
        var withVip = scope.Fleet.Networks.Where(network => network.Vip is not null).ToList();
        if (balancers.Count == 0)
        {
            if (Behind.FirstOrDefault(role => scope.With(role).Count > 1) is { } served)
                yield return CheckRules.BalancerNone.At(scope.PlaceOf(served), $"{Words.Names(scope.With(served))} have the role {served}, and no machine is a balancer.");
            foreach (var network in withVip)
                yield return CheckRules.VipUnused.At(network.Place, $"No machine is a balancer, so none holds {network.Vip} of {network.Name}.");
            yield break;
        }
        if (balancers.Count == 1 && scope.Fleet.Machines.Count > 1)
            yield return CheckRules.BalancerOne.At(scope.PlaceOf(Balancer), $"{balancers[0].Name} is the only balancer: when it dies, {withVip.FirstOrDefault()?.Vip?.ToString() ?? "the door"} answers no more.");
        if (withVip.Count == 0)
            yield return CheckRules.VipNone.At(scope.PlaceOf(Balancer), $"{Words.Names(balancers)} {(balancers.Count == 1 ? "is a balancer" : "are balancers")}, and no network has a virtual address.");
        foreach (var network in withVip)
        {
            var apart = balancers.Where(machine => machine.Addresses.Count > 0 && machine.On(network.Name) is null).ToList();
            if (apart.Count > 0)
                yield return CheckRules.VipApart.At(CheckScope.PlaceOf(apart[0], Balancer), $"{Words.Names(apart)} {(apart.Count == 1 ? "has" : "have")} no address on {network.Name}, where the virtual address {network.Vip} is.");
        }
    }
}
