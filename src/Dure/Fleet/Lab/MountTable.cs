namespace Dure.Fleet.Lab;

/// <summary>What is mounted on this host.</summary>
internal static class MountTable
{
    /// <summary>Mount points at or below a folder, the innermost first.</summary>
    public static IReadOnlyList<string> Under(string folder) =>
        [.. Points().Where(point => point == folder || point.StartsWith(folder + "/", StringComparison.Ordinal)).Reverse()];

    /// <summary>True when some overlay has this folder below it.</summary>
    public static bool IsLower(string folder) =>
        Lines().Any(line => line.Contains("lowerdir=" + folder, StringComparison.Ordinal));

    private static IEnumerable<string> Points() => Lines().Select(line => Plain(line.Split(' ')[4]));

    // Fields of proc_pid_mountinfo(5); blanks in names are octal.
    private static string Plain(string name) => name.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);

    private static string[] Lines() => ProcessMark.Text("/proc/self/mountinfo").Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
