using System.Runtime.InteropServices;

namespace Dure.Functions.Dispatch;

/// <summary>
/// Moves entries in and out of a folder that sandboxed code owns. The code may put links anywhere below it, so each step is
/// taken relative to an opened folder and never through a link.
/// </summary>
internal static partial class SandboxFolder
{
    private const int OpenDirectory = 0x10000 | 0x20000 | 0x80000; // O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    private const int AtCurrent = -100;

    /// <summary>Moves <c>root/sub/name</c> to <paramref name="destination"/> on the same file system.</summary>
    /// <returns>False when there is no such entry, or <c>sub</c> is not a real folder.</returns>
    public static bool MoveOut(string root, string sub, string name, string destination) =>
        WithFolder(root, sub, folder => RenameAt(folder, name, AtCurrent, destination) == 0);

    /// <summary>Moves <paramref name="source"/> to <c>root/sub/name</c>.</summary>
    /// <returns>False when <c>sub</c> is not a real folder or the name is taken.</returns>
    public static bool MoveIn(string source, string root, string sub, string name) =>
        WithFolder(root, sub, folder => RenameAt(AtCurrent, source, folder, name) == 0);

    /// <summary>Whether <c>root/sub</c> is a real folder that holds the name.</summary>
    public static bool Has(string root, string sub, string name) => WithFolder(root, sub, folder => AccessAt(folder, name, 0, 0x100) == 0);

    private static bool WithFolder(string root, string sub, Func<int, bool> use)
    {
        var folder = OpenAt(AtCurrent, Path.Combine(root, sub), OpenDirectory);
        if (folder < 0)
            return false;
        try
        {
            return use(folder);
        }
        finally
        {
            _ = Close(folder);
        }
    }

    [LibraryImport("libc", EntryPoint = "openat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int folder, string path, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int fromFolder, string from, int toFolder, string to);

    [LibraryImport("libc", EntryPoint = "faccessat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AccessAt(int folder, string path, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
