using System.Globalization;
using System.Net;
using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Configuration;
using Dure.Host.Texts;

namespace Dure.Fleet.Layouts;

/// <summary>Writes a new dure.yaml from a layout, with a comment for what a reader would ask.</summary>
internal static class LayoutFile
{
    /// <param name="machines">As many as the layout has placements, in their order.</param>
    /// <param name="vip">Null when the layout has no balancer.</param>
    /// <param name="sshConfig">An OpenSSH configuration of the fleet's own; empty for the user's.</param>
    public static string Write(Layout layout, string name, IReadOnlyList<NewMachine> machines, IPNetwork range, IPAddress? vip, string sshConfig)
    {
        var text = new StringBuilder();
        text.Append($"""
            # The fleet {name}: {layout.Purpose}
            # dure check   says what would break        dure plan    says what would change
            # dure apply   makes it so                   dure drill   switches machines off and measures

            fleet:
              name: {name}
              # Under which name the world knows it; certificates and alerts use both.
              #domain: {name}.example.org
              #mail: you@example.org
              # Passwords and keys, one file each. `dure init --secrets` makes them. Keep the folder out of Git, or encrypt it.
              secrets: secrets

            """.ReplaceLineEndings("\n"));
        if (sshConfig.Length > 0)
            text.Append(CultureInfo.InvariantCulture, $"  ssh:\n    config: {sshConfig}\n");
        text.Append(CultureInfo.InvariantCulture, $"\nnetworks:\n  # What the machines speak to each other on.\n  internal:\n    range: {range}\n");
        if (vip is not null && HasBalancer(layout))
            text.Append(CultureInfo.InvariantCulture, $"    # The address that clients use; whichever balancer is well holds it.\n    vip: {vip}\n");
        text.Append("\nmachines:\n");
        foreach (var (placement, machine) in layout.Placements.Zip(machines))
            Machine(text, placement, machine);
        Roles(text, layout);
        if (layout.Objectives.Count > 0)
        {
            text.Append("\n# The longest that clients may notice the loss of a machine or a process, and acknowledged writes that may be lost. `dure drill` measures them.\nobjectives:\n");
            foreach (var objective in layout.Objectives)
                text.Append(CultureInfo.InvariantCulture, $"  {objective}\n");
        }

        return text.ToString();
    }

    private static bool HasBalancer(Layout layout) => layout.Placements.Any(placement => placement.Roles.Contains("balancer", StringComparer.Ordinal));

    private static void Machine(StringBuilder text, Placement placement, NewMachine machine)
    {
        var known = RoleKinds.Named.Select(role => role.Name).ToHashSet(StringComparer.Ordinal);
        text.Append(CultureInfo.InvariantCulture, $"  # {placement.Why}\n  {machine.Name}:\n    address: {machine.Target}\n");
        if (!machine.Target.EndsWith(machine.Address, StringComparison.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"    networks: {{internal: {machine.Address}}}\n");
        if (machine.Os.Length > 0)
            text.Append(CultureInfo.InvariantCulture, $"    os: {machine.Os}\n");
        text.Append(CultureInfo.InvariantCulture, $"    zone: {placement.Zone}\n");
        if (machine.Cores > 0)
            text.Append(CultureInfo.InvariantCulture, $"    hardware: {{cores: {machine.Cores}, memory: {Units.WriteBytes(machine.Memory)}, disk: {Units.WriteBytes(machine.Disk)}}}\n");
        text.Append(CultureInfo.InvariantCulture, $"    roles: [{string.Join(", ", placement.Roles.Where(known.Contains))}]\n");
    }

    /// <summary>The settings of the roles that the layout uses, each with its default, switched off.</summary>
    private static void Roles(StringBuilder text, Layout layout)
    {
        var used = RoleKinds.Named.Where(role => role.Settings.Count > 0 && layout.Placements.Any(placement => placement.Roles.Contains(role.Name, StringComparer.Ordinal))).ToList();
        if (used.Count == 0)
            return;
        text.Append("\n# Settings of the roles; what is switched off here is the default. `dure roles NAME` says more.\nroles:\n");
        foreach (var role in used)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {role.Name}:\n");
            foreach (var setting in role.Settings)
                text.Append(CultureInfo.InvariantCulture, $"    #{setting.Name}: {(setting.Default.Length == 0 ? "\"\"" : setting.Default)}\n");
        }
    }
}
