using System.Diagnostics;

namespace Dure.Functions.Dispatch;

/// <summary>Ends a worker process for good. Its sandboxes die with it (parent-death signal and pid namespaces).</summary>
internal static class EndProcess
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    /// <summary>KILL of the worker and what it has started itself, then waits until it is gone or only waits to be reaped.</summary>
    public static async Task KillAsync(int pid, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            // The pid may have been given to someone else since; only our own program is ended.
            if (!IsWorker(pid))
                return;
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return;
        }
        while (IsAlive(pid))
            await Task.Delay(Look, time, cancel);
    }

    private static bool IsWorker(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains("worker\0", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Whether a process is there and not only waits to be reaped.</summary>
    public static bool IsAlive(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
