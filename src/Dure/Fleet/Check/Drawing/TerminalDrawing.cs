using Dure.Host.Terminal;

namespace Dure.Fleet.Check.Drawing;

/// <summary>A topology in text: zones as boxes side by side, machines with their roles, and a line for each role that speaks.</summary>
internal static class TerminalDrawing
{
    /// <summary>Columns that it takes at most.</summary>
    public const int Width = 100;

    private const int ZoneMin = 30;
    private const int Gap = 2;

    public static IReadOnlyList<string> Lines(Topology topology) => [.. Door(topology), .. Zones(topology), "", .. Speaking(topology)];

    private static IEnumerable<string> Door(Topology topology)
    {
        if (topology.Vip.Length > 0)
            yield return topology.Holders.Count > 0 ? $"clients ─▶ VIP {topology.Vip} ─▶ {Words.List(topology.Holders, "or")}" : $"VIP {topology.Vip}, held by none";
    }

    private static IEnumerable<string> Zones(Topology topology)
    {
        var across = Math.Clamp(topology.Zones.Count, 1, (Width + Gap) / (ZoneMin + Gap));
        var width = (Width - (Gap * (across - 1))) / across;
        foreach (var row in topology.Zones.Chunk(across))
        {
            var boxes = row.Select(zone => Box(zone, width)).ToList();
            var height = boxes.Max(box => box.Count);
            for (var line = 0; line < height; line++)
                yield return string.Join(new string(' ', Gap), boxes.Select(box => line < box.Count - 1 ? box[line] : line == height - 1 ? box[^1] : Side("", width))).TrimEnd();
        }
    }

    private static IReadOnlyList<string> Box(ZoneBox zone, int width)
    {
        var title = ColumnFit.Cut(zone.Title, width - 6);
        var lines = new List<string> { $"┌─ {title} {new string('─', width - 5 - ColumnFit.Cells(title))}┐" };
        foreach (var (index, card) in zone.Cards.Index())
        {
            if (index > 0)
                lines.Add(Side("", width));
            lines.Add(Side($"{card.Name}  {card.Address}", width));
            if (card.Hardware.Length > 0)
                lines.Add(Side("  " + card.Hardware.Replace(" disk", "", StringComparison.Ordinal), width));
            lines.AddRange(TextWrap.Lines(card.Roles.Count == 0 ? "no role" : string.Join(" ", card.Roles), width - 6).Select(roles => Side("  " + roles, width)));
        }
        lines.Add($"└{new string('─', width - 2)}┘");
        return lines;
    }

    private static string Side(string text, int width)
    {
        var cut = ColumnFit.Cut(text, width - 4);
        return $"│ {cut}{new string(' ', width - 4 - ColumnFit.Cells(cut))} │";
    }

    private static IEnumerable<string> Speaking(Topology topology)
    {
        if (topology.Edges.Count == 0)
            yield break;
        var width = topology.Edges.Max(edge => ColumnFit.Cells(edge.From));
        foreach (var from in topology.Edges.GroupBy(edge => edge.From, StringComparer.Ordinal))
        {
            var text = string.Join(", ", from.Select(edge => $"{edge.To} ({string.Join(", ", edge.Ports)})"));
            foreach (var (index, line) in TextWrap.Lines(text, Width - width - 4).Index())
                yield return index == 0 ? $"{from.Key}{new string(' ', width - ColumnFit.Cells(from.Key))} ─▶ {line}" : $"{new string(' ', width + 4)}{line}";
        }
        foreach (var watching in topology.Watching.GroupBy(edge => edge.From, StringComparer.Ordinal))
        {
            foreach (var line in TextWrap.Lines($"{watching.Key} watches {Words.All([.. watching.Select(edge => edge.To)])}", Width))
                yield return line;
        }
    }
}
