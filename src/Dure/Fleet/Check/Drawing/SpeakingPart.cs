using System.Text;

namespace Dure.Fleet.Check.Drawing;

/// <summary>The lower half of the picture: roles from left to right, and arrows from who asks to who answers.</summary>
internal sealed class SpeakingPart
{
    private const double NodeWidth = 146;
    private const double NodeWidthMax = 168;
    private const double ColumnGapMin = 36;
    private const double RowGap = 12;
    private const int PortsMax = 3;
    private const double Letter = 6.1;

    private readonly Topology _topology;
    private readonly LayeredLayout _layout;

    public SpeakingPart(Topology topology)
    {
        _topology = topology;
        _layout = LayeredLayout.Of(topology.Nodes, topology.Edges, Height, RowGap);
    }

    /// <summary>What it needs at least.</summary>
    public double Width => (_layout.Columns.Count * NodeWidth) + ((_layout.Columns.Count - 1) * ColumnGapMin);

    /// <summary>Draws it, and says where it ends.</summary>
    public double Draw(StringBuilder body, double top, double width)
    {
        var room = width - (2 * SvgDrawing.Margin);
        var columns = _layout.Columns.Count;
        var node = Math.Clamp((room - ((columns - 1) * ColumnGapMin)) / columns, NodeWidth, NodeWidthMax);
        var step = columns > 1 ? (room - node) / (columns - 1) : 0;
        double Left(Slot slot) => SvgDrawing.Margin + (slot.Column * step);
        SvgDrawing.Text(body, SvgDrawing.Margin, top, "h dim", "who speaks to whom");
        var start = top + 20;
        foreach (var (edge, path) in _layout.Paths.Where(each => !Answers(each.Edge)))
            Arrow(body, edge, path, slot => (Left(slot), start + slot.Y), node);
        foreach (var slot in _layout.Columns.SelectMany(column => column).Where(slot => slot.Node is not null))
            Node(body, slot.Node!, Left(slot), start + slot.Y - (slot.Height / 2), node, slot.Height);
        var bottom = start + _layout.Height;
        string[] notes =
        [
            .. _topology.Nodes.Any(each => each.Peers) ? ["↻ its members speak with each other"] : Array.Empty<string>(),
            .. _topology.Watching.GroupBy(edge => edge.From, StringComparer.Ordinal).Select(watching => $"{watching.Key} watches {Words.All([.. watching.Select(edge => edge.To)])} (not drawn)"),
        ];
        if (notes.Length == 0)
            return bottom;
        SvgDrawing.Text(body, SvgDrawing.Margin, bottom + 28, "small dim", string.Join(" · ", notes));
        return bottom + 32;
    }

    // How many machines stands at the right of the last port, or below it where that is too long.
    private static double Height(RoleNode node)
    {
        var shown = Shown(node);
        var below = node.Machines > 0 && (shown.Count == 0 || SvgDrawing.TextWidth(shown[^1], Letter) > NodeWidth - 60);
        return shown.Count == 0 && !below ? 36 : 34 + ((shown.Count + (below ? 1 : 0)) * 15);
    }

    private static IReadOnlyList<string> Shown(RoleNode node) =>
        node.Ports.Count > PortsMax ? [.. node.Ports.Take(PortsMax - 1), Words.Text($"and {node.Ports.Count - PortsMax + 1} more")] : node.Ports;

    private static void Node(StringBuilder body, RoleNode node, double x, double y, double width, double height)
    {
        SvgDrawing.Box(body, x, y, width, height, 8, "card");
        SvgDrawing.Box(body, x, y, 5, height, 2.5, RoleFamilies.Of(node.Role) + "-ink");
        SvgDrawing.Text(body, x + 14, y + 22, "b ink", node.Role);
        if (node.Machines > 0)
            SvgDrawing.Text(body, x + width - 10, y + height - 10, "small dim", Words.Text($"{(node.Peers ? "↻ " : "")}×{node.Machines}"), "end");
        foreach (var (index, port) in Shown(node).Index())
            SvgDrawing.Text(body, x + 14, y + 39 + (index * 15), "small dim", Host.Terminal.ColumnFit.Cut(port, (int)((width - 24) / Letter)));
    }

    // Of two roles that speak to each other the first has the arrow, with two heads.
    private bool Answers(RoleEdge edge)
    {
        var back = _layout.Paths.FindIndex(each => each.Edge.From == edge.To && each.Edge.To == edge.From);
        return back >= 0 && back < _layout.Paths.FindIndex(each => each.Edge == edge);
    }

    // Several arrows at one side of a node share its height, in the order of where they come from.
    private void Arrow(StringBuilder body, RoleEdge edge, IReadOnlyList<Slot> path, Func<Slot, (double X, double Y)> at, double node)
    {
        var rightwards = path[0].Column < path[^1].Column;
        var text = new StringBuilder();
        var (fromX, fromY) = at(path[0]);
        var both = _layout.Paths.Exists(each => each.Edge.From == edge.To && each.Edge.To == edge.From);
        var (x, y) = (rightwards ? fromX + node + (both ? 3 : 0) : fromX - (both ? 3 : 0), fromY + Spread(path[0], path[1], rightwards));
        text.Append(Words.Text($"M{x:0.#} {y:0.#}"));
        foreach (var (index, slot) in path.Index().Skip(1))
        {
            var (left, middle) = at(slot);
            var last = index == path.Count - 1;
            var near = rightwards ? left : left + node;
            var (endX, endY) = last ? (near + (rightwards ? -3 : 3), middle + Spread(slot, path[index - 1], !rightwards)) : (near, middle);
            var bend = Math.Abs(endX - x) / 2 * (rightwards ? 1 : -1);
            text.Append(Words.Text($"C{x + bend:0.#} {y:0.#} {endX - bend:0.#} {endY:0.#} {endX:0.#} {endY:0.#}"));
            (x, y) = (endX, endY);
            if (!last)
            {
                x = rightwards ? left + node : left;
                text.Append(Words.Text($"L{x:0.#} {y:0.#}"));
            }
        }
        body.Append(Words.Text($"<path class=\"line\"{(both ? " marker-start=\"url(#head)\"" : "")} marker-end=\"url(#head)\" d=\"{text}\"><title>{System.Net.WebUtility.HtmlEncode($"{edge.From} → {edge.To}: {string.Join(", ", edge.Ports)}")}</title></path>\n"));
    }

    private static double Spread(Slot slot, Slot other, bool right)
    {
        var side = (right ? slot.Right : slot.Left).OrderBy(each => each.Y).ToList();
        var index = side.IndexOf(other);
        return side.Count < 2 || index < 0 ? 0 : (index - ((side.Count - 1) / 2.0)) * Math.Min(10, (slot.Height - 14) / (side.Count - 1));
    }
}
