using System.Globalization;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>
/// Which processes go first, where root may say so. Lost work waits for a worker that starts, which therefore goes before what else runs;
/// one that will only stand by goes after it.
/// </summary>
internal static class Precedence
{
    /// <summary>Niceness of a worker that starts.</summary>
    public const int OfStart = -10;

    /// <summary>Niceness of one that starts to stand by.</summary>
    public const int OfStandby = 10;

    /// <summary>Whether this process may give it.</summary>
    public static bool IsAllowed => Libc.geteuid() == 0;

    /// <summary>Niceness of this process.</summary>
    public static int Own => Libc.getpriority(0, 0);

    /// <summary>Sets the niceness of a process's session and of all its threads. Threads that others are making meanwhile have it from them: until a look finds none.</summary>
    public static void Set(int pid, int niceness)
    {
        SetSession(pid, niceness);
        bool changed;
        do
        {
            changed = false;
            foreach (var task in Threads(pid))
            {
                var thread = int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
                changed |= Libc.getpriority(0, thread) != niceness && Libc.setpriority(0, thread, niceness) == 0;
            }
        }
        while (changed);
    }

    /// <summary>
    /// Sets the niceness of the session that a process leads: where the kernel shares processors out between sessions (sched(7), autogroup), a thread's
    /// is felt in its own session only. Another's session, such as a terminal's that started it, stays as it is.
    /// </summary>
    public static void SetSession(int pid, int niceness)
    {
        if (Libc.getsid(pid) != pid) return;
        try
        {
            File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/autogroup"), niceness.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It ended, or the kernel shares out between threads.
        }
    }

    private static string[] Threads(int pid)
    {
        try
        {
            return Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"));
        }
        catch (IOException)
        {
            // It ended.
            return [];
        }
    }
}
