using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>The host folder of one sandbox (docs/protocol.md). It outlives the sandbox: whoever asked for the slot removes it.</summary>
public static class SlotFolder
{
    /// <summary>Unix socket paths hold at most so many bytes.</summary>
    public const int SocketPathMost = 107;

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-");

    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private const UnixFileMode Readable = Passable | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>True for 1 to 32 of <c>a-z 0-9 _ -</c>, beginning with a letter or digit.</summary>
    public static bool IsName(string? name) =>
        name is { Length: >= 1 and <= 32 } && char.IsAsciiLetterOrDigit(name[0])
        && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    /// <summary>Removes a slot's folder, whatever the code made of it: deep trees, locked folders, links (never followed).</summary>
    public static async Task RemoveAsync(string path, CancellationToken cancel)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
        // A path that is too long by a certain length is an argument to .NET.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            await RunAsync("/bin/chmod", ["-R", "u+rwX", "--", path], cancel);
            await RunAsync("/bin/rm", ["-rf", "--one-file-system", "--", path], cancel);
        }
    }

    /// <summary>Makes an empty slot that sandboxes of <paramref name="uid"/> may use.</summary>
    internal static void Create(string path, int uid)
    {
        Directory.CreateDirectory(path, Passable);
        Directory.CreateDirectory(path + "/code", Readable);
        Directory.CreateDirectory(path + "/deps", Readable);
        Directory.CreateDirectory(path + "/in", Readable);
        foreach (var own in new[] { "/io", "/io/out", "/io/ck" })
        {
            Directory.CreateDirectory(path + own, Private);
            Give(path + own, uid);
        }

        foreach (var fifo in new[] { "/io/raw.out", "/io/raw.err" })
        {
            if (Libc.mkfifo(path + fifo, 0x180) != 0) throw new IOException(Libc.Fault(path + fifo));
            Give(path + fifo, uid);
        }
    }

    /// <summary>Makes a folder through which sandboxes may pass but not look.</summary>
    internal static void CreatePassable(string path)
    {
        Directory.CreateDirectory(path, Passable);
        if (File.GetUnixFileMode(path) != Passable) File.SetUnixFileMode(path, Passable);
    }

    /// <summary>Makes a folder for the worker alone.</summary>
    internal static void CreatePrivate(string path) => Directory.CreateDirectory(path, Private);

    private static void Give(string path, int uid)
    {
        if (Libc.geteuid() == 0 && Libc.lchown(path, uid, uid) != 0) throw new IOException(Libc.Fault(path));
    }

    private static async Task RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync(cancel);
    }
}
