using Dure.Fleet.Model;
using Dure.Fleet.Roles.Nfs;
using Xunit;

namespace Dure.Test.Fleet.Roles.Nfs;

public sealed class NfsRoleTest
{
    private static readonly FleetModel Pair = FleetSamples.Of([], ("n1", "nfs"), ("n2", "nfs-client"), ("n3", "nfs-client"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("n1", "nfs", "server")]
    [InlineData("n2", "nfs-client", "client")]
    public void One_machine_shares_a_folder_and_others_mount_it(string machine, string role, string golden) =>
        Golden.Same(FleetSamples.State(Pair, machine), role, golden);

    [Fact]
    public void One_server_is_right() => Assert.Empty(NfsRole.Kind.Check(Pair));

    [Fact]
    public void Two_servers_are_found() =>
        Assert.Equal("nfs-servers", Assert.Single(NfsRole.Kind.Check(FleetSamples.Of([], ("n1", "nfs"), ("n2", "nfs")))).Rule);

    [Fact]
    public void A_server_that_is_its_own_client_is_found() =>
        Assert.Equal("nfs-twice", Assert.Single(NfsRole.Kind.Check(FleetSamples.Of([], ("n1", "nfs,nfs-client")))).Rule);

    [Fact]
    public void Two_kinds_of_files_at_one_place_are_found_and_apart_they_are_right()
    {
        (string, string)[] machines = [("n1", "nfs"), ("n2", "nfs-client,gluster-client")];
        Assert.Equal("nfs-over-gluster", Assert.Single(NfsRole.Kind.Check(FleetSamples.Of([], machines))).Rule);
        Assert.Empty(NfsRole.Kind.Check(FleetSamples.Of([("nfs.folder", "/srv/nfs")], machines)));
    }

    [Theory]
    [InlineData("/srv/shared", "srv-shared.mount")]
    [InlineData("/srv/a-b", "srv-a\\x2db.mount")]
    [InlineData("/.hidden/x_y.z", "\\x2ehidden-x_y.z.mount")]
    public void The_mount_s_unit_is_called_as_systemd_wants_it(string path, string unit) => Assert.Equal(unit, NfsClientRole.UnitOf(path));

    [Fact]
    public async Task Systemd_reads_the_mount_and_refuses_one_under_a_wrong_name()
    {
        const string Path = "/etc/systemd/system/srv-shared.mount";
        var file = FleetSamples.State(Pair, "n2").Files.Single(known => known.Path == Path);
        var (code, text) = await HpcValidators.Hpc.RunAsync($"mkdir -p /run/systemd; systemd-analyze verify --man=no --recursive-errors=no {Path}", Cancel, (Path, file.Text));
        Assert.True(code == 0, text);
        (code, _) = await HpcValidators.Hpc.RunAsync(
            $"mkdir -p /run/systemd; systemd-analyze verify --man=no --recursive-errors=no {Path}", Cancel, (Path, file.Text.Replace("/srv/shared", "/srv/other", StringComparison.Ordinal)));
        Assert.NotEqual(0, code);
    }

    [Fact]
    public async Task Exportfs_reads_the_exports_and_refuses_a_misspelt_option()
    {
        const string Path = "/etc/exports.d/dure.exports";
        const string Try = "touch /etc/exports; mkdir -p /srv/shared /var/lib/nfs; touch /var/lib/nfs/etab; exportfs -ra 2>&1; cat /var/lib/nfs/etab";
        var exports = FleetSamples.State(Pair, "n1").Files.Single(known => known.Path == Path).Text;
        var (_, text) = await HpcValidators.Hpc.RunAsync(Try, Cancel, (Path, exports));
        Assert.Contains("/srv/shared\t10.77.5.12(rw,sync,", text, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown", text, StringComparison.Ordinal);
        (_, text) = await HpcValidators.Hpc.RunAsync(Try, Cancel, (Path, exports.Replace("no_subtree_check", "no_subtre_check", StringComparison.Ordinal)));
        Assert.Contains("unknown keyword", text, StringComparison.Ordinal);
    }
}
