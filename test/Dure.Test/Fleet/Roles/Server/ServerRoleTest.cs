using Dure.Fleet.Model;
using Dure.Fleet.Roles.Server;
using Dure.Host.Configuration;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Roles.Server;

public sealed class ServerRoleTest : IDisposable
{
    private readonly Scratch _build = new();

    public ServerRoleTest() => File.WriteAllText(_build["libcoreclr.so"], "");

    [Theory]
    [InlineData("debian-12")]
    [InlineData("ubuntu-24.04")]
    public void Dures_own_server_is_what_its_golden_file_says(string os) => Golden.Same(RoleStates.State(Fleet(os), "n3"), "dure", $"dure-{os}");

    [Fact]
    public void What_runs_on_a_machine_is_the_build_that_the_operator_has()
    {
        var released = RoleStates.State(Fleet("debian-12"), "n3");
        Assert.Equal([(_build.Path, "/opt/dure")], released.Trees.Select(tree => (tree.Source, tree.Path)));
        Assert.DoesNotContain("DOTNET_ROOT", released.Text("/etc/systemd/system/dure.service"), StringComparison.Ordinal);

        // This test runs from a build that does not bring its own runtime: that goes along.
        var own = RoleStates.State(FleetSamples.Of([], ("n3", "dure")), "n3");
        Assert.Equal(AppContext.BaseDirectory.TrimEnd('/'), own.Trees[0].Source);
        Assert.Equal(["/opt/dotnet/shared/Microsoft.NETCore.App", "/opt/dotnet/shared/Microsoft.AspNetCore.App", "/opt/dotnet/host/fxr"], own.Trees.Skip(1).Select(tree => Path.GetDirectoryName(tree.Path)));
        Assert.True(File.Exists(Path.Combine(own.Trees[3].Source, "libhostfxr.so")));
        Assert.Contains("DOTNET_ROOT=/opt/dotnet exec /opt/dure/dure", own.Text("/usr/local/bin/dure"), StringComparison.Ordinal);
        Assert.Contains("Environment=DOTNET_ROOT=/opt/dotnet", own.Text("/etc/systemd/system/dure.service"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_servers_configuration_is_read_by_the_server_and_what_the_file_says_stands()
    {
        var fleet = Fleet("debian-12") with { ServerSettings = "functions:\n  payload_limit: 2GiB\n" };
        var text = RoleStates.State(fleet, "n3").Text("/etc/dure/dure.yaml");
        var (entries, faults) = ConfigurationFile.Read("dure.yaml", text);
        Assert.Empty(faults);
        var read = entries.ToDictionary(entry => entry.Key, entry => entry.Text, StringComparer.Ordinal);
        Assert.Equal("2GiB", read["functions.payload_limit"]);
        Assert.Equal("7070", read["port"]);
        Assert.Equal("10.77.5.13", read["listen"]);
        Assert.Equal("/var/lib/dure", read["data"]);
        Assert.Equal("10.77.5.11,10.77.5.12", read["signin.proxies"]);
        Assert.All(read.Keys, key => Assert.Contains(Settings.All, setting => setting.Key == key));
    }

    [Fact]
    public void A_second_server_or_one_elsewhere_is_refused_with_its_reason()
    {
        Assert.Equal(["dure-address"], RoleStates.Found(ServerRole.Kind, Fleet("debian-12") with { ServerSettings = "port: 7171\n" }));
        Assert.Equal(["dure-several"], RoleStates.Found(ServerRole.Kind, FleetSamples.Of([], ("n1", "dure"), ("n2", "dure"))));
        Assert.Empty(RoleStates.Found(ServerRole.Kind, RoleStates.Door("debian-12")));
    }

    public void Dispose() => _build.Dispose();

    private FleetModel Fleet(string os) => FleetSamples.Of(os, [("dure.build", _build.Path)], ("n1", "balancer,web"), ("n2", "balancer,web"), ("n3", "dure"));
}
