using System.Net;
using Dure.Fleet.Roles;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Texts;

namespace Dure.Fleet.Model;

/// <summary>Reads the section <c>machines:</c>.</summary>
internal sealed class MachineReader(string file, List<Fault> faults, IReadOnlyList<Network> networks)
{
    /// <summary>The systems that roles are written for.</summary>
    public static readonly IReadOnlyList<string> Systems = ["debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04"];

    private static readonly string[] RoleNames = [.. RoleKinds.Named.Select(role => role.Name)];

    public List<Machine> All(YamlFields top)
    {
        var machines = new List<Machine>();
        switch (top.Node("machines"))
        {
            case null:
                faults.Add(new($"{file}:1:1", "`machines` is missing: a fleet is its machines"));
                break;
            case YamlMap map:
                foreach (var (name, value) in map.Entries)
                {
                    if (One(name, value, machines.Count) is { } machine)
                        machines.Add(machine);
                }

                break;
            case var other:
                top.Fault(other, "`machines` must be a group of names with what each machine is");
                break;
        }

        return machines;
    }

    private Machine? One(YamlText name, YamlNode value, int order)
    {
        if (!FleetReader.NamePattern().IsMatch(name.Text))
            Fault(name, $"`{Shown.Safely(name.Text)}` is no name for a machine: small letters, digits and dashes, 32 at most, a letter first");
        var prefix = $"machines.{Shown.Safely(name.Text)}.";
        if (value is not YamlMap map)
        {
            Fault(value, $"`{prefix.TrimEnd('.')}` must hold `address` and `roles`");
            return null;
        }

        var fields = new YamlFields(map, file, prefix, faults);
        var target = fields.Scalar("address");
        if (target is null)
            Fault(name, $"`{prefix}address` is missing: what OpenSSH is given, such as root@192.168.100.11");
        else if (target.Text.Length == 0 || target.Text[0] == '-' || target.Text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            Fault(target, $"`{prefix}address` must be a host, user@host or an alias of OpenSSH; it is \"{Shown.Safely(target.Text)}\"");
        var port = fields.Number("port", 1, 65_535) ?? 0;
        var os = fields.Scalar("os");
        if (os is not null && !Systems.Contains(os.Text, StringComparer.Ordinal))
            Fault(os, $"`{prefix}os` must be one of {string.Join(", ", Systems)}; it is \"{Shown.Safely(os.Text)}\".{Spelling.DidYouMean(os.Text, Systems)}");
        var zone = fields.Text("zone") ?? "";
        var hardware = HardwareOf(fields, prefix);
        var addresses = Addresses(fields, prefix, target, name);
        var (labels, disks, roles) = (Labels(fields, prefix), Disks(fields, prefix), Roles(fields, prefix));
        fields.RefuseUnknown();
        return new(name.Text, target?.Text ?? "", port, os?.Text ?? Systems[0], zone, hardware, addresses, labels, disks, roles, order, FleetReader.At(file, name));
    }

    private Hardware HardwareOf(YamlFields fields, string prefix)
    {
        if (Group(fields, "hardware", prefix) is not { } inner)
            return new(0, 0, 0, 0);
        var hardware = new Hardware(
            inner.Number("cores", 1, 4096) ?? 0,
            inner.Bytes("memory", 64L << 20, 64L << 40) ?? 0,
            inner.Bytes("disk", 1L << 30, 1L << 50) ?? 0,
            inner.Number("gpus", 0, 64) ?? 0);
        inner.RefuseUnknown();
        return hardware;
    }

    private List<NetworkAddress> Addresses(YamlFields fields, string prefix, YamlText? target, YamlText name)
    {
        var addresses = new List<NetworkAddress>();
        if (fields.Node("networks") is YamlMap map)
        {
            foreach (var (network, value) in map.Entries)
            {
                if (networks.All(known => known.Name != network.Text))
                    Fault(network, $"there is no network `{Shown.Safely(network.Text)}`.{Spelling.DidYouMean(network.Text, networks.Select(known => known.Name))}");
                if (value is YamlText text && FleetReader.TryAddress(text.Text, out var address))
                    addresses.Add(new(network.Text, address, FleetReader.At(file, value)));
                else
                    Fault(value, $"`{prefix}networks.{Shown.Safely(network.Text)}` must be an address, such as 192.168.100.11");
            }
        }
        else if (fields.Node("networks") is { } other)
        {
            Fault(other, $"`{prefix}networks` must be a group of networks with the machine's address on each");
        }
        else if (target is not null && FleetReader.TryAddress(target.Text[(target.Text.LastIndexOf('@') + 1)..], out var address))
        {
            var network = networks.FirstOrDefault(known => known.Range.Contains(address)) ?? (networks.Count > 0 ? networks[0] : null);
            if (network is not null)
                addresses.Add(new(network.Name, address, FleetReader.At(file, target)));
        }
        else if (target is not null)
        {
            Fault(name, $"`{prefix}networks` is missing: with a name as address, its addresses on the fleet's networks must be given");
        }

        return addresses;
    }

    private List<string> Labels(YamlFields fields, string prefix) => [.. Words(fields, "labels", prefix).Select(word => word.Text)];

    private List<MachineRole> Roles(YamlFields fields, string prefix)
    {
        var roles = new List<MachineRole>();
        foreach (var word in Words(fields, "roles", prefix))
        {
            if (!RoleNames.Contains(word.Text, StringComparer.Ordinal))
                Fault(word, $"`{Shown.Safely(word.Text)}` is not a role.{Spelling.DidYouMean(word.Text, RoleNames)} `dure roles` lists them.");
            else if (roles.Exists(known => known.Role == word.Text))
                Fault(word, $"`{word.Text}` is there twice");
            else
                roles.Add(new(word.Text, FleetReader.At(file, word)));
        }

        return roles;
    }

    private List<Disk> Disks(YamlFields fields, string prefix)
    {
        var disks = new List<Disk>();
        if (fields.Node("disks") is not { } node)
            return disks;
        if (node is not YamlMap map)
        {
            Fault(node, $"`{prefix}disks` must be a group of paths, such as `/srv/data: {{device: LABEL=data, type: ext4}}`");
            return disks;
        }

        foreach (var (path, value) in map.Entries)
        {
            if (!path.Text.StartsWith('/') || path.Text.Contains("..", StringComparison.Ordinal) || path.Text is "/")
                Fault(path, $"`{prefix}disks`: \"{Shown.Safely(path.Text)}\" must be the absolute path of a folder, and not the root");
            if (value is not YamlMap inner)
            {
                Fault(value, $"`{prefix}disks.{Shown.Safely(path.Text)}` must hold `device` and `type`");
                continue;
            }

            var disk = new YamlFields(inner, file, $"{prefix}disks.{Shown.Safely(path.Text)}.", faults);
            if (disk.Text("device") is { Length: > 0 } device)
                disks.Add(new(path.Text, device, disk.Text("type") ?? "auto", disk.Text("options") ?? "defaults", FleetReader.At(file, path)));
            else
                Fault(path, $"`{prefix}disks.{Shown.Safely(path.Text)}.device` is missing");
            _ = (disk.Text("type"), disk.Text("options"));
            disk.RefuseUnknown();
        }

        return disks;
    }

    private IEnumerable<YamlText> Words(YamlFields fields, string key, string prefix)
    {
        switch (fields.Node(key))
        {
            case null:
                return [];
            case YamlText { Quoted: false } single when !single.Text.Contains(',', StringComparison.Ordinal):
                return [single];
            case YamlList list:
                foreach (var item in list.Items.Where(item => item is not YamlText))
                    Fault(item, $"`{prefix}{key}` must be a list of words");
                return list.Items.OfType<YamlText>();
            case var other:
                Fault(other, $"`{prefix}{key}` must be a list, such as [web, redis]");
                return [];
        }
    }

    private YamlFields? Group(YamlFields fields, string key, string prefix)
    {
        switch (fields.Node(key))
        {
            case null:
                return null;
            case YamlMap map:
                return new YamlFields(map, file, $"{prefix}{key}.", faults);
            case var other:
                Fault(other, $"`{prefix}{key}` must be a group of keys");
                return null;
        }
    }

    private void Fault(YamlNode node, string what) => faults.Add(new(FleetReader.At(file, node).ToString(), what));
}
