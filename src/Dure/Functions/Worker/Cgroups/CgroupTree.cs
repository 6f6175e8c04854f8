using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Cgroups;

/// <summary>The worker's own part of the control group hierarchies: one folder named after the installation, one group in it for every sandbox.</summary>
internal sealed class CgroupTree
{
    private const int EndTries = 1000;
    private const int RemoveTries = 200;
    private static readonly TimeSpan EndAgain = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan RemoveAgain = TimeSpan.FromMilliseconds(10);
    private static readonly string[] ControllersV1 = ["memory", "pids", "cpu", "cpuacct"];
    private static readonly string[] ControllersV2 = ["memory", "pids", "cpu"];
    private readonly Dictionary<string, string> _v1;
    private readonly string? _v2;

    private CgroupTree(Dictionary<string, string> v1, string? v2, EnforcedLimits enforced) => (_v1, _v2, Enforced) = (v1, v2, enforced);

    /// <summary>What can be limited.</summary>
    public EnforcedLimits Enforced { get; }

    /// <summary>Folders below which all groups lie.</summary>
    public IReadOnlyList<string> Folders => _v2 is null ? [.. _v1.Values.Distinct(StringComparer.Ordinal)] : [_v2];

    /// <summary>Sets the tree up where the kernel and the permissions allow it; limits that cannot be enforced are said so.</summary>
    /// <param name="name">Folder name, unique for an installation and worker.</param>
    public static CgroupTree Create(CgroupMounts mounts, string name) =>
        CreateV2(mounts, name) ?? CreateV1(mounts, name);

    /// <summary>A tree that limits nothing.</summary>
    public static CgroupTree None { get; } = new([], null, new EnforcedLimits(false, false, false));

    /// <summary>A new, empty group.</summary>
    /// <returns>Null when there is nothing to put it into or the kernel refuses.</returns>
    public ControlGroup? CreateGroup(string name)
    {
        if (_v2 is not null) return MakeFolder(_v2 + "/" + name) ? new ControlGroupV2(_v2 + "/" + name) : null;
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (controller, folder) in _v1)
            if (MakeFolder(folder + "/" + name)) folders[controller] = folder + "/" + name;
        return folders.Count > 0 ? new ControlGroupV1(folders) : null;
    }

    /// <summary>Ends everything in the groups that an earlier worker left in these folders.</summary>
    /// <param name="which">Tells from a group's name whether it is meant.</param>
    /// <returns>The groups, empty now but for what even KILL does not end at once: the kernel takes its time to remove them.</returns>
    public static async Task<IReadOnlyList<ControlGroup>> EndLeftoversAsync(IEnumerable<string> folders, Predicate<string> which, TimeProvider time, CancellationToken cancel)
    {
        List<ControlGroup> groups = [.. folders.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories)
            .Where(group => which(Path.GetFileName(group))).Select(group => new ControlGroupV2(group))];
        var living = groups;
        for (var i = 0; i < EndTries && (living = living.FindAll(group => group.Processes.Count > 0)).Count > 0; i++)
        {
            living.ForEach(group => group.Kill());
            await Task.Delay(EndAgain, time, cancel);
        }
        return groups;
    }

    /// <summary>Removes groups that are empty or about to be.</summary>
    public static async Task RemoveAsync(IReadOnlyList<ControlGroup> groups, TimeProvider time, CancellationToken cancel)
    {
        foreach (var group in groups)
        {
            for (var i = 0; i < RemoveTries && !group.Remove(); i++) await Task.Delay(RemoveAgain, time, cancel);
        }
    }

    /// <summary>Removes the tree's own folders once they are empty.</summary>
    public void Remove()
    {
        foreach (var folder in Folders) _ = Libc.rmdir(folder);
    }

    private static CgroupTree CreateV1(CgroupMounts mounts, string name)
    {
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var controller in ControllersV1)
        {
            if (mounts.V1.TryGetValue(controller, out var own) && MakeFolder(own + "/" + name)
                && File.Exists(own + "/" + name + "/cgroup.procs")) folders[controller] = own + "/" + name;
        }

        return new CgroupTree(folders, null,
            new EnforcedLimits(folders.ContainsKey("memory"), folders.ContainsKey("cpu"), folders.ContainsKey("pids")));
    }

    private static CgroupTree? CreateV2(CgroupMounts mounts, string name)
    {
        if (mounts.V2 is null || mounts.V2Root is null) return null;
        // A service's own group comes last: the sandboxes outlive the server, and systemd could not put the next one into a group
        // that has become an inner one meanwhile.
        foreach (var own in new[] { mounts.V2, mounts.V2Root }.Distinct(StringComparer.Ordinal).OrderBy(place => place.EndsWith(".service", StringComparison.Ordinal)))
        {
            var has = Words(own + "/cgroup.controllers");
            if (!has.Contains("memory") && !has.Contains("pids")) continue;
            var wanted = ControllersV2.Where(has.Contains).ToArray();
            if (!MakeFolder(own + "/" + name)) continue;
            if (Enable(own, wanted) && Enable(own + "/" + name, wanted)) return Built(own + "/" + name);
            if (MakeRoom(own) && Enable(own, wanted) && Enable(own + "/" + name, wanted)) return Built(own + "/" + name);
            _ = Libc.rmdir(own + "/" + name);
        }

        return null;
    }

    private static CgroupTree Built(string folder)
    {
        var enabled = Words(folder + "/cgroup.subtree_control");
        return new CgroupTree([], folder, new EnforcedLimits(enabled.Contains("memory"), enabled.Contains("cpu"), enabled.Contains("pids")));
    }

    /// <summary>
    /// A group that hands controllers on may hold no processes itself. When the only ones in it are the worker and those that
    /// started it, the group was delegated to us and they move one level down.
    /// </summary>
    private static bool MakeRoom(string own)
    {
        var ours = new HashSet<int> { Environment.ProcessId };
        for (var pid = Parent(Environment.ProcessId); pid > 1; pid = Parent(pid)) ours.Add(pid);
        var inside = Lines(own + "/cgroup.procs").Select(line => int.Parse(line, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        if (!inside.TrueForAll(ours.Contains) || !MakeFolder(own + "/dure-main")) return false;
        return inside.TrueForAll(pid => TryWrite(own + "/dure-main/cgroup.procs", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static int Parent(int pid)
    {
        var line = Array.Find(Lines($"/proc/{pid}/status"), l => l.StartsWith("PPid:", StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line.AsSpan(5), System.Globalization.NumberStyles.AllowLeadingWhite, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static bool Enable(string folder, string[] controllers)
    {
        var missing = controllers.Except(Words(folder + "/cgroup.subtree_control"), StringComparer.Ordinal).ToArray();
        return missing.Length == 0 || TryWrite(folder + "/cgroup.subtree_control", string.Join(' ', missing.Select(c => "+" + c)));
    }

    private static bool MakeFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool TryWrite(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static HashSet<string> Words(string path) =>
        Lines(path).SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToHashSet(StringComparer.Ordinal);

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
