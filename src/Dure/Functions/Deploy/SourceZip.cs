using System.Buffers.Binary;
using System.IO.Compression;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Reads a .zip. Its list of files is at the end, so it is kept in a file first, up to the limit.</summary>
internal static class SourceZip
{
    private const int UnixTypeMask = 0xF000;
    private const int UnixLink = 0xA000;
    private const int UnixFileType = 0x8000;
    private const int UnixFolder = 0x4000;
    private const int LinkBytesMax = 4096;

    public static async Task<Outcome<UnpackedSource>> ReadAsync(
        Stream package, string folder, SourceWriter writer, SourceLimits limits, CancellationToken cancel)
    {
        var path = folder.TrimEnd('/') + ".zip";
        await using var file = new FileStream(
            path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 4096, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        if (!await SpoolAsync(package, file, limits, cancel))
            return DeployErrors.PackageTooLarge.With($"The .zip is larger than {Quantities.Bytes(limits.BytesMax)}.");
        if (ListBytes(file) is var list && list > (long)limits.FilesMax * 256)
            return DeployErrors.PackageTooLarge.With($"The .zip's list of files takes {Quantities.Bytes(list)}; {limits.FilesMax} files are allowed.");
        file.Position = 0;
        using var zip = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
        foreach (var entry in zip.Entries)
        {
            if (writer.Stop is not null)
                break;
            await AddAsync(entry, writer, cancel);
        }

        return writer.Finish();
    }

    private static async Task<bool> SpoolAsync(Stream package, FileStream file, SourceLimits limits, CancellationToken cancel)
    {
        var buffer = new byte[128 * 1024];
        while (await package.ReadAsync(buffer, cancel) is > 0 and var n)
        {
            if (file.Length + n > limits.BytesMax || new DriveInfo(file.Name).AvailableFreeSpace < limits.FreeBytesMin)
                return false;
            await file.WriteAsync(buffer.AsMemory(0, n), cancel);
        }

        return true;
    }

    /// <summary>Bytes from the start of the list of files to the end of the file: the reader takes them all into memory.</summary>
    private static long ListBytes(FileStream file)
    {
        var tail = new byte[(int)Math.Min(file.Length, 65_535 + 22)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        var end = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (end < 0 || end + 22 > tail.Length)
            throw new InvalidDataException("the .zip has no list of files at its end");
        long start = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 16));
        if (start == uint.MaxValue && tail.AsSpan(0, end).LastIndexOf("PK\u0006\u0006"u8) is >= 0 and var end64 && end64 + 56 <= tail.Length)
            start = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(end64 + 48));
        return start < 0 || start > file.Length ? throw new InvalidDataException("the .zip's list of files is not where it should be") : file.Length - start;
    }

    private static async Task AddAsync(ZipArchiveEntry entry, SourceWriter writer, CancellationToken cancel)
    {
        // Some Windows tools separate by backslashes; taken as such they cannot hide a `..\` either.
        var name = entry.FullName.Replace('\\', '/');
        var mode = entry.ExternalAttributes >> 16;
        switch (mode & UnixTypeMask)
        {
            case UnixLink when entry.Length <= LinkBytesMax:
                await using (var target = await entry.OpenAsync(cancel))
                using (var text = new StreamReader(target))
                    writer.AddLink(name, await text.ReadToEndAsync(cancel));
                break;
            case 0 or UnixFileType or UnixFolder when name.EndsWith('/'):
                writer.AddFolder(name);
                break;
            case 0 or UnixFileType:
                if (entry.IsEncrypted)
                {
                    writer.Refuse(name, "it is encrypted");
                    break;
                }

                await using (var content = new CheckedStream(await entry.OpenAsync(cancel), entry.Length, entry.Crc32))
                    await writer.AddFileAsync(name, (mode & 0x40) != 0, entry.Length, content, cancel);
                break;
            default:
                writer.Refuse(name, "a device, pipe or another special entry; only files, folders and links can be deployed");
                break;
        }
    }
}
