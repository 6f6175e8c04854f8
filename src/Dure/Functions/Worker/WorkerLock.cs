using System.Globalization;
using System.Text;
using Dure.Functions.Worker.Native;
using Microsoft.Win32.SafeHandles;

namespace Dure.Functions.Worker;

/// <summary>
/// What makes a process the worker of its data folder: an exclusive flock on the pid file, which the kernel gives up when the process ends.
/// </summary>
internal static class WorkerLock
{
    private const int ForOwner = 0x1A4;

    /// <summary>Takes it if nobody has it.</summary>
    /// <returns>To be kept open; null while another process has it.</returns>
    public static FileStream? TryTake(string path)
    {
        try
        {
            // No sharing is that flock.
            return Sign(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Waits until nobody else has it; asleep, so that it costs nothing and ends at once.</summary>
    /// <param name="unwanted">Ends when nobody wants this process to wait any longer.</param>
    /// <returns>Null when that came first.</returns>
    public static async Task<FileStream?> WaitAsync(string path, Task unwanted)
    {
        var done = new TaskCompletionSource<FileStream>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                done.SetResult(Wait(path));
            }
            catch (IOException error)
            {
                done.SetException(error);
            }
        }) { Name = "lock", IsBackground = true }.Start();
        return await Task.WhenAny(done.Task, unwanted) == unwanted ? null : await done.Task;
    }

    private static FileStream Wait(string path)
    {
        var descriptor = Libc.open(path, Libc.ReadWrite | Libc.CreateFile | Libc.CloseOnExec, ForOwner);
        if (descriptor < 0) throw new IOException(Libc.Fault(path));
        while (Libc.flock(descriptor, Libc.LockExclusive) != 0)
        {
            if (!Libc.WouldBlock) throw new IOException(Libc.Fault(path));
        }

        return Sign(new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0));
    }

    private static FileStream Sign(FileStream held)
    {
        held.SetLength(0);
        held.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        held.Flush();
        return held;
    }
}
