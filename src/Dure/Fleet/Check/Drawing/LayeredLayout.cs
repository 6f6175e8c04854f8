namespace Dure.Fleet.Check.Drawing;

/// <summary>
/// Nodes of a directed graph in columns, so that edges lead from left to right, cross seldom and pass between nodes: layers by longest path, order by
/// barycentres, heights by the mean of the neighbours. An edge over several columns has a slot of its own in those between.
/// </summary>
internal sealed class LayeredLayout
{
    private const int Sweeps = 8;

    private readonly List<List<Slot>> _columns = [];
    private readonly Dictionary<string, Slot> _nodes = new(StringComparer.Ordinal);

    private LayeredLayout()
    {
    }

    public IReadOnlyList<IReadOnlyList<Slot>> Columns => _columns;

    /// <summary>For each edge the slots that it leads through, in its own direction.</summary>
    public List<(RoleEdge Edge, IReadOnlyList<Slot> Path)> Paths { get; } = [];

    /// <summary>Height of the whole, from 0.</summary>
    public double Height { get; private set; }

    public static LayeredLayout Of(IReadOnlyList<RoleNode> nodes, IReadOnlyList<RoleEdge> edges, Func<RoleNode, double> height, double gap)
    {
        var layout = new LayeredLayout();
        var forward = Forward(nodes, edges);
        var ranks = Ranks(nodes, forward);
        foreach (var node in nodes)
            layout.Put(layout._nodes[node.Role] = new Slot(ranks[node.Role], node, height(node)));
        foreach (var (edge, reversed) in forward)
        {
            var (first, last) = reversed ? (layout._nodes[edge.To], layout._nodes[edge.From]) : (layout._nodes[edge.From], layout._nodes[edge.To]);
            List<Slot> path = [first];
            for (var column = first.Column + 1; column < last.Column; column++)
                path.Add(layout.Put(new Slot(column, null, 10)));
            path.Add(last);
            foreach (var (left, right) in path.Zip(path.Skip(1)))
            {
                left.Right.Add(right);
                right.Left.Add(left);
            }
            layout.Paths.Add((edge, reversed ? [.. Enumerable.Reverse(path)] : path));
        }
        layout.Arrange(gap);
        return layout;
    }

    private Slot Put(Slot slot)
    {
        while (_columns.Count <= slot.Column)
            _columns.Add([]);
        _columns[slot.Column].Add(slot);
        return slot;
    }

    // An edge back to a node that is still being visited would make a circle; it counts the other way round.
    private static List<(RoleEdge Edge, bool Reversed)> Forward(IReadOnlyList<RoleNode> nodes, IReadOnlyList<RoleEdge> edges)
    {
        var from = edges.ToLookup(edge => edge.From, StringComparer.Ordinal);
        var reached = edges.Select(edge => edge.To).ToHashSet(StringComparer.Ordinal);
        var (open, done, result) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal), new List<(RoleEdge, bool)>());
        void Visit(string node)
        {
            if (!done.Add(node))
                return;
            open.Add(node);
            foreach (var edge in from[node])
            {
                result.Add((edge, open.Contains(edge.To)));
                Visit(edge.To);
            }
            open.Remove(node);
        }
        foreach (var node in nodes.OrderBy(node => reached.Contains(node.Role)))
            Visit(node.Role);
        return result;
    }

    private static Dictionary<string, int> Ranks(IReadOnlyList<RoleNode> nodes, List<(RoleEdge Edge, bool Reversed)> edges)
    {
        var next = edges.ToLookup(edge => edge.Reversed ? edge.Edge.To : edge.Edge.From, edge => edge.Reversed ? edge.Edge.From : edge.Edge.To, StringComparer.Ordinal);
        var before = edges.ToLookup(edge => edge.Reversed ? edge.Edge.From : edge.Edge.To, edge => edge.Reversed ? edge.Edge.To : edge.Edge.From, StringComparer.Ordinal);
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        int Rank(string node) => ranks.TryGetValue(node, out var known) ? known : ranks[node] = before[node].Select(Rank).DefaultIfEmpty(-1).Max() + 1;
        foreach (var node in nodes)
            Rank(node.Role);
        // Who only speaks stands next to whom it speaks with; the clients stay at the left.
        foreach (var node in nodes.Where(node => node.Role != Topology.Clients && !before[node.Role].Any() && next[node.Role].Any()))
            ranks[node.Role] = Math.Max(0, next[node.Role].Min(other => ranks[other]) - 1);
        return ranks;
    }

    private void Arrange(double gap)
    {
        var best = (Crossings: int.MaxValue, Order: new List<List<Slot>>());
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var rightwards = sweep % 2 == 0;
            foreach (var column in rightwards ? _columns.Skip(1) : Enumerable.Reverse(_columns).Skip(1))
                Sort(column, rightwards);
            if (Crossings() is var crossings && crossings < best.Crossings)
                best = (crossings, [.. _columns.Select(column => column.ToList())]);
        }
        for (var i = 0; i < best.Order.Count; i++)
            _columns[i] = best.Order[i];
        foreach (var column in _columns)
            Stack(column, gap, _ => 0);
        for (var round = 0; round < Sweeps; round++)
        {
            foreach (var column in round % 2 == 0 ? _columns : Enumerable.Reverse(_columns))
                Stack(column, gap, slot => slot.Left.Concat(slot.Right).Select(other => other.Y).DefaultIfEmpty(slot.Y).Average());
        }
        var top = _columns.SelectMany(column => column).Select(slot => slot.Y - (slot.Height / 2)).DefaultIfEmpty(0).Min();
        foreach (var slot in _columns.SelectMany(column => column))
            slot.Y -= top;
        Height = _columns.SelectMany(column => column).Select(slot => slot.Y + (slot.Height / 2)).DefaultIfEmpty(0).Max();
    }

    private static void Sort(List<Slot> column, bool rightwards)
    {
        var keys = column.Select((slot, index) => (slot, Key: (rightwards ? slot.Left : slot.Right).Select(other => (double)other.Order).DefaultIfEmpty(index).Average())).ToList();
        column.Clear();
        column.AddRange(keys.OrderBy(key => key.Key).Select(key => key.slot));
        Number(column);
    }

    private static void Number(List<Slot> column)
    {
        for (var i = 0; i < column.Count; i++)
            column[i].Order = i;
    }

    private int Crossings()
    {
        foreach (var column in _columns)
            Number(column);
        var count = 0;
        foreach (var column in _columns)
        {
            var links = column.SelectMany(slot => slot.Right.Select(right => (From: slot.Order, To: right.Order))).ToList();
            for (var i = 0; i < links.Count; i++)
            {
                for (var j = i + 1; j < links.Count; j++)
                    count += (links[i].From - links[j].From) * (links[i].To - links[j].To) < 0 ? 1 : 0;
            }
        }
        return count;
    }

    // Each slot as near to what it wants as those above it allow; the column's mean stays where it was wanted.
    private static void Stack(List<Slot> column, double gap, Func<Slot, double> wanted)
    {
        if (column.Count == 0)
            return;
        var want = column.Select(wanted).ToList();
        for (var i = 0; i < column.Count; i++)
            column[i].Y = i == 0 ? want[0] : Math.Max(want[i], column[i - 1].Y + ((column[i - 1].Height + column[i].Height) / 2) + gap);
        var shift = want.Average() - column.Average(slot => slot.Y);
        foreach (var slot in column)
            slot.Y += shift;
    }
}

/// <summary>A place in a column: a node, or where an edge passes.</summary>
internal sealed class Slot(int column, RoleNode? node, double height)
{
    public int Column => column;

    public RoleNode? Node => node;

    public double Height => height;

    /// <summary>Its place in the column, from the top.</summary>
    public int Order { get; set; }

    /// <summary>Its middle.</summary>
    public double Y { get; set; }

    public List<Slot> Left { get; } = [];

    public List<Slot> Right { get; } = [];
}
