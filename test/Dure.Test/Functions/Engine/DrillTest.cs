using System.Globalization;
using Dure.Test.Host.Commands;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>The short form of the drill (docs/drills.md).</summary>
[Collection("alone")]
public sealed class DrillTest(ReleaseFixture release)
{
    [Fact]
    [Trait("speed", "slow")]
    public async Task Forty_faults_break_no_promise()
    {
        var drill = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Dure.Drill", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Dure.Drill"));
        if (!File.Exists(drill))
            Assert.Skip($"the drill is not built ({drill})");
        // A seed that changes daily: what fails can be run again by its number.
        var seed = TimeProvider.System.GetUtcNow().DayOfYear.ToString(CultureInfo.InvariantCulture);
        var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, drill, "--seed", seed, "--faults", "40", "--minutes", "0.75", "--small-disk", "--if-calm",
            "--program", await release.ProgramAsync());
        TestContext.Current.TestOutputHelper!.WriteLine(text);
        Assert.True(code == 0, text);
    }
}
