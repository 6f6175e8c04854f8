using System.Runtime.CompilerServices;
using Dure.Fleet.Check;
using Dure.Fleet.Check.Drawing;
using Xunit;

namespace Dure.Test.Fleet.Check;

/// <summary>What people see, kept beside the test so that a change of it is read in a diff. <c>DURE_GOLDEN=write</c> writes it anew.</summary>
public sealed class ReportGoldenTest
{
    private static readonly CheckReport Good = SampleRoles.Check(SampleRoles.Good());

    [Fact]
    public void The_report_in_the_terminal_is_the_one_that_is_kept() => Same("report.txt", string.Join('\n', CheckText.Lines(Good)) + "\n");

    [Fact]
    public void The_picture_is_the_one_that_is_kept() => Same("topology.svg", SvgDrawing.Render(Good.Topology));

    [Fact]
    public void The_flow_chart_is_the_one_that_is_kept() => Same("topology.mmd", MermaidDrawing.Render(Good.Topology));

    private static void Same(string name, string text, [CallerFilePath] string caller = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(caller)!, "Goldens", name);
        if (Environment.GetEnvironmentVariable("DURE_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            System.IO.File.WriteAllText(path, text);
        }
        Assert.Equal(System.IO.File.Exists(path) ? System.IO.File.ReadAllText(path) : "", text);
    }
}
