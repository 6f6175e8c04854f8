using System.Net;

namespace Dure.Fleet.Model;

/// <summary>What a machine is made of; 0 where the file does not say.</summary>
/// <param name="Memory">Bytes.</param>
/// <param name="Disk">Bytes of the disk that holds <c>/var</c>.</param>
public sealed record Hardware(int Cores, long Memory, long Disk, int Gpus);

/// <summary>A disk that the machine mounts beside its root.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="Device">What is mounted: <c>/dev/disk/by-id/...</c>, <c>UUID=...</c>, <c>LABEL=...</c> or a remote <c>host:/share</c>.</param>
/// <param name="FileSystem">As in fstab: ext4, xfs, nfs, glusterfs, ...</param>
/// <param name="Options">As in fstab.</param>
public sealed record Disk(string Path, string Device, string FileSystem, string Options, Place Place);

/// <summary>A role that a machine has, and where the file says so.</summary>
public sealed record MachineRole(string Role, Place Place);

/// <summary>One machine of the fleet.</summary>
/// <param name="Target">What OpenSSH is given: a host, <c>user@host</c>, or an alias of the user's own configuration.</param>
/// <param name="SshPort">0 leaves it to OpenSSH's configuration.</param>
/// <param name="Os"><c>debian-12</c>, <c>debian-13</c>, <c>ubuntu-22.04</c>, <c>ubuntu-24.04</c>.</param>
/// <param name="Zone">What fails together: a room, a rack, a power line, a provider.</param>
/// <param name="Order">Its place in the file, from 0: the first of those with a role begins where one must.</param>
public sealed record Machine(
    string Name,
    string Target,
    int SshPort,
    string Os,
    string Zone,
    Hardware Hardware,
    IReadOnlyList<NetworkAddress> Addresses,
    IReadOnlyList<string> Labels,
    IReadOnlyList<Disk> Disks,
    IReadOnlyList<MachineRole> Roles,
    int Order,
    Place Place)
{
    public bool Has(string role) => Roles.Any(given => given.Role == role);

    /// <summary>The address on a network; null when it has none there.</summary>
    public IPAddress? On(string network) => Addresses.FirstOrDefault(address => address.Network == network)?.Address;
}
