using System.Globalization;
using System.Text;
using Dure.Host.Commands;

namespace Dure.Apps.Running;

/// <summary>Finds the processes of apps by what they carry in their environment: also those that outlived who started them.</summary>
internal static class AppPids
{
    /// <param name="wanted">Told the tag of each, such as <c>attention@3</c>.</param>
    /// <param name="root">The server's data folder for children of servers; null for any.</param>
    public static IReadOnlyList<int> Where(Func<string, bool> wanted, string? root)
    {
        var found = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) || pid == Environment.ProcessId)
                continue;
            // What cannot be read ended, or is somebody else's.
            if (Posix.TryRead(Path.Combine(folder, "environ")) is not { } environment || environment.AsSpan().IndexOf("DURE_APP="u8) < 0)
                continue;
            var variables = Encoding.UTF8.GetString(environment).Split('\0');
            if (variables.FirstOrDefault(v => v.StartsWith("DURE_APP=", StringComparison.Ordinal)) is { } tag && wanted(tag["DURE_APP=".Length..])
                && (root is null || variables.Contains("DURE_APP_ROOT=" + root, StringComparer.Ordinal)))
                found.Add(pid);
        }

        return found;
    }
}
