using System.Globalization;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>Which processes go first. Lost work waits for a worker that starts, which therefore goes before what else runs, where root may say so.</summary>
internal static class Precedence
{
    /// <summary>Niceness of a worker that starts.</summary>
    public const int OfStart = -10;

    /// <summary>Whether this process may give it.</summary>
    public static bool IsAllowed => Libc.geteuid() == 0;

    /// <summary>Niceness of this process.</summary>
    public static int Own => Libc.getpriority(0, 0);

    /// <summary>Sets the niceness of all threads of a process. Threads that others are making meanwhile have it from them: until a look finds none.</summary>
    public static void Set(int pid, int niceness)
    {
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
