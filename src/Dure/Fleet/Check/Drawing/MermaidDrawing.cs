using System.Text;

namespace Dure.Fleet.Check.Drawing;

/// <summary>A topology as a Mermaid flow chart, which many sites that show Markdown draw.</summary>
internal static class MermaidDrawing
{
    public static string Render(Topology topology)
    {
        var text = new StringBuilder("flowchart LR\n");
        void Line(string line) => text.Append("  ").Append(line).Append('\n');
        var number = 0;
        var machines = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var zone in topology.Zones)
        {
            Line($"subgraph z{number++}[\"{Escape(zone.Title)}\"]");
            foreach (var card in zone.Cards)
            {
                machines[card.Name] = Words.Text($"m{machines.Count}");
                Line($"  {machines[card.Name]}[\"<b>{Escape(card.Name)}</b><br/>{Escape(card.Address)}<br/>{Escape(string.Join(" · ", card.Roles))}\"]");
            }
            Line("end");
        }
        if (topology.Vip.Length > 0)
        {
            Line($"vip([\"VIP {Escape(topology.Vip)}\"])");
            foreach (var holder in topology.Holders.Where(machines.ContainsKey))
                Line($"vip -.-> {machines[holder]}");
        }
        if (topology.Nodes.Count > 0)
        {
            Line("subgraph roles[\"who speaks to whom\"]");
            foreach (var (index, node) in topology.Nodes.Index())
                Line($"  r{index}([\"{Escape(node.Role)}{(node.Machines > 0 ? Words.Text($" ×{node.Machines}") : "")}\"])");
            var names = topology.Nodes.Index().ToDictionary(node => node.Item.Role, node => $"r{node.Index}", StringComparer.Ordinal);
            foreach (var edge in topology.Edges)
                Line($"  {names[edge.From]} -->|\"{Escape(string.Join(", ", edge.Ports))}\"| {names[edge.To]}");
            Line("end");
        }
        return text.ToString();
    }

    // Inside quotes Mermaid reads HTML entities, written with # instead of &.
    private static string Escape(string text) =>
        text.Replace("#", "#35;", StringComparison.Ordinal).Replace("\"", "#quot;", StringComparison.Ordinal).Replace("<", "#lt;", StringComparison.Ordinal).Replace(">", "#gt;", StringComparison.Ordinal);
}
