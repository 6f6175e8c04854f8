using System.Net;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Cutover;
using Xunit;

namespace Dure.Test.Fleet.Cutover;

/// <summary>What is next on the way from an old server to a fleet, and what that rests on.</summary>
public sealed class CutoverPlanTest
{
    private static readonly IPAddress Vip = IPAddress.Parse("10.77.5.100");

    private static readonly CutoverFacts Good = new([Answered("secrets"), Answered("backup"), Answered("drill"), Answered("alerts")], 0)
    {
        Pending = 0,
        Health = [new("n3", "postgres", true), new("n4", "postgres", true), new("n1", "dure", true), new("n1", "balancer", true)],
        Holders = ["n1"],
        Front = new("http://10.77.5.100/", 200, ""),
        Old = new("http://192.0.2.7/", null, "refused"),
        Resolved = [Vip],
        Watched = new(TimeSpan.FromMinutes(30), 9000, 0, 80, null),
    };

    [Fact]
    public void When_everything_was_seen_to_be_so_only_what_people_know_is_left()
    {
        var steps = Steps(Good);
        Assert.DoesNotContain(steps, step => step.State == Answer.No);
        Assert.Equal(["copy"], steps.SelectMany(step => step.Checks).Where(check => check.State == Answer.Unknown).Select(check => check.Id));
    }

    [Fact]
    public void Each_step_says_what_to_do_and_how_it_is_taken_back()
    {
        var steps = Steps(Good);
        Assert.Equal(["prepare", "data", "application", "balancer", "monitoring", "switch", "watch", "retire"], steps.Select(step => step.Id));
        Assert.All(steps, step => Assert.NotEmpty(step.Do));
        Assert.All(steps, step => Assert.NotEmpty(step.Back));
        Assert.All(steps, step => Assert.NotEmpty(step.Checks));
        Assert.Contains("192.0.2.7", steps[5].Back, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prepare")]
    [InlineData("data")]
    [InlineData("balancer")]
    [InlineData("switch")]
    [InlineData("watch")]
    [InlineData("retire")]
    public void One_thing_that_is_not_so_keeps_its_step_open(string step)
    {
        var facts = step switch
        {
            "prepare" => Good with { Pending = 3 },
            "data" => Good with { Health = [.. Good.Health, new("n4", "postgres", false)] },
            "balancer" => Good with { Holders = ["n1", "n2"] },
            "switch" => Good with { Resolved = [Vip, IPAddress.Parse("192.0.2.7")] },
            "watch" => Good with { Watched = new(TimeSpan.FromMinutes(30), 9000, 1, 80, "502") },
            _ => Good with { Old = new("http://192.0.2.7/", 200, "") },
        };
        Assert.Equal(step, Steps(facts).First(one => one.State == Answer.No).Id);
    }

    [Fact]
    public void Machines_that_cannot_be_asked_leave_what_they_know_open_and_are_named()
    {
        var steps = Steps(Good with { Unreachable = "n3 cannot be reached", Pending = null, Health = [], Holders = [] });
        Assert.Contains("n3", Assert.Single(steps[0].Checks, check => check.Id == "reachable").Evidence, StringComparison.Ordinal);
        Assert.Equal(Answer.No, steps[0].State);
        Assert.Equal(Answer.Unknown, steps[1].State);
        Assert.Equal(Answer.Unknown, Assert.Single(steps[3].Checks, check => check.Id == "holder").State);
    }

    private static ReadinessItem Answered(string id) => new(id, id, Answer.Yes, "seen");

    private static IReadOnlyList<CutoverStep> Steps(CutoverFacts facts) => CutoverPlan.Of(FleetSamples.Four(), "lab.example.org", "192.0.2.7", Vip, facts);
}
