using System.Net;
using System.Text;

namespace Dure.Fleet.Check.Drawing;

/// <summary>A topology as one SVG that needs nothing else: machines in zones above, who speaks to whom below; light or dark as the reader's system is.</summary>
internal static class SvgDrawing
{
    internal const double Margin = 24;

    private const double WidthMin = 1080;
    private const double CardWidth = 212;
    private const double CardGap = 12;
    private const double Padding = 14;
    private const double ChipHeight = 20;
    private const double ChipGap = 6;

    private const string Style = """
        <style>
        :root { color-scheme: light dark }
        svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; font-size: 13px }
        .bg { fill: #ffffff } .zone { fill: #f5f7f9; stroke: #d5dbe1 } .card { fill: #ffffff; stroke: #ccd3da } .ink { fill: #1b222a } .dim { fill: #5c6874 }
        .line { stroke: #8592a0; fill: none; stroke-width: 1.5 } .head { fill: #8592a0 } .vip { fill: #1b222a } .vipink { fill: #ffffff }
        .door { fill: #dbe9fb } .door-ink { fill: #17457f } .core { fill: #dcf2e4 } .core-ink { fill: #14562f } .data { fill: #fdebcf } .data-ink { fill: #774a05 }
        .work { fill: #eae2fa } .work-ink { fill: #4d2f90 } .rest { fill: #e6eaee } .rest-ink { fill: #3d4853 }
        .title { font-size: 18px; font-weight: 650 } .h { font-size: 13px; font-weight: 600 } .name { font-size: 15px; font-weight: 650 } .small { font-size: 11.5px } .b { font-weight: 600 }
        @media (prefers-color-scheme: dark) {
        .bg { fill: #0f1419 } .zone { fill: #161c23; stroke: #2b343e } .card { fill: #1d252d; stroke: #36414c } .ink { fill: #e7ecf1 } .dim { fill: #9aa7b4 }
        .line { stroke: #74818f } .head { fill: #74818f } .vip { fill: #e7ecf1 } .vipink { fill: #10161c }
        .door { fill: #17365c } .door-ink { fill: #b5d4fb } .core { fill: #143f27 } .core-ink { fill: #aee5c3 } .data { fill: #4c330a } .data-ink { fill: #f8d79b }
        .work { fill: #362563 } .work-ink { fill: #d6c6fa } .rest { fill: #2d3741 } .rest-ink { fill: #ccd5de }
        }
        </style>
        """;

    public static string Render(Topology topology)
    {
        var body = new StringBuilder();
        var boxes = ZoneGrid.Of(topology, WidthMin - (2 * Margin), CardWidth, CardGap, Padding, CardHeight);
        var speaking = new SpeakingPart(topology);
        var width = Math.Max(WidthMin, speaking.Width + (2 * Margin));
        Text(body, Margin, 40, "title ink", topology.Name.Length == 0 ? "fleet" : topology.Name);
        Text(body, Margin, 60, "dim", $"{Words.Count(topology.Machines, "machine")} in {Words.Count(topology.Zones.Count, "zone")}");
        var top = topology.Vip.Length > 0 ? 122.0 : 84.0;
        var left = ((width - WidthMin) / 2) + Margin;
        foreach (var box in boxes.Boxes)
            Zone(body, box, left, top);
        if (topology.Vip.Length > 0)
            Vip(body, topology, boxes, (width / 2, left), top);
        var bottom = top + boxes.Height;
        if (topology.Edges.Count > 0)
            bottom = speaking.Draw(body, bottom + 44, width);
        var height = bottom + Margin;
        return Words.Text($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:0} {height:0}" width="{width:0}" height="{height:0}" role="img" aria-label="{Escape(topology.Name)}: machines, zones and roles">
            {Style}
            <defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
            <rect class="bg" width="100%" height="100%" rx="12"/>
            {body}</svg>

            """);
    }

    /// <summary>Room that a text takes, in pixels, for a proportional font of 11 to 13 pixels: letters are counted, wide ones twice.</summary>
    internal static double TextWidth(string text, double letter = 6.6) => Host.Terminal.ColumnFit.Cells(text) * letter;

    internal static void Text(StringBuilder body, double x, double y, string style, string text, string anchor = "start") =>
        body.Append(Words.Text($"<text x=\"{x:0.#}\" y=\"{y:0.#}\" class=\"{style}\"{(anchor == "start" ? "" : $" text-anchor=\"{anchor}\"")}>{Escape(text)}</text>\n"));

    internal static void Box(StringBuilder body, double x, double y, double width, double height, double radius, string style) =>
        body.Append(Words.Text($"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\" rx=\"{radius:0.#}\" class=\"{style}\"/>\n"));

    private static void Zone(StringBuilder body, PlacedZone box, double left, double top)
    {
        Box(body, left + box.X, top + box.Y, box.Width, box.Height, 10, "zone");
        Text(body, left + box.X + Padding, top + box.Y + 22, "h dim", box.Zone.Title);
        foreach (var (card, x, y) in box.Cards)
            Card(body, card, left + x, top + y);
    }

    private static void Card(StringBuilder body, MachineCard card, double x, double y)
    {
        Box(body, x, y, CardWidth, CardHeight(card), 8, "card");
        Text(body, x + 12, y + 24, "name ink", card.Name);
        Text(body, x + CardWidth - 12, y + 24, "small dim", card.Address, "end");
        if (card.Hardware.Length > 0)
            Text(body, x + 12, y + 42, "small dim", card.Hardware);
        var chips = y + (card.Hardware.Length > 0 ? 54 : 36);
        foreach (var (role, left, row) in Chips(card))
        {
            Box(body, x + 12 + left, chips + (row * (ChipHeight + ChipGap)), ChipWidth(role), ChipHeight, 10, RoleFamilies.Of(role));
            Text(body, x + 12 + left + (ChipWidth(role) / 2), chips + (row * (ChipHeight + ChipGap)) + 14, $"small {RoleFamilies.Of(role)}-ink", role, "middle");
        }
    }

    private static double CardHeight(MachineCard card) => (card.Hardware.Length > 0 ? 54 : 36)
        + (card.Roles.Count == 0 ? 0 : (Chips(card).Max(chip => chip.Row) + 1) * (ChipHeight + ChipGap)) + 6;

    private static List<(string Role, double Left, int Row)> Chips(MachineCard card)
    {
        var (left, row, chips) = (0.0, 0, new List<(string, double, int)>());
        foreach (var role in card.Roles)
        {
            if (left > 0 && left + ChipWidth(role) > CardWidth - 24)
                (left, row) = (0, row + 1);
            chips.Add((role, left, row));
            left += ChipWidth(role) + ChipGap;
        }
        return chips;
    }

    private static double ChipWidth(string role) => TextWidth(role, 6.1) + 18;

    // Lines to the cards that may hold the address; with many cards to their zones only.
    private static void Vip(StringBuilder body, Topology topology, ZoneGrid boxes, (double Middle, double Left) at, double top)
    {
        var text = $"VIP {topology.Vip}";
        var width = TextWidth(text, 7.3) + 28;
        foreach (var box in boxes.Boxes.Where(box => box.Cards.Any(card => topology.Holders.Contains(card.Card.Name, StringComparer.Ordinal))))
        {
            foreach (var (_, x, y) in box.Cards.Where(card => topology.Holders.Contains(card.Card.Name, StringComparer.Ordinal)).Take(1))
            {
                var (endX, endY) = (at.Left + x + (CardWidth / 2), top + y - 3);
                body.Append(Words.Text($"<path class=\"line\" stroke-dasharray=\"5 4\" marker-end=\"url(#head)\" d=\"M{at.Middle:0.#} {top - 28:0.#}C{at.Middle:0.#} {endY - 16:0.#} {endX:0.#} {top - 40:0.#} {endX:0.#} {endY:0.#}\"/>\n"));
            }
        }
        Box(body, at.Middle - (width / 2), top - 58, width, 30, 15, "vip");
        Text(body, at.Middle, top - 38, "b vipink", text, "middle");
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}

/// <summary>A zone with its cards, placed.</summary>
internal sealed record PlacedZone(ZoneBox Zone, double X, double Y, double Width, double Height, IReadOnlyList<(MachineCard Card, double X, double Y)> Cards);

/// <summary>Zones side by side, as many in a row as fit; a zone with many cards gets several columns.</summary>
internal sealed record ZoneGrid(IReadOnlyList<PlacedZone> Boxes, double Height)
{
    private const double Heading = 34;
    private const double Gap = 16;

    public static ZoneGrid Of(Topology topology, double width, double cardWidth, double cardGap, double padding, Func<MachineCard, double> height)
    {
        double Wide(int columns) => (columns * cardWidth) + ((columns - 1) * cardGap) + (2 * padding);
        var columns = topology.Zones.Select(_ => 1).ToArray();
        while (columns.Length > 0)
        {
            var tallest = Enumerable.Range(0, columns.Length).MaxBy(i => (double)topology.Zones[i].Cards.Count / columns[i]);
            columns[tallest]++;
            if (columns[tallest] <= topology.Zones[tallest].Cards.Count && columns.Sum(Wide) + (Gap * (columns.Length - 1)) <= width)
                continue;
            columns[tallest]--;
            break;
        }
        var (boxes, row, x, y) = (new List<PlacedZone>(), new List<PlacedZone>(), 0.0, 0.0);
        void EndRow()
        {
            var spare = Math.Max(0, width - (x - Gap)) / 2;
            var tall = row.Count == 0 ? 0 : row.Max(box => box.Height);
            boxes.AddRange(row.Select(box => box with { X = box.X + spare, Height = tall, Cards = [.. box.Cards.Select(card => (card.Card, card.X + spare, card.Y))] }));
            (x, y) = (0, y + tall + Gap);
            row.Clear();
        }
        foreach (var (index, zone) in topology.Zones.Index())
        {
            if (row.Count > 0 && x + Wide(columns[index]) > width)
                EndRow();
            row.Add(Place(zone, columns[index], x, y, Wide(columns[index]), (cardWidth, cardGap, padding), height));
            x += Wide(columns[index]) + Gap;
        }
        EndRow();
        return new(boxes, Math.Max(0, y - Gap));
    }

    private static PlacedZone Place(ZoneBox zone, int columns, double x, double y, double width, (double Width, double Gap, double Padding) card, Func<MachineCard, double> height)
    {
        var ends = Enumerable.Repeat(y + Heading, columns).ToArray();
        var cards = new List<(MachineCard, double, double)>();
        foreach (var next in zone.Cards)
        {
            var column = Array.IndexOf(ends, ends.Min());
            cards.Add((next, x + card.Padding + (column * (card.Width + card.Gap)), ends[column]));
            ends[column] += height(next) + card.Gap;
        }
        return new(zone, x, y, width, ends.Max() - card.Gap + card.Padding - y, cards);
    }
}
