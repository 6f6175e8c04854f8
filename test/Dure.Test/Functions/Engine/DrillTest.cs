using System.Globalization;
using Dure.Test.Host.Commands;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>The short forms of the drills (docs/drills.md).</summary>
[Collection("alone")]
public sealed class DrillTest(ReleaseFixture release)
{
    private static readonly string Program = Path.GetFullPath(
        Path.Combine(AppContext.BaseDirectory, "..", "..", "Dure.Drill", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Dure.Drill"));

    [Fact]
    [Trait("speed", "slow")]
    public Task Forty_faults_break_no_promise() => DrillAsync("--faults", "40", "--minutes", "0.75", "--small-disk", "--if-calm");

    [Fact]
    [Trait("speed", "slow")]
    public Task A_power_cut_takes_no_object_that_was_acknowledged() => DrillAsync("--power-cuts", "2");

    [Fact]
    [Trait("speed", "slow")]
    public Task A_second_provider_behind_a_bad_line_has_everything_in_the_end_and_gives_it_back() => DrillAsync("--storage", "--minutes", "0.2");

    private async Task DrillAsync(params string[] words)
    {
        if (!File.Exists(Program))
            Assert.Skip($"the drill is not built ({Program})");
        // A seed that changes daily: what fails can be run again by its number.
        var seed = TimeProvider.System.GetUtcNow().DayOfYear.ToString(CultureInfo.InvariantCulture);
        var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, [Program, "--seed", seed, .. words, "--program", await release.ProgramAsync()]);
        TestContext.Current.TestOutputHelper!.WriteLine(text);
        Assert.True(code == 0, text);
    }
}
