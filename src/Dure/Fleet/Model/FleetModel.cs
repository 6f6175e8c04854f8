using System.Net;
using Dure.Host.Configuration;

namespace Dure.Fleet.Model;

/// <summary>What the fleet promises for one tier, and drills measure.</summary>
/// <param name="Tier">Such as <c>vip</c>, <c>web</c>, <c>postgres</c>.</param>
/// <param name="Recovery">Longest time that clients may notice a machine's loss (RTO).</param>
/// <param name="ProcessRecovery">The same for the loss of a process; null when it is the same.</param>
/// <param name="LostMax">Acknowledged writes that may be lost (RPO).</param>
public sealed record Objective(string Tier, TimeSpan Recovery, TimeSpan? ProcessRecovery, long LostMax, Place Place);

/// <summary>How machines are reached.</summary>
/// <param name="User">The user who signs in; empty leaves it to OpenSSH. Who is not root needs <c>sudo</c> without a password.</param>
/// <param name="ConfigFile">An OpenSSH configuration file for this fleet; empty uses the user's own.</param>
public sealed record SshAccess(string User, string ConfigFile);

/// <summary>A fleet as its file declares it. Immutable; nothing in it was observed.</summary>
/// <param name="Folder">The folder of the file, absolute: relative paths and secrets are looked up from here.</param>
/// <param name="Domain">Under which the fleet is known to the world; empty when it is not.</param>
/// <param name="Mail">Whom certificates and alerts name.</param>
/// <param name="SecretsFolder">Where secrets lie, absolute.</param>
/// <param name="Settings">By role and by setting's key: what the file gives; what it does not give is the setting's default.</param>
/// <param name="ServerSettings">The sections of the file that configure Dure itself (<c>functions:</c>, <c>retention:</c>, ...), as text to be given to its server.</param>
public sealed record FleetModel(
    string File,
    string Folder,
    string Name,
    string Domain,
    string Mail,
    SshAccess Ssh,
    string SecretsFolder,
    IReadOnlyList<Network> Networks,
    IReadOnlyList<Machine> Machines,
    IReadOnlyDictionary<string, SettingValue> Settings,
    IReadOnlyList<Objective> Objectives,
    string ServerSettings)
{
    /// <summary>The network that the fleet's services speak on: <c>internal</c>, else the first.</summary>
    public Network Internal => Networks.FirstOrDefault(network => network.Name == "internal") ?? Networks[0];

    /// <summary>The network that holds the virtual address: the first with one, <c>public</c> before others; null when none has one.</summary>
    public Network? Front => Networks.FirstOrDefault(network => network is { Name: "public", Vip: not null }) ?? Networks.FirstOrDefault(network => network.Vip is not null);

    /// <summary>The machines with a role, in the order of the file.</summary>
    public IReadOnlyList<Machine> With(string role) => [.. Machines.Where(machine => machine.Has(role))];

    /// <summary>The address that others in the fleet reach a machine at.</summary>
    public IPAddress AddressOf(Machine machine) => machine.On(Internal.Name) ?? machine.Addresses[0].Address;

    /// <summary>The value of a role's setting: what the file gives, else the default.</summary>
    public T Get<T>(Setting<T> setting)
        where T : notnull =>
        Settings.TryGetValue(setting.Key, out var given) ? (T)given.Value : setting.Reader(setting.Default).Value;
}
