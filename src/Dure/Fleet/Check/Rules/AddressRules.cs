using System.Net;
using System.Net.Sockets;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Networks, addresses, SSH targets and virtual addresses that do not go together.</summary>
internal static class AddressRules
{
    public static IEnumerable<Finding> Find(CheckScope scope) =>
        scope.Fleet.Networks.Count == 0 ? [CheckRules.NetworkNone.At(scope.Top, "No network is declared.")]
        : [.. Networks(scope.Fleet), .. Addresses(scope.Fleet), .. Duplicates(scope.Fleet), .. Vips(scope.Fleet)];

    private static IEnumerable<Finding> Networks(FleetModel fleet)
    {
        for (var i = 0; i < fleet.Networks.Count; i++)
        {
            foreach (var other in fleet.Networks.Skip(i + 1).Where(other => Overlap(fleet.Networks[i].Range, other.Range)))
                yield return CheckRules.NetworkOverlap.At(other.Place, $"{fleet.Networks[i].Name} ({fleet.Networks[i].Range}) and {other.Name} ({other.Range}) overlap.");
        }
    }

    private static IEnumerable<Finding> Addresses(FleetModel fleet)
    {
        var networks = fleet.Networks.DistinctBy(network => network.Name, StringComparer.Ordinal).ToDictionary(network => network.Name, StringComparer.Ordinal);
        foreach (var machine in fleet.Machines)
        {
            if (machine.Addresses.Count == 0)
                yield return CheckRules.AddressNone.At(machine.Place, $"{machine.Name} has no address.");
            foreach (var given in machine.Addresses)
            {
                if (!networks.TryGetValue(given.Network, out var network))
                    yield return CheckRules.NetworkUnknown.At(given.Place, $"{machine.Name} has an address on {given.Network}, which is not declared.");
                else if (!network.Range.Contains(given.Address))
                    yield return CheckRules.AddressOutside.At(given.Place, $"{machine.Name} has {given.Address}, which is not in {network.Name} ({network.Range}).");
                else if (Reserved(network.Range, given.Address) is { } what)
                    yield return CheckRules.AddressReserved.At(given.Place, $"{machine.Name} has {given.Address}, {what} of {network.Name} ({network.Range}).");
            }
        }
    }

    private static IEnumerable<Finding> Duplicates(FleetModel fleet)
    {
        foreach (var same in fleet.Machines.SelectMany(machine => machine.Addresses.Select(given => (machine, given))).GroupBy(pair => pair.given.Address).Where(group => group.Skip(1).Any()))
        {
            var owners = same.Select(pair => pair.machine).DistinctBy(machine => machine.Name, StringComparer.Ordinal).ToList();
            yield return CheckRules.AddressDuplicate.At(same.Skip(1).First().given.Place, owners.Count == 1
                ? $"{owners[0].Name} has {same.Key} twice."
                : $"{Words.Names(owners)} have the address {same.Key}.");
        }
        foreach (var same in fleet.Machines.Where(machine => machine.Target.Length > 0).GroupBy(machine => (machine.Target, machine.SshPort)).Where(group => group.Skip(1).Any()))
            yield return CheckRules.TargetDuplicate.At(same.Skip(1).First().Place, $"{Words.Names(same)} are reached by {same.Key.Target}.");
    }

    private static IEnumerable<Finding> Vips(FleetModel fleet)
    {
        var owners = fleet.Machines.SelectMany(machine => machine.Addresses.Select(given => (given.Address, machine.Name))).ToLookup(pair => pair.Address, pair => pair.Name);
        foreach (var network in fleet.Networks)
        {
            if (network.Vip is not { } vip)
                continue;
            if (!network.Range.Contains(vip))
                yield return CheckRules.VipOutside.At(network.Place, $"The virtual address {vip} is not in {network.Name} ({network.Range}).");
            else if (Reserved(network.Range, vip) is { } what)
                yield return CheckRules.VipReserved.At(network.Place, $"The virtual address {vip} is {what} of {network.Name} ({network.Range}).");
            foreach (var owner in owners[vip].Distinct(StringComparer.Ordinal))
                yield return CheckRules.VipTaken.At(network.Place, $"The virtual address {vip} of {network.Name} is the address of {owner}.");
            if (fleet.Networks.FirstOrDefault(other => vip.Equals(other.Vip)) is { } before && before != network)
                yield return CheckRules.VipTaken.At(network.Place, $"{before.Name} and {network.Name} have the same virtual address {vip}.");
        }
    }

    private static bool Overlap(IPNetwork one, IPNetwork other) => one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress);

    // Point-to-point ranges (/31, /32; /127, /128) have no reserved addresses; IPv6 has no broadcast, and its first address is every router's.
    private static string? Reserved(IPNetwork range, IPAddress address)
    {
        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (range.PrefixLength > bits - 2)
            return null;
        return address.Equals(range.BaseAddress) ? "the network's own address"
            : bits == 32 && address.Equals(Broadcast(range)) ? "the broadcast address"
            : null;
    }

    private static IPAddress Broadcast(IPNetwork range)
    {
        var bytes = range.BaseAddress.GetAddressBytes();
        for (var bit = range.PrefixLength; bit < 32; bit++)
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }
}
