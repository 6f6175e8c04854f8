namespace Dure.Functions.Worker.Cgroups;

/// <summary>Where this process stands in the control group hierarchies, as host folders.</summary>
/// <param name="V1">Folder for each controller of version 1.</param>
/// <param name="V2">Folder in the unified hierarchy; null when it is not mounted.</param>
/// <param name="V2Root">Mount point of the unified hierarchy.</param>
internal sealed record CgroupMounts(IReadOnlyDictionary<string, string> V1, string? V2, string? V2Root)
{
    /// <summary>Reads the place of the calling process.</summary>
    public static CgroupMounts Read() => Parse(File.ReadAllText("/proc/self/mountinfo"), File.ReadAllText("/proc/self/cgroup"));

    /// <summary>From the texts of <c>/proc/self/mountinfo</c> and <c>/proc/self/cgroup</c>.</summary>
    public static CgroupMounts Parse(string mountInfo, string cgroup)
    {
        var places = Places(cgroup);
        var v1 = new Dictionary<string, string>(StringComparer.Ordinal);
        string? v2 = null, v2Root = null;
        foreach (var line in mountInfo.Split('\n'))
        {
            var halves = line.Split(" - ", 2);
            if (halves.Length != 2) continue;
            var (front, back) = (halves[0].Split(' '), halves[1].Split(' '));
            if (front.Length < 5 || back.Length < 3) continue;
            var (root, mountPoint) = (front[3], front[4]);
            if (string.Equals(back[0], "cgroup2", StringComparison.Ordinal) && v2 is null)
            {
                v2Root = mountPoint;
                v2 = Under(mountPoint, root, places.GetValueOrDefault("", "/"));
            }
            else if (string.Equals(back[0], "cgroup", StringComparison.Ordinal))
            {
                foreach (var controller in back[2].Split(','))
                    if (places.TryGetValue(controller, out var place)) v1.TryAdd(controller, Under(mountPoint, root, place));
            }
        }

        return new CgroupMounts(v1, v2, v2Root);
    }

    private static Dictionary<string, string> Places(string cgroup)
    {
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in cgroup.Split('\n'))
        {
            var parts = line.Split(':', 3);
            if (parts.Length != 3) continue;
            foreach (var controller in parts[1].Split(',')) places.TryAdd(controller, parts[2]);
        }

        return places;
    }

    /// <summary>In a container the mount shows only what lies below <paramref name="root"/>.</summary>
    private static string Under(string mountPoint, string root, string place)
    {
        var below = root.Length > 1 && place.StartsWith(root, StringComparison.Ordinal) ? place[root.Length..] : place;
        return below is "/" or "" ? mountPoint : mountPoint.TrimEnd('/') + "/" + below.TrimStart('/');
    }
}
