using System.Net;
using System.Text.RegularExpressions;
using Dure.Fleet.Roles;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Texts;

namespace Dure.Fleet.Model;

/// <summary>Reads the sections of the fleet's file other than the machines.</summary>
internal sealed partial class FleetReader(string file, List<Fault> faults)
{
    /// <summary>What fleets, machines, networks and labs may be called.</summary>
    public const string NameText = "^[a-z][a-z0-9-]{0,31}$";

    private static readonly TimeSpan LongestObjective = TimeSpan.FromHours(24);

    /// <summary>What the section <c>fleet:</c> says.</summary>
    public sealed record Head(string Name, string Domain, string Mail, SshAccess Ssh, string Secrets);

    public static Place At(string file, YamlNode node) => new(file, node.Line, node.Column);

    public Head Fleet(YamlFields top)
    {
        var head = new Head("fleet", "", "", new("", ""), "secrets");
        if (Section(top, "fleet", "fleet.") is not { } fields)
            return head;
        var name = fields.Scalar("name");
        if (name is not null && !NamePattern().IsMatch(name.Text))
            fields.Fault(name, "`fleet.name` must be a word of small letters, digits and dashes");
        head = head with { Name = name?.Text ?? head.Name, Domain = fields.Text("domain") ?? "", Mail = fields.Text("mail") ?? "", Secrets = fields.Text("secrets") ?? head.Secrets };
        if (Section(fields, "ssh", "fleet.ssh.") is { } ssh)
        {
            head = head with { Ssh = new(ssh.Text("user") ?? "", ssh.Text("config") ?? "") };
            ssh.RefuseUnknown();
        }

        fields.RefuseUnknown();
        return head;
    }

    public List<Network> Networks(YamlFields top)
    {
        var networks = new List<Network>();
        if (top.Node("networks") is not { } node)
            return [new("internal", new IPNetwork(IPAddress.Any, 0), null, new(file, 1, 1))];
        if (node is not YamlMap map)
        {
            top.Fault(node, "`networks` must be a group of names, such as `internal:`");
            return networks;
        }

        foreach (var (name, value) in map.Entries)
        {
            if (!NamePattern().IsMatch(name.Text))
                top.Fault(name, $"`{Shown.Safely(name.Text)}` is no name for a network: small letters, digits and dashes");
            if (value is not YamlMap inner)
            {
                top.Fault(value, $"`networks.{Shown.Safely(name.Text)}` must hold `range` and perhaps `vip`");
                continue;
            }

            var fields = new YamlFields(inner, file, $"networks.{Shown.Safely(name.Text)}.", faults);
            var (range, vip) = (Range(fields, name), Address(fields, "vip"));
            if (range is { } known)
                networks.Add(new(name.Text, known, vip, At(file, name)));
            fields.RefuseUnknown();
        }

        if (networks.Count == 0 && faults.Count == 0)
            top.Fault(node, "`networks` names none; leave it out, or give one its `range`");
        return networks;
    }

    public IReadOnlyDictionary<string, SettingValue> Settings(YamlFields top)
    {
        var settings = new Dictionary<string, SettingValue>(StringComparer.Ordinal);
        if (top.Node("roles") is not { } node)
            return settings;
        if (node is not YamlMap map)
        {
            top.Fault(node, "`roles` must be a group of roles with their settings; which machine has which role stands under `machines`");
            return settings;
        }

        foreach (var (name, value) in map.Entries)
        {
            if (RoleKinds.Find(name.Text) is not { } role)
            {
                top.Fault(name, $"`{Shown.Safely(name.Text)}` is not a role.{Spelling.DidYouMean(name.Text, RoleKinds.Named.Select(known => known.Name))}");
                continue;
            }

            if (value is YamlText { IsNull: true })
                continue;
            if (value is YamlMap inner)
                RoleSettings(role, inner, settings);
            else
                top.Fault(value, $"`roles.{role.Name}` must hold settings");
        }

        return settings;
    }

    private void RoleSettings(RoleKind role, YamlMap map, Dictionary<string, SettingValue> settings)
    {
        foreach (var (name, value) in map.Entries)
        {
            void Wrong(YamlNode node, string what) => faults.Add(new(At(file, node).ToString(), what));
            var setting = role.Settings.FirstOrDefault(known => known.Name == name.Text);
            var text = value switch
            {
                YamlText { IsNull: true } => null,
                YamlText single => single.Text,
                YamlList list when list.Items.All(item => item is YamlText) => string.Join(',', list.Items.Cast<YamlText>().Select(item => item.Text)),
                _ => null,
            };
            if (setting is null)
            {
                Wrong(name, $"`roles.{role.Name}` has no setting `{Shown.Safely(name.Text)}`.{Spelling.DidYouMean(name.Text, role.Settings.Select(known => known.Name))}");
            }
            else if (text is null)
            {
                Wrong(value, $"`roles.{setting.Key}` must have a value; leave the line out to take the default, {setting.Default}");
            }
            else
            {
                var read = setting.Read(text);
                if (read.Error is { } error)
                    Wrong(value, $"`roles.{setting.Key}`: {error}; it is \"{Shown.Safely(text)}\"");
                else
                    settings[setting.Key] = new(setting, read.Value, SettingOrigin.File, At(file, value).ToString());
            }
        }
    }

    public List<Objective> Objectives(YamlFields top)
    {
        var objectives = new List<Objective>();
        if (top.Node("objectives") is not { } node)
            return objectives;
        if (node is not YamlMap map)
        {
            top.Fault(node, "`objectives` must be a group of tiers, such as `postgres: {machine: 25s, lost: 0}`");
            return objectives;
        }

        var tiers = RoleKinds.Tiers;
        foreach (var (name, value) in map.Entries)
        {
            if (!tiers.Contains(name.Text, StringComparer.Ordinal))
                top.Fault(name, $"`{Shown.Safely(name.Text)}` is not a tier.{Spelling.DidYouMean(name.Text, tiers)} There is: {string.Join(", ", tiers)}.");
            if (value is not YamlMap inner)
            {
                top.Fault(value, $"`objectives.{Shown.Safely(name.Text)}` must hold `machine`, and perhaps `process` and `lost`");
                continue;
            }

            var fields = new YamlFields(inner, file, $"objectives.{Shown.Safely(name.Text)}.", faults);
            var machine = fields.Duration("machine", TimeSpan.FromMilliseconds(1), LongestObjective);
            var process = fields.Duration("process", TimeSpan.FromMilliseconds(1), LongestObjective);
            var lost = fields.Number("lost", 0, int.MaxValue) ?? 0;
            if (fields.Node("machine") is null)
                top.Fault(name, $"`objectives.{Shown.Safely(name.Text)}.machine` is missing: the longest time that clients may notice a machine's loss");
            fields.RefuseUnknown();
            if (machine is { } recovery)
                objectives.Add(new(name.Text, recovery, process, lost, At(file, name)));
        }

        return objectives;
    }

    private YamlFields? Section(YamlFields parent, string key, string prefix)
    {
        switch (parent.Node(key))
        {
            case null:
                return null;
            case YamlMap map:
                return new YamlFields(map, file, prefix, faults);
            case var other:
                parent.Fault(other, $"`{prefix.TrimEnd('.')}` must be a group of keys");
                return null;
        }
    }

    private static IPNetwork? Range(YamlFields fields, YamlText name)
    {
        if (fields.Scalar("range") is not { } text)
        {
            fields.Fault(name, $"`networks.{Shown.Safely(name.Text)}.range` is missing, such as 192.168.100.0/24");
            return null;
        }

        var parts = text.Text.Split('/');
        // The address of a machine in it is taken by .NET, and is a mistake all the same.
        if (IPNetwork.TryParse(text.Text, out var range) && IPAddress.Parse(parts[0]).Equals(range.BaseAddress))
            return range;
        var hint = parts.Length == 2 && IPAddress.TryParse(parts[0], out var address) && int.TryParse(parts[1], out var length) && Masked(address, length) is { } masked
            ? $"; the network of that address is {masked}/{parts[1]}" : "";
        fields.Fault(text, $"`networks.{Shown.Safely(name.Text)}.range` must be a network such as 192.168.100.0/24; it is \"{Shown.Safely(text.Text)}\"{hint}");
        return null;
    }

    private static IPAddress? Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        if (length < 0 || length > bytes.Length * 8)
            return null;
        for (var bit = length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    /// <summary>An address in full: <c>10.0.1</c> and <c>010.0.0.1</c> mean others than people think, so they are none.</summary>
    public static bool TryAddress(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address) && (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork || address.ToString() == text);

    private static IPAddress? Address(YamlFields fields, string key)
    {
        if (fields.Scalar(key) is not { } text)
            return null;
        if (TryAddress(text.Text, out var address))
            return address;
        fields.Fault(text, $"`{key}` must be an address; it is \"{Shown.Safely(text.Text)}\"");
        return null;
    }

    [GeneratedRegex(NameText, RegexOptions.CultureInvariant, 1000)]
    internal static partial Regex NamePattern();
}
