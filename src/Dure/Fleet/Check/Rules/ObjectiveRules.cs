using Dure.Fleet.Check.Losses;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Texts;

namespace Dure.Fleet.Check.Rules;

/// <summary>Objectives that cannot be met.</summary>
internal static class ObjectiveRules
{
    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        foreach (var objective in scope.Fleet.Objectives)
        {
            var services = scope.Losses.Services.Where(service => service.Service.Tier == objective.Tier).ToList();
            if (services.Count == 0)
            {
                yield return CheckRules.ObjectiveTier.At(objective.Place, $"No service of this fleet belongs to the tier {objective.Tier}.");
                continue;
            }
            foreach (var service in services)
            {
                if (LossAnalysis.Singles(service) is [var single, ..])
                    yield return CheckRules.ObjectiveSingle.At(objective.Place, $"{objective.Tier} should be back in {Quantities.Duration(objective.Recovery)}, and {service.Service.Name} stops for good when {single.Machine.Name} dies: {single.Part.Term.Left(1)}.");
            }
            if (RecoveryBound.Of(objective.Tier, scope) is { } bound)
            {
                if (objective.Recovery < bound.Shortest)
                    yield return CheckRules.ObjectiveTime.At(objective.Place, $"{objective.Tier} should be back in {Quantities.Duration(objective.Recovery)}, and with {bound.Settings} it takes at least {Quantities.Duration(bound.Shortest)}.");
                else if (objective.Recovery < bound.Longest)
                    yield return CheckRules.ObjectiveTight.At(objective.Place, $"{objective.Tier} should be back in {Quantities.Duration(objective.Recovery)}, and with {bound.Settings} it may take {Quantities.Duration(bound.Longest)}.");
            }
        }
    }
}

/// <summary>How long a tier needs to notice that a machine is gone, by its settings.</summary>
/// <param name="Settings">The settings that count, with their values.</param>
internal sealed record RecoveryBound(TimeSpan Shortest, TimeSpan Longest, string Settings)
{
    /// <summary>The bound of a tier; null when nothing is known of it, or the fleet's roles have no such settings.</summary>
    public static RecoveryBound? Of(string tier, CheckScope scope)
    {
        // Patroni's leader renews its key every loop_wait, so at a power-cut between ttl - loop_wait and ttl are left of it; a stand-by sees that within a loop_wait.
        // Sentinel, Galera and Slurm count from the last sign of life; the election after it takes longer than nothing.
        // VRRP waits three advertisements and a skew of less than one (RFC 5798, 6.1).
        return tier switch
        {
            "postgres" => Two(scope, "postgres.ttl", "postgres.loop_wait", (ttl, loop) => (ttl - loop, ttl + loop)),
            "redis" => One(scope, "redis.down_after", after => (after, after)),
            "galera" => One(scope, "galera.suspect", after => (after, after)),
            "slurm" or "slurmctld" or "slurm-controller" => One(scope, "slurm-controller.timeout", after => (after, after)),
            "vip" or "balancer" => One(scope, "balancer.advert", every => (3 * every, 4 * every)),
            _ => null,
        };
    }

    private static RecoveryBound? One(CheckScope scope, string key, Func<double, (double Shortest, double Longest)> bound) =>
        scope.Seconds(key) is { } value ? Make(bound(value), $"{key} {Shown(value)}") : null;

    private static RecoveryBound? Two(CheckScope scope, string key, string other, Func<double, double, (double Shortest, double Longest)> bound) =>
        scope.Seconds(key) is { } value && scope.Seconds(other) is { } second ? Make(bound(value, second), $"{key} {Shown(value)} and {other} {Shown(second)}") : null;

    private static RecoveryBound Make((double Shortest, double Longest) seconds, string settings) =>
        new(TimeSpan.FromSeconds(Math.Max(0, seconds.Shortest)), TimeSpan.FromSeconds(seconds.Longest), settings);

    private static string Shown(double seconds) => Quantities.Duration(TimeSpan.FromSeconds(seconds));
}
