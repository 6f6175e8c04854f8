using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Test.Fleet.Roles;

/// <summary>Fleets for the roles that hold data.</summary>
internal static class DataFleets
{
    /// <summary>Three machines with all of a distribution.</summary>
    public static FleetModel Three(string os, params (string Key, string Value)[] settings) => FleetSamples.Of(
        os,
        settings,
        ("n1", "etcd,postgres,redis,galera"),
        ("n2", "etcd,postgres,redis,galera"),
        ("n3", "etcd,postgres,redis,galera,slurm-db"));

    /// <summary>What a role finds, as its rules' ids.</summary>
    public static IReadOnlyList<string> Found(RoleKind role, FleetModel fleet) => [.. role.Check(fleet).Select(finding => finding.Rule)];
}
