using Dure.Host.Ssh;

namespace Dure.Fleet.Model;

/// <summary>How a machine of a fleet is reached, and where it keeps what is known of its applies.</summary>
internal static class MachineTarget
{
    /// <summary>Of every machine.</summary>
    public const string StateFolder = "/var/lib/dure-fleet";

    public static SshTarget Of(FleetModel fleet, Machine machine, string? controlFolder) =>
        new(machine.Name, machine.Target, machine.SshPort, fleet.Ssh.User, fleet.Ssh.ConfigFile, controlFolder);
}
