using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Dure.Host.Files;

/// <summary>What a path names, without following a link and without opening it (opening a named pipe waits for ever).</summary>
/// <param name="Regular">A plain file: no folder, link, pipe, socket or device.</param>
/// <param name="Names">How many names (hard links) the file has.</param>
public readonly partial record struct FileFacts(bool Regular, long Names)
{
    private const int PresentFolder = -100;
    private const int DoNotFollow = 0x100;
    private const uint TypeModeAndLinks = 0x7;
    private const int LinksOffset = 16;
    private const int ModeOffset = 28;
    private const int TypeBits = 0xF000;
    private const int RegularType = 0x8000;

    /// <summary>Looks at a path; null when there is nothing.</summary>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileFacts? Of(string path)
    {
        // statx, unlike stat, has the same layout on every architecture.
        Span<byte> facts = stackalloc byte[256];
        if (statx(PresentFolder, path, DoNotFollow, TypeModeAndLinks, ref MemoryMarshal.GetReference(facts)) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error == DurableFile.NoSuchEntry ? null : throw DurableFile.Failure("statx", path, error);
        }
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(facts[ModeOffset..]);
        return new FileFacts((mode & TypeBits) == RegularType, BinaryPrimitives.ReadUInt32LittleEndian(facts[LinksOffset..]));
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, ref byte facts);
}
