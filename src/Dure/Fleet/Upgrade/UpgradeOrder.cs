namespace Dure.Fleet.Upgrade;

/// <summary>A machine that waits for its upgrade.</summary>
/// <param name="Place">Its place in the file, from 0.</param>
/// <param name="Leads">How many roles it leads at this moment.</param>
internal sealed record Waiting(string Machine, string Zone, int Place, int Leads);

/// <summary>
/// Who is upgraded when: one failure domain after another, in it one machine after another, those that lead after those that do not. A zone that is begun is finished before
/// the next. Pure, and asked again before every machine, because an upgrade of one that leads makes another lead.
/// </summary>
internal static class UpgradeOrder
{
    /// <param name="waiting">At least one.</param>
    /// <param name="zone">The zone of the machine before; null at the beginning.</param>
    public static Waiting Next(IReadOnlyList<Waiting> waiting, string? zone)
    {
        var stays = waiting.Where(machine => machine.Zone == zone).ToList();
        var among = stays.Count > 0 ? stays : ZoneOf(waiting);
        return among.OrderBy(machine => machine.Leads > 0).ThenBy(machine => machine.Place).First();
    }

    /// <summary>The whole order, as long as nobody else begins to lead.</summary>
    public static IReadOnlyList<Waiting> Of(IReadOnlyList<Waiting> waiting)
    {
        var (left, order) = (waiting.ToList(), new List<Waiting>());
        while (left.Count > 0)
        {
            var next = Next(left, order.Count > 0 ? order[^1].Zone : null);
            order.Add(next);
            left.Remove(next);
        }

        return order;
    }

    /// <summary>The zone in which the fewest machines lead; of two, the one that the file names first.</summary>
    private static List<Waiting> ZoneOf(IReadOnlyList<Waiting> waiting) =>
        [.. waiting.GroupBy(machine => machine.Zone, StringComparer.Ordinal).OrderBy(zone => zone.Count(machine => machine.Leads > 0)).ThenBy(zone => zone.Min(machine => machine.Place)).First()];
}
