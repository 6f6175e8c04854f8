using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Postgres;

/// <summary>What is wrong with a fleet's PostgreSQL.</summary>
internal static class PostgresChecks
{
    public static IEnumerable<Finding> Find(FleetModel fleet)
    {
        var members = fleet.With("postgres");
        if (members.Count == 0)
            return [];
        return [.. Members(fleet, members), .. Times(fleet)];
    }

    private static IEnumerable<Finding> Members(FleetModel fleet, IReadOnlyList<Machine> members)
    {
        if (PostgresMixed(members) is { } versions)
        {
            yield return new("postgres-versions", Severity.Error, Places.Of(fleet, "postgres"),
                $"The machines with PostgreSQL have distributions with different versions of it ({versions}), which cannot follow each other.",
                "Give the role postgres to machines with the same os.");
        }

        var asked = fleet.Get(PostgresRole.SynchronousReplicas);
        var at = Places.Of(fleet, PostgresRole.SynchronousReplicas);
        if (asked > members.Count - 1)
        {
            yield return new("postgres-synchronous", Severity.Warning, at,
                $"postgres.synchronous_replicas is {asked}, but there are {members.Count - 1} replicas.",
                "Leave it at 0, which is every replica.");
        }
        else if (asked > 0 && asked < members.Count - 1)
        {
            yield return new("postgres-synchronous", Severity.Warning, at,
                $"A write is on {asked} of {members.Count - 1} replicas when it is acknowledged: when the primary and those are lost together, PostgreSQL stays down although a machine is left.",
                "Set postgres.synchronous_replicas to 0, which is every replica.");
        }
    }

    private static string? PostgresMixed(IReadOnlyList<Machine> members)
    {
        var versions = members.Select(machine => PostgresRole.VersionOf(machine.Os)).Distinct().Order().ToList();
        return versions.Count > 1 ? string.Join(", ", versions) : null;
    }

    private static IEnumerable<Finding> Times(FleetModel fleet)
    {
        var (ttl, loop, retry) = (fleet.Get(PostgresRole.Ttl), fleet.Get(PostgresRole.LoopWait), fleet.Get(PostgresRole.RetryTimeout));
        var at = Places.Of(fleet, PostgresRole.Ttl);
        if (ttl < loop + (retry * 2))
        {
            yield return new("postgres-ttl", Severity.Error, at,
                $"The primary's lease ({Units.WriteDuration(ttl)}) is shorter than loop_wait and two retry_timeouts ({Units.WriteDuration(loop + (retry * 2))}): a primary that only waits for etcd loses it.",
                $"Set postgres.ttl to {Units.WriteDuration(loop + (retry * 2))} or more.");
        }

        if (ttl < TimeSpan.FromSeconds(20))
        {
            yield return new("postgres-ttl-small", Severity.Error, at,
                $"The primary's lease is {Units.WriteDuration(ttl)}; Patroni's documented minimum is 20 s, and later versions refuse less.",
                "Set postgres.ttl to 20s or more.");
        }

        foreach (var setting in new[] { PostgresRole.Ttl, PostgresRole.LoopWait, PostgresRole.RetryTimeout })
        {
            if (fleet.Get(setting).Ticks % TimeSpan.TicksPerSecond != 0)
            {
                yield return new("postgres-seconds", Severity.Warning, Places.Of(fleet, setting),
                    $"{setting.Key} is {Units.WriteDuration(fleet.Get(setting))}; Patroni takes whole seconds and drops the rest.",
                    "Give whole seconds.");
            }
        }
    }
}
