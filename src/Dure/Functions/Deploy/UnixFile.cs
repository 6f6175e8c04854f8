using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Dure.Functions.Deploy;

/// <summary>The few file calls that the base class library lacks.</summary>
internal static partial class UnixFile
{
    /// <summary>Files are 0444 or 0555, folders 0755: nobody changes a version, and its owner can still remove it.</summary>
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode Program = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public const UnixFileMode Folder = Program | UnixFileMode.UserWrite;

    /// <summary>Others may pass through to what they know the name of, and cannot list it.</summary>
    public const UnixFileMode Passage =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private const int TypeMask = 0xF000;
    private const int TypeFolder = 0x4000;
    private const int TypeFile = 0x8000;
    private const int TypeLink = 0xA000;

    /// <summary>The kind of what lies at the path (links are not followed); null for devices, pipes and sockets.</summary>
    /// <exception cref="IOException">Nothing is there, or it may not be looked at.</exception>
    public static SourceKind? KindOf(string path)
    {
        Span<byte> buffer = stackalloc byte[256];
        const int currentFolder = -100, noFollow = 0x100, typeAndMode = 3;
        if (StatX(currentFolder, path, noFollow, typeAndMode, ref MemoryMarshal.GetReference(buffer)) != 0)
            throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        const int modeOffset = 28;
        return (BinaryPrimitives.ReadUInt16LittleEndian(buffer[modeOffset..]) & TypeMask) switch
        {
            TypeFile => SourceKind.File,
            TypeFolder => SourceKind.Folder,
            TypeLink => SourceKind.Link,
            _ => null,
        };
    }

    /// <summary>Writes everything on the folder's file system to the disk: one call instead of one for each of thousands of files.</summary>
    public static void SyncFileSystem(string path)
    {
        const int readOnlyCloseOnExec = 0x80000;
        var fd = Open(path, readOnlyCloseOnExec);
        var failed = fd < 0 || SyncFs(fd) != 0;
        var error = Marshal.GetLastPInvokeError();
        if (fd >= 0)
            _ = Close(fd);
        if (failed)
            throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(int fd);
}
