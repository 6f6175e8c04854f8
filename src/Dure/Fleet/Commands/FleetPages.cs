using System.Globalization;
using System.Net;
using System.Text;
using Dure.Fleet.Check.Rules;
using Dure.Fleet.Layouts;
using Dure.Fleet.Roles;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Commands;

/// <summary>The pages about fleets that are made from the program: roles, what check looks for, the schema for editors, and an example.</summary>
internal static class FleetPages
{
    /// <summary>Every page, by its path in the repository.</summary>
    public static IReadOnlyDictionary<string, string> All() => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["dure.fleet.example.yaml"] = Example(),
        ["docs/reference/fleet-roles.md"] = RolesPage(),
        ["docs/reference/fleet-checks.md"] = CheckPage.Render(),
        ["docs/reference/fleet.schema.json"] = FleetSchema.Text(),
    };

    /// <summary>The layout of four machines, with everything that can be said about a machine said once.</summary>
    private static string Example()
    {
        var layout = Layout.Find("four")!;
        var machines = layout.Placements.Select((placement, index) =>
            new NewMachine(placement.Machine, Invariant($"root@192.168.100.{11 + index}"), Invariant($"192.168.100.{11 + index}"), "debian-12", 8, 16L << 30, 200L << 30));
        var text = LayoutFile.Write(layout, "example", [.. machines], IPNetwork.Parse("192.168.100.0/24"), IPAddress.Parse("192.168.100.10"), "");
        return "# Made by `dure docs generate`: every section of a fleet's file. `dure init` writes one for your machines.\n" + text.Replace("    roles: [firewall, balancer, web, dure, monitor]\n", """
                roles: [firewall, balancer, web, dure, monitor]
                # What can also be said of a machine:
                #port: 22                        # of SSH; without, what your ssh_config says
                #networks: {internal: 192.168.100.11, public: 203.0.113.11}   # when the address above is a name
                #labels: [cost=49, host=rack1]   # what it costs a month; what it is a virtual machine on
                #disks:
                #  /srv/data: {device: LABEL=data, type: ext4, options: noatime}

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    private static string RolesPage()
    {
        var text = new StringBuilder("""
            # Roles of a fleet's machines

            What a machine of `dure.yaml` can be. Settings stand under `roles: NAME:` and hold for every machine with the role. Made by `dure docs generate`.


            """);
        foreach (var role in RoleKinds.Named.OrderBy(role => role.Name, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {role.Name}\n\n{role.Purpose}\n\n");
            if (role.Needs.Count > 0)
                text.Append(CultureInfo.InvariantCulture, $"Needs, somewhere in the fleet: {string.Join(", ", role.Needs)}.\n\n");
            if (role.Includes.Count > 0)
                text.Append(CultureInfo.InvariantCulture, $"Brings along: {string.Join(", ", role.Includes)}.\n\n");
            if (role.Data.Count > 0)
                text.Append(CultureInfo.InvariantCulture, $"Data that stays when the role goes: {string.Join(", ", role.Data.Select(path => $"`{path}`"))}.\n\n");
            if (role.Settings.Count == 0)
                continue;
            text.Append("| setting | default | values | what it is |\n|---|---|---|---|\n");
            foreach (var setting in role.Settings)
                text.Append(CultureInfo.InvariantCulture, $"| `{setting.Name}` | {(setting.Default.Length > 0 ? $"`{Cell(setting.Default)}`" : "")} | {Cell(setting.Range.Length > 0 ? setting.Range : setting.Type)} | {Cell(setting.Doc)} |\n");
            text.Append('\n');
        }

        return text.ToString().TrimEnd() + "\n";
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
