using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dure.Host.Commands;

/// <summary>The few system calls that the base class library has no word for.</summary>
internal static partial class Posix
{
    public const int Terminate = 15;

    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int CloseOnExec = 0x80000;
    private const int GetLock = 36;
    private const int SetLock = 37;
    private const short WriteLock = 1;
    private const short Unlocked = 2;

    /// <summary>Opens for reading and writing, mode 0600, without the advisory lock that FileStream takes.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle Open(string path)
    {
        var descriptor = OpenFile(path, ReadWrite | Create | CloseOnExec, 0x180);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Takes the file's lock (of the open file, F_OFD_SETLK) for as long as the handle is open.</summary>
    /// <returns>False when another has it.</returns>
    public static bool TryLock(SafeFileHandle file)
    {
        var whole = new FileLock { Type = WriteLock };
        return Control(file, SetLock, ref whole) == 0;
    }

    /// <summary>Whether another has the file's lock; asking does not take it for even a moment.</summary>
    public static bool IsLocked(SafeFileHandle file)
    {
        var whole = new FileLock { Type = WriteLock };
        return Control(file, GetLock, ref whole) == 0 && whole.Type != Unlocked;
    }

    /// <summary>Reads a small file whole, such as one of <c>/proc</c>.</summary>
    /// <returns>Null where it cannot be read, as for processes of others, those of the kernel and those that ended. That is no exception: whoever looks at all processes meets hundreds.</returns>
    public static byte[]? TryRead(string path)
    {
        var descriptor = OpenFile(path, CloseOnExec, 0);
        if (descriptor < 0)
            return null;
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        var read = new byte[4096];
        for (var length = 0; ;)
        {
            switch (ReadFile(file, ref read[length], read.Length - length))
            {
                case < 0:
                    return null;
                case 0:
                    return read[..length];
                case var more:
                    length += (int)more;
                    break;
            }

            if (length == read.Length)
                Array.Resize(ref read, read.Length * 2);
        }
    }

    public static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(SafeFileHandle file, ref byte buffer, nint size);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, ref FileLock range);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    /// <summary>struct flock of Linux on 64 bits; zero start and length mean the whole file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Pid;
    }
}
