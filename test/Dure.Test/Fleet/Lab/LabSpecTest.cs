using System.Net;
using Dure.Fleet.Lab;
using Xunit;

namespace Dure.Test.Fleet.Lab;

public sealed class LabSpecTest
{
    [Theory]
    [InlineData("two", "n1:11,n2:12", "", true)]
    [InlineData("../etc", "n1:11", "", false)]
    [InlineData("Two", "n1:11", "", false)]
    [InlineData("two", "", "", false)]
    [InlineData("two", "n1:11,n1:12", "", false)]
    [InlineData("two", "n1:11,n2:11", "", false)]
    [InlineData("two", "n1:1", "", false)]
    [InlineData("two", "n1:254", "", false)]
    [InlineData("two", "n/1:11", "", false)]
    [InlineData("two", "n1:11", "haproxy,g++", true)]
    [InlineData("two", "n1:11", "--option", false)]
    public void A_lab_is_checked_before_anything_is_made(string name, string machines, string packages, bool good)
    {
        var spec = new LabSpec(
            name,
            [.. machines.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split(':')).Select(parts => new LabMachine(parts[0], int.Parse(parts[1], null)))],
            packages.Split(',', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(good, spec.Check() is null);
    }

    [Fact]
    public void A_distribution_without_an_image_is_named() =>
        Assert.Contains("debian-12", new LabSpec("two", LabSpec.Numbered(2), []) { Os = "plan9" }.Check()!.Faults.Single().What, StringComparison.Ordinal);

    [Fact]
    public void The_first_subnet_that_the_host_does_not_route_is_taken()
    {
        const string routes =
            """
            default via 192.0.2.1 dev eth0
            192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.2
            10.77.0.0/24 dev dl-a proto kernel scope link src 10.77.0.254
            local 10.77.1.7 dev eth0 table local proto kernel scope host src 10.77.1.7
            10.77.2.0/23 via 192.0.2.9 dev eth0
            """;
        Assert.Equal(4, LabNetwork.FirstFree([.. LabNetwork.Routed(routes)]));
        Assert.Equal(5, LabNetwork.FirstFree([.. LabNetwork.Routed(routes), IPNetwork.Parse("10.77.4.0/24")]));
        Assert.Equal(0, LabNetwork.FirstFree([.. LabNetwork.Routed("default via 192.0.2.1 dev eth0\n0.0.0.0/0 dev wg0")]));
        Assert.Null(LabNetwork.FirstFree([.. LabNetwork.Routed("10.0.0.0/8 via 192.0.2.1 dev eth0")]));
    }

    [Fact]
    public void A_process_is_known_by_when_it_started()
    {
        var self = ProcessMark.Of(Environment.ProcessId)!;
        Assert.True(self.IsAlive);
        Assert.False((self with { Started = self.Started + 1 }).IsAlive);
        Assert.Null(ProcessMark.Of(int.MaxValue));
    }
}
