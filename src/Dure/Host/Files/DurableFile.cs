using System.Runtime.InteropServices;

namespace Dure.Host.Files;

/// <summary>What the base class library cannot do with files: names that survive a power cut, and links.</summary>
public static partial class DurableFile
{
    internal const int NotPermitted = 1;
    internal const int NoSuchEntry = 2;
    internal const int Exists = 17;
    internal const int OtherDevice = 18;
    internal const int FileTooBig = 27;
    internal const int NoSpace = 28;
    internal const int TooManyLinks = 31;
    internal const int OverQuota = 122;

    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;

    /// <summary>Makes the names in a folder (created, renamed, removed) survive a crash of the machine.</summary>
    /// <exception cref="IOException">The folder is gone or the disk failed.</exception>
    public static void FlushFolder(string folder)
    {
        var descriptor = open(folder, ReadOnly | CloseOnExec, 0);
        if (descriptor < 0)
        {
            throw Failure("open", folder, Marshal.GetLastPInvokeError());
        }
        try
        {
            if (fsync(descriptor) != 0)
            {
                throw Failure("fsync", folder, Marshal.GetLastPInvokeError());
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>rename(2): atomic, replaces what is there, never copies.</summary>
    /// <returns>0, or the errno (18 when the two are on different file systems).</returns>
    public static int Rename(string from, string to) => rename(from, to) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>link(2): a second name for the same file.</summary>
    /// <returns>0, or the errno.</returns>
    public static int Link(string existing, string path) => link(existing, path) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Puts a whole file in place, durably: a reader sees the old content or the new, also after a crash.</summary>
    /// <param name="mode">Permissions of the file from its first moment on.</param>
    /// <exception cref="IOException">The disk is full or failed; the old content stands.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = mode,
            BufferSize = 0,
        };
        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            var error = Rename(temporary, path);
            if (error != 0)
            {
                throw Failure("rename", path, error);
            }
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        FlushFolder(folder);
    }

    /// <summary>Whether a failed write means that the file system has no room left (blocks, inodes, quota, file size).</summary>
    public static bool IsNoRoom(IOException failure) => failure.HResult is NoSpace or OverQuota or FileTooBig;

    internal static IOException Failure(string call, string path, int error) =>
        new($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string path);
}
