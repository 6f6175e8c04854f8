using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Test.Fleet.Roles;

/// <summary>Fleets and states that tests of the roles at the door share.</summary>
internal static class RoleStates
{
    /// <summary>Two balancers with web, and what stands behind them.</summary>
    public static FleetModel Door(string os, params (string Key, string Value)[] settings) => FleetSamples.Of(
        os,
        settings,
        ("n1", "balancer,web,monitor,firewall"),
        ("n2", "balancer,web,galera,monitor,firewall"),
        ("n3", "dure,postgres,galera,firewall"),
        ("n4", "postgres,galera,firewall"));

    /// <summary>What a machine should be, with these secrets; others are not there.</summary>
    public static DesiredMachine State(FleetModel fleet, string machine, params (string Name, string Text)[] secrets) => FleetState.Of(
        fleet,
        fleet.Machines.Single(known => known.Name == machine),
        name => secrets.FirstOrDefault(known => known.Name == name).Text ?? "");

    /// <summary>The text of a file.</summary>
    public static string Text(this DesiredMachine state, string path) => state.Files.Single(file => file.Path == path).Text;

    /// <summary>The ids of what a role finds, each once.</summary>
    public static string[] Found(RoleKind role, FleetModel fleet) => [.. role.Check(fleet).Select(finding => finding.Rule).Distinct()];
}
