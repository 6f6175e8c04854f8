using System.Security.Cryptography;
using System.Text;

namespace Dure.Fleet.Drill;

/// <summary>Two things that must meet in some drill: a tier and a fault, a tier and a position, a fault and a position.</summary>
internal readonly record struct Pair(string One, string Other);

/// <summary>
/// Which drills are enough. Pairwise: each two of tier, fault and position that can meet do meet in at least one drill; and whoever leads a tier loses its process and its power.
/// Pure: the same drills and the same seed give the same order.
/// </summary>
internal static class Covering
{
    /// <summary>What a drill covers.</summary>
    public static IReadOnlyList<Pair> Of(PlannedDrill drill)
    {
        var (tier, fault, position) = (drill.Tier.Name, drill.Fault.ToString(), drill.Position.ToString());
        List<Pair> pairs = [new(tier, fault), new(tier, position), new(fault, position)];
        if (drill is { Position: Position.Leader, Fault: FaultKind.ProcessKill or FaultKind.PowerCut })
            pairs.Add(new(tier + " " + position, fault));
        return pairs;
    }

    /// <summary>All that these drills could cover together.</summary>
    public static HashSet<Pair> Of(IEnumerable<PlannedDrill> drills) => [.. drills.SelectMany(Of)];

    /// <summary>A small part of the drills that covers what all of them do, in the seed's order.</summary>
    public static IReadOnlyList<PlannedDrill> Choose(IReadOnlyList<PlannedDrill> drills, int seed)
    {
        var left = Of(drills);
        var order = Shuffled(drills, seed);
        var chosen = new List<PlannedDrill>();
        while (left.Count > 0)
        {
            // The first of the most: ties fall as the seed says.
            var best = order.MaxBy(drill => Of(drill).Count(left.Contains))!;
            chosen.Add(best);
            left.ExceptWith(Of(best));
        }

        return Shuffled(chosen, seed);
    }

    /// <summary>The drills in an order that only the seed and their names decide.</summary>
    public static IReadOnlyList<PlannedDrill> Shuffled(IEnumerable<PlannedDrill> drills, int seed) =>
        [.. drills.OrderBy(drill => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed.ToString(System.Globalization.CultureInfo.InvariantCulture)} {drill.Name}"))), StringComparer.Ordinal)];
}
