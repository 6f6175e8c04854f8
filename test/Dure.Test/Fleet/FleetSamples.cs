using System.Net;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Configuration;

namespace Dure.Test.Fleet;

/// <summary>Fleets for tests, made without a file.</summary>
internal static class FleetSamples
{
    /// <summary>The four-machine layout: two at the door, three that hold data, one monitor.</summary>
    public static FleetModel Four(params (string Key, string Value)[] settings) => Of(
        settings,
        ("n1", "balancer,web,monitor"),
        ("n2", "balancer,web,etcd,redis,galera,slurm-node"),
        ("n3", "etcd,postgres,redis,galera,slurm-db,slurm-controller,slurm-node,dure"),
        ("n4", "etcd,postgres,redis,galera,slurm-db,slurm-controller,slurm-node"));

    /// <summary>A fleet of machines with roles, on 10.77.5.0/24 with the virtual address 10.77.5.100.</summary>
    public static FleetModel Of(IReadOnlyList<(string Key, string Value)> settings, params (string Name, string Roles)[] machines) =>
        Of("debian-12", settings, machines);

    public static FleetModel Of(string os, IReadOnlyList<(string Key, string Value)> settings, params (string Name, string Roles)[] machines)
    {
        var here = new Place("dure.yaml", 1, 1);
        var made = machines.Select((machine, index) => new Machine(
            machine.Name,
            $"root@10.77.5.{11 + index}",
            0,
            os,
            "ab"[index % 2].ToString(),
            new Hardware(4, 8L << 30, 100L << 30, 0),
            [new("internal", IPAddress.Parse($"10.77.5.{11 + index}"), here)],
            [],
            [],
            [.. machine.Roles.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(role => new MachineRole(role, here))],
            index,
            here));
        return new FleetModel(
            "dure.yaml",
            "/nowhere",
            "lab",
            "lab.example.org",
            "ops@example.org",
            new SshAccess("", ""),
            "/nowhere/secrets",
            [new("internal", IPNetwork.Parse("10.77.5.0/24"), IPAddress.Parse("10.77.5.100"), here)],
            [.. made],
            settings.ToDictionary(given => given.Key, given => Given(given.Key, given.Value), StringComparer.Ordinal),
            [],
            "");
    }

    /// <summary>What a machine should be, with secrets that say which they are.</summary>
    public static DesiredMachine State(FleetModel fleet, string machine) =>
        FleetState.Of(fleet, fleet.Machines.Single(known => known.Name == machine), name => $"secret-{name}");

    private static SettingValue Given(string key, string text)
    {
        var setting = RoleKinds.Settings[key];
        var read = setting.Read(text);
        return new(setting, read.Error is null ? read.Value : throw new ArgumentException($"{key}: {read.Error}", nameof(text)), SettingOrigin.File, "dure.yaml:1:1");
    }
}
