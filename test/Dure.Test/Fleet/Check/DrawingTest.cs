using System.Globalization;
using System.Xml.Linq;
using Dure.Fleet.Check.Drawing;
using Dure.Fleet.Model;
using Dure.Host.Terminal;
using Xunit;

namespace Dure.Test.Fleet.Check;

public sealed class DrawingTest
{
    [Fact]
    public void The_svg_is_well_formed_needs_nothing_else_and_follows_the_theme_of_the_reader()
    {
        var svg = SvgDrawing.Render(SampleRoles.Check(SampleRoles.Good()).Topology);
        var root = XDocument.Parse(svg).Root!;
        Assert.Equal("svg", root.Name.LocalName);
        Assert.Contains("prefers-color-scheme: dark", svg, StringComparison.Ordinal);
        Assert.DoesNotContain(root.Descendants(), element => element.Name.LocalName is "script" or "image" or "foreignObject" or "use");
        Assert.DoesNotContain("href", svg, StringComparison.Ordinal);
        var texts = root.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value).ToList();
        Assert.Contains("VIP 10.77.5.100 (internal)", texts);
        Assert.All(["n1", "n2", "n3", "n4", "zone a", "zone b", "zone c", "PostgreSQL 5432", "clients", "slurm-controller"], expected => Assert.Contains(expected, texts));
    }

    [Fact]
    public void Everything_in_the_svg_lies_in_its_frame_and_no_two_cards_overlap()
    {
        foreach (var machines in new[] { 1, 4, 7, 23, 60, 1000 })
        {
            var fleet = SampleRoles.Fleet([.. Enumerable.Range(0, machines).Select(i => ($"n{i}", i % 3 == 0 ? "balancer,web" : i % 3 == 1 ? "dure,postgres,etcd,redis,galera,slurm-db" : "slurm-node,munge"))]);
            var root = XDocument.Parse(SvgDrawing.Render(SampleRoles.Check(fleet).Topology)).Root!;
            var (width, height) = (Number(root, "width"), Number(root, "height"));
            Assert.InRange(height, 200, 3000);
            var boxes = root.Descendants().Where(element => element.Name.LocalName == "rect" && (string?)element.Attribute("class") is "card" or "zone")
                .Select(element => (Class: (string)element.Attribute("class")!, X: Number(element, "x"), Y: Number(element, "y"), Width: Number(element, "width"), Height: Number(element, "height"))).ToList();
            Assert.All(boxes, box => Assert.True(box.X >= 0 && box.Y >= 0 && box.X + box.Width <= width && box.Y + box.Height <= height, $"{machines}: {box}"));
            var cards = boxes.Where(box => box.Class == "card").ToList();
            for (var i = 0; i < cards.Count; i++)
            {
                for (var j = i + 1; j < cards.Count; j++)
                    Assert.False(cards[i].X < cards[j].X + cards[j].Width && cards[j].X < cards[i].X + cards[i].Width && cards[i].Y < cards[j].Y + cards[j].Height && cards[j].Y < cards[i].Y + cards[i].Height, $"{machines}: {cards[i]} {cards[j]}");
            }
        }
    }

    [Fact]
    public void Names_that_are_markup_stay_names()
    {
        var topology = SampleRoles.Check(SampleRoles.Fleet(("a<b>&\"c", "web,balancer")) with { Name = "<script>" }).Topology;
        Assert.Equal("<script>", XDocument.Parse(SvgDrawing.Render(topology)).Root!.Descendants().First(element => (string?)element.Attribute("class") == "title ink").Value);
        Assert.Contains("a#lt;b#gt;&#quot;c", MermaidDrawing.Render(topology), StringComparison.Ordinal);
    }

    [Fact]
    public void The_terminal_never_needs_more_than_100_columns_and_names_every_machine()
    {
        var lines = TerminalDrawing.Lines(SampleRoles.Check(SampleRoles.Good()).Topology);
        Assert.All(lines, line => Assert.InRange(ColumnFit.Cells(line), 0, TerminalDrawing.Width));
        Assert.Equal("clients ─▶ VIP 10.77.5.100 (internal) ─▶ n1 or n2", lines[0]);
        Assert.All(["n1", "n2", "n3", "n4"], name => Assert.Contains(lines, line => line.Contains($"│ {name}  10.77.5.", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith("web", StringComparison.Ordinal) && line.Contains("─▶ dure (Dure 7070)", StringComparison.Ordinal));
    }

    [Fact]
    public void Mermaid_has_a_box_for_each_zone_and_an_arrow_for_each_pair_of_roles_that_speak()
    {
        var topology = SampleRoles.Check(SampleRoles.Good()).Topology;
        var text = MermaidDrawing.Render(topology);
        Assert.StartsWith("flowchart LR\n", text, StringComparison.Ordinal);
        Assert.Equal(4, text.Split("subgraph ").Length - 1);
        Assert.Equal(text.Split("subgraph ").Length, text.Split("\n  end\n").Length);
        Assert.Equal(topology.Edges.Count, text.Split(" -->|").Length - 1);
        Assert.Equal(2, text.Split("vip -.-> ").Length - 1);
    }

    [Fact]
    public void A_role_that_asks_nearly_all_others_is_said_and_not_drawn()
    {
        var topology = SampleRoles.Check(SampleRoles.Fleet(("n1", "monitor,dure"), ("n2", "postgres,etcd,redis,galera"))).Topology;
        Assert.Equal(["dure", "postgres", "redis", "galera"], topology.Watching.Select(edge => edge.To));
        Assert.All(topology.Watching, edge => Assert.Equal("monitor", edge.From));
        Assert.DoesNotContain(topology.Nodes, node => node.Ports.Contains("metrics 9187"));
        Assert.DoesNotContain(topology.Edges, edge => edge.From == "monitor");
        Assert.Contains(topology.Edges, edge => edge is { From: "dure", To: "postgres" });
    }

    [Fact]
    public void Roles_that_speak_in_a_circle_are_laid_out_too()
    {
        RoleNode[] nodes = [new("a", 1, [], false), new("b", 1, [], false), new("c", 1, [], false)];
        RoleEdge[] edges = [new("a", "b", [], false), new("b", "c", [], false), new("c", "a", [], false), new("a", "c", [], false)];
        var layout = LayeredLayout.Of(nodes, edges, _ => 40, 10);
        Assert.Equal(3, layout.Columns.Count);
        Assert.Equal(4, layout.Paths.Count);
        Assert.All(layout.Paths, path => Assert.Equal((path.Edge.From, path.Edge.To), (path.Path[0].Node!.Role, path.Path[^1].Node!.Role)));
    }

    private static double Number(XElement element, string name) => double.Parse((string)element.Attribute(name)!, CultureInfo.InvariantCulture);
}
