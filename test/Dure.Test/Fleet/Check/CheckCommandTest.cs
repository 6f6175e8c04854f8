using System.CommandLine;
using System.Text.Json;
using Dure.Fleet.Check;
using Dure.Fleet.Model;
using Dure.Host;
using Dure.Host.Commands;
using Xunit;

namespace Dure.Test.Fleet.Check;

public sealed class CheckCommandTest
{
    private static readonly FleetModel Warned = SampleRoles.Good().Change("n2", machine => machine with { Roles = [.. machine.Roles.Where(role => role.Role != "balancer")] });

    private static readonly FleetModel Wrong = SampleRoles.Good().Change("n2", machine => machine with { Addresses = [] });

    [Fact]
    public async Task A_clean_fleet_exits_with_0_and_says_so()
    {
        var (code, output, _) = await RunAsync(SampleRoles.Good(), "check", "--strict");
        Assert.Equal(ExitCodes.Ok, code);
        Assert.EndsWith("Nothing to object to.\n", output, StringComparison.Ordinal);
        Assert.All(output.Split('\n'), line => Assert.InRange(line.Length, 0, 100));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 2)]
    public async Task Warnings_count_when_it_is_strict(bool strict, int expected)
    {
        var (code, output, _) = await RunAsync(Warned, strict ? ["check", "--strict"] : ["check"]);
        Assert.Equal(expected, code);
        Assert.Contains("warning  dure.yaml:10:3  balancer-one", output, StringComparison.Ordinal);
        Assert.Contains("         → Give a second machine, in another zone, the role balancer.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_exit_with_2_and_stand_last_with_how_many_there_are()
    {
        var (code, output, _) = await RunAsync(Wrong, "check");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("error    dure.yaml:11:3  address-none\n         n2 has no address.\n", output, StringComparison.Ordinal);
        Assert.Contains("\n1 error, ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_get_the_same_as_json()
    {
        var (code, output, _) = await RunAsync(Warned, "check", "--format", "json");
        using var json = JsonDocument.Parse(output);
        var root = json.RootElement;
        Assert.Equal((0, 4, 0), (code, root.GetProperty("machines").GetInt32(), root.GetProperty("errors").GetInt32()));
        var finding = root.GetProperty("findings").EnumerateArray().First(each => each.GetProperty("rule").GetString() == "balancer-one");
        Assert.Equal(("warning", "dure.yaml:10:3"), (finding.GetProperty("severity").GetString(), finding.GetProperty("where").GetString()));
        Assert.Equal(4, root.GetProperty("losses").GetProperty("machines").GetArrayLength());
        Assert.Equal("unknown", root.GetProperty("readiness").EnumerateArray().Single(item => item.GetProperty("id").GetString() == "backup").GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_picture_is_written_and_the_flow_chart_is_all_that_is_printed()
    {
        var folder = Directory.CreateTempSubdirectory("dure-check-");
        try
        {
            var path = Path.Combine(folder.FullName, "fleet.svg");
            var (code, output, error) = await RunAsync(SampleRoles.Good(), "check", "--svg", path, "--mermaid");
            Assert.Equal(ExitCodes.Ok, code);
            Assert.StartsWith("<svg", await System.IO.File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.StartsWith("flowchart LR", output, StringComparison.Ordinal);
            Assert.DoesNotContain("READINESS", output, StringComparison.Ordinal);
            Assert.Contains("Nothing to object to.", error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_picture_that_cannot_be_written_is_a_problem_and_no_crash()
    {
        var (code, _, error) = await RunAsync(SampleRoles.Good(), "check", "--svg", "/nowhere/at/all.svg");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("DURE0427", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_the_loaders_problem_and_the_word_is_passed_on()
    {
        string? asked = null;
        var verb = CheckCommand.Make((call, _) =>
        {
            asked = call.Get(CheckCommand.File);
            return Task.FromResult<Outcome<FleetModel>>(CommandErrors.FileProblem.With("no such file"));
        });
        var (code, _, error) = await RunAsync(verb, "check", "fleet.yaml");
        Assert.Equal((ExitCodes.Usage, "fleet.yaml"), (code, asked));
        Assert.Contains("no such file", error, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(FleetModel fleet, params string[] words) => RunAsync(
        CheckCommand.Make((_, _) => Task.FromResult<Outcome<FleetModel>>(fleet), (_, _, _) => Task.FromResult(new CheckFacts(SampleRoles.Now)), catalogue: SampleRoles.All), words);

    private static async Task<(int Code, string Output, string Error)> RunAsync(Verb verb, params string[] words)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(CommandLine.Root(verb), words, new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
