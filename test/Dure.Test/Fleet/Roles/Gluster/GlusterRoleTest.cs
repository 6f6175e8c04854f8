using Dure.Fleet.Model;
using Dure.Fleet.Roles.Gluster;
using Xunit;

namespace Dure.Test.Fleet.Roles.Gluster;

public sealed class GlusterRoleTest
{
    private static readonly FleetModel Three = FleetSamples.Of([], ("n1", "gluster"), ("n2", "gluster"), ("n3", "gluster"), ("n4", "gluster-client"));

    [Theory]
    [InlineData("n1", "gluster", "first")]
    [InlineData("n2", "gluster", "member")]
    [InlineData("n4", "gluster-client", "client")]
    public void Three_machines_hold_the_files_and_others_mount_them(string machine, string role, string golden) =>
        Golden.Same(FleetSamples.State(Three, machine), role, golden);

    [Fact]
    public void Three_machines_are_right() => Assert.Empty(GlusterRole.Kind.Check(Three));

    [Theory]
    [InlineData("gluster", "gluster", "")]
    [InlineData("gluster", "gluster", "gluster,gluster-client")]
    public void Two_copies_or_a_mount_over_a_mount_are_found(string first, string second, string third)
    {
        var fleet = FleetSamples.Of([], ("n1", first), ("n2", second), ("n3", third));
        Assert.Equal(third.Length == 0 ? "gluster-copies" : "gluster-twice", Assert.Single(GlusterRole.Kind.Check(fleet)).Rule);
    }

    [Theory]
    [InlineData("/srv/shared/bricks", true)]
    [InlineData("/srv", true)]
    [InlineData("/srv/shared-bricks", false)]
    public void A_copy_below_its_own_mount_is_found(string brick, bool found)
    {
        var fleet = FleetSamples.Of([("gluster.brick", brick)], ("n1", "gluster"), ("n2", "gluster"), ("n3", "gluster"));
        Assert.Equal(found, GlusterRole.Kind.Check(fleet).Any(finding => finding.Rule == "gluster-folders"));
    }

    [Fact]
    public void The_ports_of_the_firewall_are_those_of_the_daemon()
    {
        var daemon = FleetSamples.State(Three, "n1").Files.Single(file => file.Path == "/etc/glusterfs/glusterd.vol").Text;
        var bricks = GlusterRole.Kind.Ports(Three).Single(port => port.Through > 0);
        Assert.Contains($"base-port {bricks.Number}\n", daemon, StringComparison.Ordinal);
        Assert.Contains($"max-port {bricks.Through}\n", daemon, StringComparison.Ordinal);
    }
}
