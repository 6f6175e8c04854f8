using System.Globalization;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>What clients would notice if all machines did it at once is done by one after another.</summary>
[Collection(UpgradeLabs.Name)]
public sealed class RollingTest(ApplyLab lab)
{
    [Fact]
    public async Task Machines_of_a_rolling_role_are_restarted_in_turn_and_the_one_that_leads_is_last()
    {
        await lab.ResetAsync();
        var vip = lab.Address("n1")[..lab.Address("n1").LastIndexOf('.')] + ".100";
        lab.Fleet("balancer", "balancer", vip: vip);
        var first = await lab.GoodAsync("apply", "--yes", "--format", "json");
        // A role that is new interrupts nobody: both machines at the same time.
        Assert.All(first.Json["machines"]!.AsArray(), machine => Assert.Equal("applied", (string)machine!["end"]!));
        var leader = await LeaderAsync(vip);
        var other = leader == "n1" ? "n2" : "n1";

        foreach (var machine in new[] { "n1", "n2" })
            await lab.ShellAsync(machine, "rm /var/lib/dure-fleet/units/haproxy.service");
        var again = await lab.GoodAsync("apply", "--yes");
        Assert.Contains("restart haproxy.service", again.Output, StringComparison.Ordinal);
        var (mine, its) = (await SpanAsync(leader), await SpanAsync(other));
        Assert.True(its.End <= mine.Begin, $"{other} {its}, {leader} {mine}: the one that leads did not wait");

        // What is not noticed is done at the same time: the spans meet.
        foreach (var machine in new[] { "n1", "n2" })
            await lab.ShellAsync(machine, "echo changed >>/usr/local/lib/dure/holds-vip");
        await lab.GoodAsync("apply", "--yes");
        var (one, two) = (await SpanAsync("n1"), await SpanAsync("n2"));
        Assert.True(one.Begin < two.End && two.Begin < one.End, $"n1 {one}, n2 {two}: they did not go at the same time");
        await lab.ResetAsync();
    }

    private async Task<string> LeaderAsync(string vip)
    {
        for (var i = 0; i < 100; i++)
        {
            foreach (var machine in new[] { "n1", "n2" })
            {
                if ((await lab.ShellAsync(machine, $"ip -o addr show to {vip}")).Text.Length > 0)
                    return machine;
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        throw new InvalidOperationException("Nobody holds the virtual address.");
    }

    // From the first thing that the last apply kept to its summary, which it writes at its end.
    private async Task<(double Begin, double End)> SpanAsync(string machine)
    {
        var text = (await lab.ShellAsync(machine, "cd /var/lib/dure-fleet/applies && cd \"$(ls -1t | head -n 1)\" && stat -c %.Y manifest.before summary")).Text.Split('\n');
        return (double.Parse(text[0], CultureInfo.InvariantCulture), double.Parse(text[1], CultureInfo.InvariantCulture));
    }
}
