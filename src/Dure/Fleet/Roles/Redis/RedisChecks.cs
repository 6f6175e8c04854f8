using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Redis;

/// <summary>What is wrong with a fleet's Redis.</summary>
internal static class RedisChecks
{
    public static IEnumerable<Finding> Find(FleetModel fleet)
    {
        var members = fleet.With("redis").Count;
        return members == 0 ? [] : [.. Quorums(fleet, members), .. Replicas(fleet, members), .. Times(fleet)];
    }

    private static IEnumerable<Finding> Quorums(FleetModel fleet, int members)
    {
        var (quorum, majority) = (RedisRole.QuorumOf(fleet), (members / 2) + 1);
        var at = Places.Of(fleet, RedisRole.Quorum);
        if (quorum > members)
        {
            yield return new("redis-quorum", Severity.Error, at,
                $"{quorum} sentinels must find the primary silent, but there are {members}: they never fail over.",
                "Leave redis.quorum at 0, which is the majority.");
        }
        else if (quorum > majority)
        {
            yield return new("redis-quorum", Severity.Warning, at,
                $"{quorum} of {members} sentinels must find the primary silent: after the loss of {members - quorum + 1} there is no failover, although a majority ({majority}) may be left.",
                "Leave redis.quorum at 0, which is the majority.");
        }
        else if (quorum < majority)
        {
            yield return new("redis-quorum", Severity.Warning, at,
                $"{quorum} of {members} sentinels start a failover: one that is cut off from the primary alone replaces a primary that works.",
                "Leave redis.quorum at 0, which is the majority.");
        }
    }

    private static IEnumerable<Finding> Replicas(FleetModel fleet, int members)
    {
        var asked = fleet.Get(RedisRole.MinReplicas);
        var at = Places.Of(fleet, RedisRole.MinReplicas);
        if (members > 1 && asked == 0)
        {
            yield return new("redis-min-replicas", Severity.Warning, at,
                "A Redis primary that is cut off from its replicas goes on taking writes, which are lost when another has taken over.",
                "Set redis.min_replicas to 1.");
        }
        else if (members > 2 && asked >= members - 1)
        {
            yield return new("redis-min-replicas", Severity.Warning, at,
                $"Writes need {asked} replicas of {members - 1}: the loss of one machine refuses them all.",
                $"Set redis.min_replicas to {members - 2} or less.");
        }
        else if (members == 2 && asked > 0)
        {
            yield return new("redis-min-replicas", Severity.Warning, at,
                "Writes need the only replica: the loss of either machine refuses them all.",
                "Give the role redis to a third machine.");
        }
    }

    private static IEnumerable<Finding> Times(FleetModel fleet)
    {
        var down = fleet.Get(RedisRole.DownAfter);
        if (down < TimeSpan.FromSeconds(1))
        {
            yield return new("redis-down-after", Severity.Warning, Places.Of(fleet, RedisRole.DownAfter),
                $"The sentinels fail over after {Units.WriteDuration(down)} of silence: a busy machine is silent for as long.",
                "Set redis.down_after to 1s or more.");
        }

        if (fleet.Get(RedisRole.MaxLag).Ticks % TimeSpan.TicksPerSecond != 0)
        {
            yield return new("redis-seconds", Severity.Warning, Places.Of(fleet, RedisRole.MaxLag),
                $"redis.max_lag is {Units.WriteDuration(fleet.Get(RedisRole.MaxLag))}; Redis takes whole seconds and drops the rest.",
                "Give whole seconds.");
        }
    }
}
