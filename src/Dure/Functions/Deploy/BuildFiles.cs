using System.Runtime.InteropServices;
using Dure.Host.Files;

namespace Dure.Functions.Deploy;

/// <summary>What happens to files between a sandbox that wrote them and a version that keeps them.</summary>
internal static partial class BuildFiles
{
    /// <summary>Makes a folder with exactly this mode, whatever the process's umask.</summary>
    public static string MakeFolder(string path, UnixFileMode mode = UnixFile.Folder)
    {
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, mode);
        return path;
    }

    /// <summary>Lets the sandbox's user write to the tree.</summary>
    public static void GiveToSandbox(string root, DeployOptions options)
    {
        if (options.SandboxUid is not { } uid)
            return;
        Own(root, uid);
        foreach (var (path, _) in Walk(root))
            Own(path, uid);
    }

    /// <summary>
    /// Takes back a tree that untrusted code wrote: owned by the server, files 0444 or 0555 (so no set-user-id bits), folders 0755,
    /// without devices, pipes and sockets. Only when every process of the sandbox has ended.
    /// </summary>
    public static void TakeBack(string root, DeployOptions options)
    {
        Take(root, options);
        File.SetUnixFileMode(root, UnixFile.Folder);
        foreach (var (path, kind) in Walk(root).ToList())
        {
            if (kind is null)
            {
                File.Delete(path);
                continue;
            }

            Take(path, options);
            if (kind == SourceKind.Folder)
                File.SetUnixFileMode(path, UnixFile.Folder);
            else if (kind == SourceKind.File)
                File.SetUnixFileMode(path, File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute) ? UnixFile.Program : UnixFile.Plain);
        }
    }

    /// <summary>Lets the owner change files, for commands that work in the tree itself.</summary>
    public static void MakeWritable(string root)
    {
        foreach (var (path, kind) in Walk(root))
        {
            if (kind == SourceKind.File)
                File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserWrite);
        }
    }

    /// <summary>Puts a finished tree in its place, durably and at once: it is there whole or not at all.</summary>
    /// <returns>False when it is there already; the given one is then left where it is.</returns>
    public static bool Publish(string tree, string place)
    {
        if (Directory.Exists(place))
            return false;
        UnixFile.SyncFileSystem(tree);
        Directory.Move(tree, place);
        DurableFile.FlushFolder(Path.GetDirectoryName(place)!);
        return true;
    }

    /// <summary>Removes a tree whatever its modes; one that is gone is fine.</summary>
    public static void Remove(string tree)
    {
        if (!Directory.Exists(tree))
            return;
        try
        {
            Directory.Delete(tree, recursive: true);
        }
        catch (UnauthorizedAccessException)
        {
            foreach (var (path, kind) in Walk(tree))
            {
                if (kind == SourceKind.Folder)
                    File.SetUnixFileMode(path, UnixFile.Folder);
            }

            Directory.Delete(tree, recursive: true);
        }
    }

    /// <summary>Copies what lies in one folder over another, links as links; later copies win.</summary>
    public static void Overlay(string from, string to)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(from))
        {
            var target = Path.Combine(to, Path.GetFileName(path));
            switch (UnixFile.KindOf(path))
            {
                case SourceKind.Folder:
                    if (Path.Exists(target) && UnixFile.KindOf(target) != SourceKind.Folder)
                        File.Delete(target);
                    MakeFolder(target);
                    Overlay(path, target);
                    break;
                case SourceKind.Link:
                    Clear(target);
                    File.CreateSymbolicLink(target, new FileInfo(path).LinkTarget!);
                    break;
                case SourceKind.File:
                    Clear(target);
                    File.Copy(path, target);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Everything below a folder, a folder before what is in it. Never through a link, as the library's own recursion would.</summary>
    public static IEnumerable<(string Path, SourceKind? Kind)> Walk(string root)
    {
        var folders = new Stack<string>([root]);
        while (folders.TryPop(out var folder))
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(folder))
            {
                var kind = UnixFile.KindOf(path);
                yield return (path, kind);
                if (kind == SourceKind.Folder)
                    folders.Push(path);
            }
        }
    }

    private static void Clear(string target)
    {
        if (Directory.Exists(target) && UnixFile.KindOf(target) == SourceKind.Folder)
            Directory.Delete(target, recursive: true);
        else
            File.Delete(target);
    }

    private static void Take(string path, DeployOptions options)
    {
        if (options.SandboxUid is not null)
            Own(path, Environment.IsPrivilegedProcess ? 0 : -1);
    }

    private static void Own(string path, int uid)
    {
        if (ChangeOwner(path, uid, uid) != 0)
            throw new IOException($"chown {path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int ChangeOwner(string path, int user, int group);
}
