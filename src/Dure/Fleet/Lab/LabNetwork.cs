using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Dure.Host.Programs;
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
        if (LabProgram.Failure(words, routes) is { } failed)
            return failed;
        var used = Routed(routes.Output).ToList();
        used.AddRange(labs.Select(lab => lab.Range));
        return FirstFree(used) is { } free ? free : LabErrors.NoSubnet.With($"{used.Count} networks are routed here.");
    }

    /// <summary>The first N of 10.77.N.0/24 that meets none of these.</summary>
    internal static int? FirstFree(IReadOnlyList<IPNetwork> used)
    {
        for (var n = 0; n < 256; n++)
        {
            var range = new IPNetwork(IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"10.77.{n}.0")), 24);
            if (!used.Any(other => other.Contains(range.BaseAddress) || range.Contains(other.BaseAddress)))
                return n;
        }
        return null;
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
            if (await LabProgram.DoAsync(cancel, step) is { } failed)
                return failed;
        }
        return null;
    }

    /// <summary>Removes the namespace with all that is in it. Whatever runs there must have ended.</summary>
    public static async Task<Problem?> RemoveAsync(LabRecord record, CancellationToken cancel)
    {
        // The two ends of the host's link go together.
        if (HasLink(record.HostLink) && await LabProgram.DoAsync(cancel, "ip", "link", "delete", record.HostLink) is { } stuck)
            return stuck;
        return HasNamespace(record.Namespace) ? await LabProgram.DoAsync(cancel, "ip", "netns", "delete", record.Namespace) : null;
    }

    /// <summary>Lets no frame pass between two machines, or lets them pass again. Both ways, broadcasts among them.</summary>
    public static async Task<Problem?> SplitAsync(LabRecord record, MachineRecord one, MachineRecord other, bool cut, CancellationToken cancel)
    {
        // A slow machine is in the bridge by another interface.
        string[] ones = [one.Link, "sl-" + one.Id];
        string[] others = [other.Link, "sl-" + other.Id];
        var pairs = string.Join(", ", ones.SelectMany(a => others.SelectMany(b => new[] { $"{a} . {b}", $"{b} . {a}" })));
        // An element must be there to be deleted, and may be there to be added.
        var script = $$"""
            add table bridge dure_lab
            add set bridge dure_lab cut { type ifname . ifname; }
            add chain bridge dure_lab forward { type filter hook forward priority 0; }
            flush chain bridge dure_lab forward
            add rule bridge dure_lab forward iifname . oifname @cut drop
            add element bridge dure_lab cut { {{pairs}} }
            {{(cut ? "" : $"delete element bridge dure_lab cut {{ {pairs} }}")}}

            """;
        string[] words = [.. Nft(record), "-f", "-"];
        return LabProgram.Failure(words, await HostProgram.RunAsync(words, cancel, script));
    }

    /// <summary>The pairs of interfaces between which no frame passes, as nft names them; empty when there are none.</summary>
    public static async Task<string> SplitsAsync(LabRecord record, CancellationToken cancel) =>
        (await HostProgram.RunAsync([.. Nft(record), "list", "set", "bridge", "dure_lab", "cut"], cancel)).Output;

    /// <summary>True when this host finds the machine of an address on the bridge.</summary>
    public static Task<bool> SeesAsync(LabRecord record, IPAddress address, CancellationToken cancel) =>
        SeesAsync(words => HostProgram.RunAsync(words, cancel), record.HostLink, address);

    /// <summary>True when someone finds the machine of an address on its link. Asked by ARP, which no firewall of the fleet answers for.</summary>
    public static async Task<bool> SeesAsync(Func<string[], Task<Ran>> run, string link, IPAddress address)
    {
        await run(["ip", "neigh", "flush", "dev", link, "to", address.ToString()]);

        // A link that has just come up may lose the first question.
        for (var asked = 0; asked < 3; asked++)
        {
            await run(["ping", "-n", "-q", "-c", "1", "-W", "0.5", address.ToString()]);
            var known = await run(["ip", "neigh", "show", "dev", link, "to", address.ToString()]);
            if (known.Output.Contains("lladdr", StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    /// <summary>True when the lab's network has an interface.</summary>
    public static async Task<bool> HasLinkInsideAsync(LabRecord record, string name, CancellationToken cancel) =>
        (await HostProgram.RunAsync(["ip", "-n", record.Namespace, "link", "show", "dev", name], cancel)).ExitCode == 0;

    // The image's own nft: the host needs none.
    private static string[] Nft(LabRecord record) => ["nsenter", "--net=/run/netns/" + record.Namespace, "chroot", record.Root, "/usr/sbin/nft"];

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
