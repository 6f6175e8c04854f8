using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>
/// The network of a lab: a namespace with a bridge, and one link from this host into it. Nothing is forwarded and nothing translated: this host
/// reaches machines, machines reach each other and the package server, and nobody reaches anything else.
/// </summary>
internal static class LabNetwork
{
    public const string Bridge = "br0";
    private const string HostEnd = "host";

    /// <summary>The first 10.77.N.0/24 that this host does not route and no lab has.</summary>
    public static async Task<Outcome<int>> FreeSubnetAsync(IEnumerable<LabRecord> labs, CancellationToken cancel)
    {
        string[] words = ["ip", "-4", "route", "show", "table", "all"];
        var routes = await HostProgram.RunAsync(words, cancel);
        if (HostProgram.Failure(words, routes) is { } failed)
            return failed;
        var used = Routed(routes.Output).ToList();
        used.AddRange(labs.Select(lab => lab.Range));
        for (var n = 0; n < 256; n++)
        {
            var range = new IPNetwork(IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"10.77.{n}.0")), 24);
            if (!used.Any(other => other.Contains(range.BaseAddress) || range.Contains(other.BaseAddress)))
                return n;
        }
        return LabErrors.NoSubnet.With($"{used.Count} networks are routed here.");
    }

    /// <summary>The networks in the output of <c>ip route</c>; the default route leads everywhere and says nothing.</summary>
    internal static IEnumerable<IPNetwork> Routed(string routes)
    {
        string[] kinds = ["unicast", "local", "broadcast", "multicast", "anycast", "throw", "unreachable", "prohibit", "blackhole", "nat"];
        foreach (var line in routes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var word = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).SkipWhile(kinds.Contains).FirstOrDefault() ?? "";
            if (IPNetwork.TryParse(word.Contains('/', StringComparison.Ordinal) ? word : word + "/32", out var network) && network.PrefixLength > 0)
                yield return network;
        }
    }

    /// <summary>Makes the namespace, the bridge and this host's link, when they are not there.</summary>
    public static async Task<Problem?> EnsureAsync(LabRecord record, CancellationToken cancel)
    {
        if (await IsWholeAsync(record, cancel))
            return null;
        if (await RemoveAsync(record, cancel) is { } stuck)
            return stuck;
        var host = record.HostLink;
        string[][] steps =
        [
            ["ip", "netns", "add", record.Namespace],
            ["ip", "-n", record.Namespace, "link", "set", "lo", "up"],
            ["ip", "-n", record.Namespace, "link", "add", Bridge, "type", "bridge"],
            ["ip", "-n", record.Namespace, "addr", "add", record.ServerAddress + "/24", "dev", Bridge],
            ["ip", "-n", record.Namespace, "link", "set", Bridge, "up"],
            ["ip", "link", "add", host, "type", "veth", "peer", "name", HostEnd, "netns", record.Namespace],
            ["ip", "-n", record.Namespace, "link", "set", HostEnd, "master", Bridge, "up"],
            ["ip", "link", "set", host, "up"],
            ["ip", "addr", "add", record.Address(LabSpec.HostOctet) + "/24", "dev", host],
        ];
        foreach (var step in steps)
        {
            if (await HostProgram.DoAsync(cancel, step) is { } failed)
                return failed;
        }
        return null;
    }

    /// <summary>Removes the namespace with all that is in it. Whatever runs there must have ended.</summary>
    public static async Task<Problem?> RemoveAsync(LabRecord record, CancellationToken cancel)
    {
        // The two ends of the host's link go together.
        if (HasLink(record.HostLink) && await HostProgram.DoAsync(cancel, "ip", "link", "delete", record.HostLink) is { } stuck)
            return stuck;
        return HasNamespace(record.Namespace) ? await HostProgram.DoAsync(cancel, "ip", "netns", "delete", record.Namespace) : null;
    }

    public static bool HasNamespace(string name) => File.Exists("/run/netns/" + name);

    public static bool HasLink(string name) => Array.Exists(NetworkInterface.GetAllNetworkInterfaces(), link => link.Name == name);

    private static async Task<bool> IsWholeAsync(LabRecord record, CancellationToken cancel)
    {
        // The last step that is made is the last that is there.
        if (!HasNamespace(record.Namespace) || !HasLink(record.HostLink))
            return false;
        var address = await HostProgram.RunAsync(["ip", "-4", "addr", "show", "dev", record.HostLink], cancel);
        return address.Output.Contains($" {record.Address(LabSpec.HostOctet)}/24 ", StringComparison.Ordinal);
    }
}
