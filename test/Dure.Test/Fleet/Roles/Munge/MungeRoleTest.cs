using Dure.Fleet.Roles;
using Xunit;

namespace Dure.Test.Fleet.Roles.Munge;

public sealed class MungeRoleTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_machine_with_munge_gets_the_fleet_s_key() =>
        Golden.Same(FleetSamples.State(FleetSamples.Of([], ("n1", "munge")), "n1"), "munge", "munge");

    [Theory]
    [InlineData("slurm-controller")]
    [InlineData("slurm-db")]
    [InlineData("slurm-node")]
    [InlineData("slurm-client")]
    public void Slurm_s_roles_bring_munge_and_the_commands_with_them(string role)
    {
        var fleet = FleetSamples.Of([], ("n1", role));
        var state = FleetSamples.State(fleet, "n1");
        Assert.Equal(["base", "munge", "slurm-client"], RoleKinds.On(fleet, fleet.Machines[0]).Select(kind => kind.Name).Where(name => name is "base" or "munge" or "slurm-client"));
        Assert.Single(state.Files, file => file.Path == "/etc/munge/munge.key");
        Assert.Single(state.Files, file => file.Path == "/etc/slurm/slurm.conf");
    }

    [Fact]
    public void A_machine_with_several_of_slurm_s_roles_gets_munge_once()
    {
        var state = FleetSamples.State(HpcFleets.Slurm(), "n3");
        Assert.Single(state.Units, unit => unit.Name == "munge.service");
        Assert.Equal(state.Files.Count, state.Files.DistinctBy(file => file.Path).Count());
    }

    [Fact]
    public async Task Munged_takes_the_secret_s_own_characters_as_its_key()
    {
        var key = Convert.ToBase64String(new byte[1024]) + "\n";
        const string Try = "chmod 0400 /etc/munge/munge.key; chown 0:0 /etc/munge /etc/munge/munge.key; mkdir -p /var/log/munge /var/lib/munge /run/munge; chmod 0700 /etc/munge /var/log/munge /var/lib/munge; "
            + "munged --force --socket /run/munge/s || exit 1; munge -n --socket /run/munge/s | unmunge --socket /run/munge/s; code=$?; munged --stop --socket /run/munge/s > /dev/null; exit $code";
        var (code, text) = await HpcValidators.Hpc.RunAsync(Try, Cancel, ("/etc/munge/munge.key", key));
        Assert.True(code == 0, text);
        Assert.Contains("Success", text, StringComparison.Ordinal);

        (code, text) = await HpcValidators.Hpc.RunAsync(Try, Cancel, ("/etc/munge/munge.key", "too short\n"));
        Assert.NotEqual(0, code);
        Assert.Contains("at least 32 bytes", text, StringComparison.Ordinal);
    }
}
