using System.Globalization;
using Dure.Functions.Worker;
using Dure.Host.Commands;

namespace Dure.Functions.Dispatch;

/// <summary>A worker that lives on although its server is gone: after a crash, or because functions were to be kept.</summary>
internal static class LeftWorker
{
    private static readonly TimeSpan TermGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>The process id in a worker's pid file; null when there is none.</summary>
    public static int? ReadPid(string file)
    {
        if (!File.Exists(file))
            return null;
        try
        {
            // Not by a FileStream, which would want a lock where the worker has its own.
            using var open = Posix.Open(file);
            Span<byte> text = stackalloc byte[16];
            return int.TryParse(text[..RandomAccess.Read(open, text, 0)], NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var pid) ? pid : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Ends every worker on this data, with its sandboxes. What ran is run again by the next server.</summary>
    /// <returns>Their process ids.</returns>
    public static async Task<List<int>> EndAllAsync(string data, TimeProvider time, CancellationToken cancel)
    {
        var ended = new List<int>();
        var folder = Path.Combine(data, "run", "w");
        // First whoever would take its place.
        foreach (var (socket, pid) in StandbyDoor.FindAll(folder))
        {
            using var door = StandbyDoor.Connect(socket);
            if (door is not null)
                await EndProcess.KillAsync(pid, time, cancel);
        }
        foreach (var file in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.pid") : [])
        {
            if (!IsHeld(file) || ReadPid(file) is not { } pid)
                continue;
            Posix.Signal(pid, Posix.Terminate);
            var begun = time.GetTimestamp();
            while (EndProcess.IsAlive(pid) && time.GetElapsedTime(begun) < TermGrace)
                await Task.Delay(Look, time, cancel);
            await EndProcess.KillAsync(pid, time, cancel);
            ended.Add(pid);
        }
        return ended;
    }

    // A pid may belong to someone else by now; the lock is the worker's as long as it lives.
    private static bool IsHeld(string file)
    {
        try
        {
            using var free = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
