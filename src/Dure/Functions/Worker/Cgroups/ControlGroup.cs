using System.Globalization;
using System.Text;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Cgroups;

/// <summary>The control group of one sandbox.</summary>
internal abstract class ControlGroup
{
    /// <summary>Files into which a process writes <c>0</c> to join.</summary>
    public abstract IReadOnlyList<string> JoinFiles { get; }

    /// <summary>Processor time used so far, microseconds.</summary>
    public abstract long CpuMicros { get; }

    /// <summary>Memory in use, bytes.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>Most memory that was in use, bytes; 0 when the kernel does not say.</summary>
    public abstract long MemoryPeakBytes { get; }

    /// <summary>How many processes were ended for want of memory.</summary>
    public abstract long MemoryKills { get; }

    /// <summary>How many forks were refused.</summary>
    public abstract long ForkRefusals { get; }

    /// <summary>Processes inside, as seen by the worker.</summary>
    public abstract IReadOnlyList<int> Processes { get; }

    /// <summary>True when the kernel does not say by itself that a limit was hit: somebody has to look.</summary>
    public abstract bool MustBeWatched { get; }

    /// <summary>Sets the limits; 0 means none.</summary>
    public abstract void Apply(SandboxLimits limits);

    /// <summary>Calls <paramref name="breached"/> on the reactor's thread when <see cref="MemoryKills"/> or <see cref="ForkRefusals"/> may have grown.</summary>
    public abstract void Watch(Reactor reactor, Action breached);

    /// <summary>Undoes <see cref="Watch"/>.</summary>
    public abstract void Unwatch(Reactor reactor);

    /// <summary>Sends KILL to every process inside.</summary>
    public abstract void Kill();

    /// <summary>Removes the group.</summary>
    /// <returns>False when a process is still leaving: try again.</returns>
    public abstract bool Remove();

    /// <summary>Moves a process, with all its threads, into the group.</summary>
    /// <returns>False when it is gone or the kernel refuses.</returns>
    public bool Join(int pid)
    {
        try
        {
            foreach (var file in JoinFiles) File.WriteAllText(file, Invariant(pid));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes a file of the group. One that this kernel lacks or refuses is passed over: what is enforced is found out when the tree is set up.</summary>
    protected static unsafe void Write(string path, string text)
    {
        const int Make = 0x40, Empty = 0x200, Mode = 0x1A4;
        var fd = Libc.open(path, Libc.WriteOnly | Libc.CloseOnExec | Make | Empty, Mode);
        if (fd < 0) return;
        Span<byte> bytes = stackalloc byte[text.Length];
        var count = Encoding.ASCII.GetBytes(text, bytes);
        fixed (byte* first = bytes) _ = Libc.write(fd, first, count);
        _ = Libc.close(fd);
    }

    /// <summary>Reads a file of the group; empty when it is not there.</summary>
    protected static unsafe string Read(string path)
    {
        const int Most = 1 << 20;
        var fd = Libc.open(path, Libc.ReadOnly | Libc.CloseOnExec, 0);
        if (fd < 0) return "";
        var buffer = new byte[4096];
        var used = 0;
        while (used < Most)
        {
            if (used == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            nint got;
            fixed (byte* first = buffer) got = Libc.read(fd, first + used, buffer.Length - used);
            if (got <= 0) break;
            used += (int)got;
        }

        _ = Libc.close(fd);
        return Encoding.ASCII.GetString(buffer, 0, used);
    }

    protected static long Number(string path) =>
        long.TryParse(Read(path).AsSpan().Trim(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;

    /// <summary>The number after <paramref name="key"/> in a file of <c>key value</c> lines.</summary>
    protected static long Number(string path, string key)
    {
        foreach (var line in Read(path).AsSpan().EnumerateLines())
        {
            if (line.Length > key.Length && line.StartsWith(key, StringComparison.Ordinal) && line[key.Length] == ' ')
                return long.TryParse(line[(key.Length + 1)..], NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;
        }

        return 0;
    }

    protected static List<int> Pids(string path)
    {
        var pids = new List<int>();
        foreach (var line in Read(path).AsSpan().EnumerateLines())
            if (int.TryParse(line, NumberStyles.Integer, CultureInfo.InvariantCulture, out var pid) && pid > 0) pids.Add(pid);
        return pids;
    }

    protected static void KillAll(IEnumerable<int> pids)
    {
        foreach (var pid in pids) _ = Libc.kill(pid, Libc.SigKill);
    }

    protected static string Invariant(long value) => value.ToString(CultureInfo.InvariantCulture);
}
