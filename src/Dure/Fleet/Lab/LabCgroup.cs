using System.Globalization;
using Dure.Host.Commands;

namespace Dure.Fleet.Lab;

/// <summary>
/// The control groups of a lab: one below all of it, one for each machine. Machines need one of their own, and whoever ends a lab finds there
/// every process of it, whether it was recorded or not.
/// </summary>
internal sealed class LabCgroup(string name)
{
    private const int Kill = 9;
    private const string Mounted = "/sys/fs/cgroup";

    // Unified, or the two that systemd uses where the controllers are mounted one by one.
    private static readonly string[] Hierarchies =
        File.Exists(Path.Combine(Mounted, "cgroup.controllers"))
            ? [Mounted]
            : [.. new[] { "systemd", "unified" }.Select(kind => Path.Combine(Mounted, kind)).Where(path => File.Exists(Path.Combine(path, "cgroup.procs")))];

    /// <summary>True where control groups are mounted at all.</summary>
    public static bool IsThere => Hierarchies.Length > 0;

    /// <summary>Makes the group of one member and gives the files that a process writes its id to, to be in it.</summary>
    public IReadOnlyList<string> Make(string member)
    {
        foreach (var hierarchy in Hierarchies)
            Directory.CreateDirectory(Path.Combine(hierarchy, name, member));
        return [.. Hierarchies.Select(hierarchy => Path.Combine(hierarchy, name, member, "cgroup.procs"))];
    }

    /// <summary>Everything that runs in the lab, or in one member of it.</summary>
    public IReadOnlyList<int> Processes(string member = "") =>
        [.. Hierarchies.SelectMany(hierarchy => Folders(Path.Combine(hierarchy, name, member)))
            .SelectMany(folder => ProcessMark.Ids(ProcessMark.Text(Path.Combine(folder, "cgroup.procs")))).Where(pid => pid != 0).Distinct()];

    /// <summary>Bytes that the processes of a member have for themselves and share among each other, files not counted.</summary>
    public long Memory(string member) => Processes(member)
        .SelectMany(pid => ProcessMark.Text($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/status").Split('\n'))
        .Where(line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);

    /// <summary>Ends everything in the lab or in one member, at once and without asking.</summary>
    /// <returns>The processes that are left when the time is over.</returns>
    public async Task<IReadOnlyList<int>> KillAsync(string member, TimeSpan limit, CancellationToken cancel)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (Processes(member) is { Count: > 0 } left)
        {
            if (TimeProvider.System.GetElapsedTime(began) > limit)
                return left;
            foreach (var pid in left)
                Posix.Signal(pid, Kill);
            await Task.Delay(5, cancel);
        }
        return [];
    }

    /// <summary>Removes the groups, which must be empty. A process that has just ended may hold one for a moment.</summary>
    public async Task RemoveAsync(string member, CancellationToken cancel)
    {
        foreach (var folder in Hierarchies.SelectMany(hierarchy => Folders(Path.Combine(hierarchy, name, member)).Reverse()))
        {
            for (var attempt = 0; Directory.Exists(folder) && attempt < 200; attempt++)
            {
                try
                {
                    Directory.Delete(folder);
                }
                catch (IOException)
                {
                    await Task.Delay(10, cancel);
                }
            }
        }
    }

    // Parents before children.
    private static IEnumerable<string> Folders(string path)
    {
        string[] below;
        try
        {
            below = Directory.GetDirectories(path);
        }
        catch (IOException)
        {
            return [];
        }
        return below.SelectMany(Folders).Prepend(path);
    }
}
