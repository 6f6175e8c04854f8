using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dure.Host.Commands;

/// <summary>
/// The right to be the one server on a data folder: an advisory lock on <c>run/server.lock</c>, which holds its owner's
/// process id. The kernel frees it when the process ends, however it ends.
/// </summary>
public static class ServerLock
{
    private const int PidBytes = 16;

    // A handle that is collected is closed, and the lock with it.
    private static SafeFileHandle? s_held;

    /// <summary>Takes it until the process ends.</summary>
    /// <returns>True, or DURE0422 with the process id that has it.</returns>
    public static Outcome<bool> Take(string data)
    {
        var file = Posix.Open(PathIn(data));
        if (!Posix.TryLock(file))
        {
            file.Dispose();
            return AlreadyRunning(Holder(data), data);
        }

        // One write of a fixed length, so that nobody reads half a number.
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture).PadRight(PidBytes)), 0);
        s_held = file;
        return true;
    }

    /// <summary>DURE0422 with who has the data.</summary>
    public static Problem AlreadyRunning(int? holder, string data) =>
        CommandErrors.AlreadyRunning.With(holder is > 0 ? $"Process {holder} has {data}." : $"Another process has {data}.");

    /// <summary>The process that has the lock; null when nobody has; 0 when it has only just taken it.</summary>
    public static int? Holder(string data)
    {
        if (!File.Exists(PathIn(data)))
        {
            return null;
        }

        using var file = Posix.Open(PathIn(data));
        if (!Posix.IsLocked(file))
        {
            return null;
        }

        Span<byte> text = stackalloc byte[PidBytes];
        var length = RandomAccess.Read(file, text, 0);
        return int.TryParse(text[..length], NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var pid) ? pid : 0;
    }

    private static string PathIn(string data) => Path.Combine(data, "run", "server.lock");
}
