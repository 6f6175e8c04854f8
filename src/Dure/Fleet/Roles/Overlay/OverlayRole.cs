using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Overlay;

/// <summary>
/// A lab's own files: <c>overlay/all/etc/motd</c> beside dure.yaml becomes <c>/etc/motd</c> on every machine with the role, <c>overlay/n1/...</c> is for one machine and wins.
/// Services and timers among them run, and start again when they change.
/// </summary>
internal static class OverlayRole
{
    /// <summary>Largest file that is taken, bytes: an overlay is for configuration, not for data.</summary>
    public const int FileLengthMax = 1 << 20;

    public static readonly Setting<string> Folder = SettingKinds.Text("overlay.folder", "overlay", "Folder beside dure.yaml with a folder `all` and one per machine.");

    public static readonly Setting<string> Packages = SettingKinds.Text("overlay.packages", "", "Packages of the distribution that are installed too.");

    public static readonly RoleKind Kind = new("overlay", "A lab's own files, units and packages, from a folder beside dure.yaml.", Build)
    {
        Settings = [Folder, Packages],
        Check = Faults,
    };

    private static void Build(RoleScope scope)
    {
        scope.Package([.. scope.Get(Packages).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)]);
        var units = new List<string>();
        foreach (var (path, source) in FilesFor(scope.Fleet, scope.Machine.Name))
        {
            var executable = (File.GetUnixFileMode(source) & UnixFileMode.UserExecute) != 0;
            scope.File(path, File.ReadAllText(source), file => file with { Mode = executable ? "0755" : "0644" });
            if (Path.GetDirectoryName(path) is "/etc/systemd/system" && Path.GetExtension(path) is ".service" or ".timer" or ".socket")
                units.Add(path);
        }

        foreach (var unit in units)
        {
            var started = units.Exists(other => other != unit && Path.GetFileNameWithoutExtension(other) == Path.GetFileNameWithoutExtension(unit) && Path.GetExtension(unit) is ".service");
            scope.Unit(Path.GetFileName(unit), started ? UnitState.Enabled : UnitState.Running, made => made with { RestartOn = [unit] });
        }
    }

    private static IEnumerable<Finding> Faults(FleetModel fleet)
    {
        var folder = Path.Combine(fleet.Folder, fleet.Get(Folder));
        foreach (var machine in fleet.With("overlay"))
        {
            var place = machine.Roles.First(role => role.Role == "overlay").Place;
            if (!Directory.Exists(folder))
                yield return new("overlay-missing", Severity.Error, place, $"{machine.Name} has the role overlay, and {folder} is not there", "Make the folder, or set roles.overlay.folder.");
            foreach (var (path, source) in FilesFor(fleet, machine.Name).Where(file => new FileInfo(file.Value).Length > FileLengthMax))
                yield return new("overlay-large", Severity.Error, place, $"{source} is larger than {Units.WriteBytes(FileLengthMax)}", $"Take it out of the overlay; {path} is data.");
        }
    }

    private static SortedDictionary<string, string> FilesFor(FleetModel fleet, string machine)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in new[] { "all", machine })
        {
            var root = Path.Combine(fleet.Folder, fleet.Get(Folder), part);
            foreach (var source in Directory.Exists(root) ? Directory.GetFiles(root, "*", SearchOption.AllDirectories) : [])
                files["/" + Path.GetRelativePath(root, source)] = source;
        }

        return files;
    }
}
