using System.Diagnostics;
using System.Globalization;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>Facts about the machine.</summary>
internal static class Machine
{
    /// <summary>Memory that sandboxes can have in all, bytes.</summary>
    public static long MemoryBytes() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Tries, as the sandboxes' user, to enter a folder; names the first folder on the way that refuses.</summary>
    public static async Task<Problem?> CanReachAsync(string spawn, int uid, string folder, CancellationToken cancel)
    {
        var id = uid.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(spawn, ["--uid", id, "--gid", id, "--probe", folder]);
        await process.WaitForExitAsync(cancel);
        if (process.ExitCode == 0) return null;
        var refusing = folder;
        for (var above = new DirectoryInfo(folder); above is not null; above = above.Parent)
            if ((above.UnixFileMode & UnixFileMode.OtherExecute) == 0) refusing = above.FullName;
        return WorkerErrors.Unreachable.With($"user {id}, whom sandboxes run as, may not pass {refusing}");
    }
}
