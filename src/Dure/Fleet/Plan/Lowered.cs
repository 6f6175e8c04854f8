using System.Security.Cryptography;
using System.Text;
using Dure.Fleet.Desired;

namespace Dure.Fleet.Plan;

/// <summary>What a machine should be in the few kinds of things that are observed and changed: mounts and kernel settings have become files and units.</summary>
internal sealed record Lowered(
    string Machine,
    IReadOnlyList<DesiredPackage> Packages,
    IReadOnlyList<DesiredUser> Users,
    IReadOnlyList<DesiredFolder> Folders,
    IReadOnlyList<DesiredFile> Files,
    IReadOnlyList<DesiredTree> Trees,
    IReadOnlyList<DesiredSysctl> Sysctls,
    IReadOnlyList<DesiredUnit> Units,
    IReadOnlyList<DesiredStep> Steps,
    IReadOnlyList<HealthCheck> Health)
{
    public static Lowered Of(DesiredMachine machine)
    {
        List<DesiredFile> files = [.. machine.Files];
        List<DesiredUnit> units = [];
        foreach (var group in machine.Sysctls.GroupBy(sysctl => sysctl.Role, StringComparer.Ordinal))
            files.Add(new($"/etc/sysctl.d/60-dure-{group.Key}.conf", string.Concat(group.Select(sysctl => $"{sysctl.Key} = {sysctl.Value}\n")), group.Key));
        foreach (var mount in machine.Mounts)
        {
            var unit = Escape(mount.Path) + ".mount";
            files.Add(new($"/etc/systemd/system/{unit}", Text(mount), mount.Role));
            units.Add(new DesiredUnit(unit, UnitState.Running, mount.Role) { RestartOn = [$"/etc/systemd/system/{unit}"] });
        }

        // A file that two roles ask for alike is one file.
        files = [.. files.DistinctBy(file => file.Path, StringComparer.Ordinal)];
        return new(
            machine.Machine, [.. machine.Packages.DistinctBy(package => package.Name, StringComparer.Ordinal)], machine.Users, [.. machine.Folders.DistinctBy(folder => folder.Path, StringComparer.Ordinal)], files, machine.Trees, machine.Sysctls,
            [.. units.Concat(machine.Units).DistinctBy(unit => unit.Name, StringComparer.Ordinal)], machine.Steps, machine.Health);
    }

    /// <summary>Roles of which an apply makes something that stays; packages that are there already are not made.</summary>
    public IEnumerable<string> RolesMade(IReadOnlyDictionary<string, string> packagesBefore) =>
        Packages.Where(package => !packagesBefore.ContainsKey(package.Name)).Select(package => package.Role)
            .Concat(Users.Select(user => user.Role)).Concat(Folders.Select(folder => folder.Role)).Concat(Files.Select(file => file.Role))
            .Concat(Trees.Select(tree => tree.Role)).Concat(Units.Select(unit => unit.Role));

    /// <summary>SHA-256 of a text as UTF-8, in hexadecimal: what <c>sha256sum</c> prints.</summary>
    public static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>What a unit was started with and last read, in one line; it is kept on the machine when that has happened.</summary>
    public string Stamp(DesiredUnit unit) => $"{Over(unit.RestartOn)} {Over(unit.ReloadOn)}";

    private string Over(IReadOnlyList<string> paths) =>
        paths.Count == 0 ? "-" : Digest(string.Concat(paths.Select(path => $"{path} {(Files.FirstOrDefault(file => file.Path == path) is { } file ? Digest(file.Text) : TreeMark(path))}\n")))[..16];

    private string TreeMark(string path) => Trees.FirstOrDefault(tree => tree.Path == path) is { } tree ? LocalTree.Digest(tree.Source) : "";

    /// <summary>A path as the name of its unit, systemd.unit(5).</summary>
    internal static string Escape(string path)
    {
        var name = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(path.Trim('/')))
        {
            _ = b == '/' ? name.Append('-')
                : char.IsAsciiLetterOrDigit((char)b) || b is (byte)'_' or (byte)':' || b == '.' && name.Length > 0 ? name.Append((char)b)
                : name.Append("\\x").Append(b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return name.ToString();
    }

    private static string Text(DesiredMount mount) =>
        $"[Unit]\nDescription={mount.Path} (declared in dure.yaml)\n\n[Mount]\nWhat={mount.Source}\nWhere={mount.Path}\nType={mount.FileSystem}\nOptions={mount.Options}\n\n[Install]\nWantedBy=multi-user.target\n";
}
