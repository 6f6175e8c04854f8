using System.Runtime.InteropServices;
using System.Text;

namespace Dure.Functions.Worker.Native;

/// <summary>Starts a program with chosen descriptors. The process is signalled when the calling <em>thread</em> ends, so only the reactor's thread may call this.</summary>
internal static unsafe class Spawn
{
    /// <summary>Larger than <c>posix_spawn_file_actions_t</c> of any C library in use (80 bytes in glibc).</summary>
    private const int ActionsSize = 512;

    /// <summary>Starts <paramref name="path"/> with an empty environment; <paramref name="descriptors"/> become its 3, 4, 5 and so on.</summary>
    /// <returns>The process id, or minus the error number.</returns>
    public static int Start(string path, IReadOnlyList<string> arguments, ReadOnlySpan<int> descriptors)
    {
        byte* actions = stackalloc byte[ActionsSize];
        _ = Libc.posix_spawn_file_actions_init(actions);
        // Two rounds, by way of numbers that none of them has: a target may be the source of a later one.
        var free = 3 + descriptors.Length;
        foreach (var descriptor in descriptors) free = Math.Max(free, descriptor + 1);
        for (var i = 0; i < descriptors.Length; i++)
            _ = Libc.posix_spawn_file_actions_adddup2(actions, descriptors[i], free + i);
        for (var i = 0; i < descriptors.Length; i++)
            _ = Libc.posix_spawn_file_actions_adddup2(actions, free + i, 3 + i);

        var argv = (byte**)NativeMemory.AllocZeroed((nuint)(arguments.Count + 2), (nuint)sizeof(byte*));
        byte* nothing = null;
        try
        {
            argv[0] = Text(path);
            for (var i = 0; i < arguments.Count; i++) argv[i + 1] = Text(arguments[i]);
            int pid;
            var error = Libc.posix_spawn(&pid, path, actions, null, argv, &nothing);
            return error == 0 ? pid : -error;
        }
        finally
        {
            for (var i = 0; argv[i] != null; i++) NativeMemory.Free(argv[i]);
            NativeMemory.Free(argv);
            _ = Libc.posix_spawn_file_actions_destroy(actions);
        }
    }

    private static byte* Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        var copy = (byte*)NativeMemory.Alloc((nuint)length + 1);
        Encoding.UTF8.GetBytes(value, new Span<byte>(copy, length));
        copy[length] = 0;
        return copy;
    }
}
