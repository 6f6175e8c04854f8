using System.Formats.Tar;
using System.IO.Compression;
using Dure.Host;
using Dure.Host.Files;

namespace Dure.Functions.Deploy;

/// <summary>A package, unpacked.</summary>
/// <param name="Root">The folder.</param>
/// <param name="Entries">Sorted by path, byte by byte; files with their digest.</param>
/// <param name="Bytes">All files together.</param>
public sealed record UnpackedSource(string Root, IReadOnlyList<SourceEntry> Entries, long Bytes);

/// <summary>Unpacks what somebody sent: .tar.gz, .tar or .zip, told apart by their first bytes. Trusts nothing in it.</summary>
public static class SourceUnpacker
{
    private const int PeekBytes = 512;

    /// <summary>
    /// Unpacks into <paramref name="emptyFolder"/>, which exists and is empty; on failure what is in it is of no use.
    /// Files become 0444 or 0555, folders 0755. Nothing is on the disk for certain yet.
    /// </summary>
    /// <returns>The tree; or DURE0101, DURE0102, DURE0103, DURE0115, with every fault found.</returns>
    public static async Task<Outcome<UnpackedSource>> UnpackAsync(
        Stream package, string emptyFolder, SourceLimits limits, CancellationToken cancel)
    {
        var writer = new SourceWriter(emptyFolder, limits);
        try
        {
            var first = new byte[PeekBytes];
            var n = await package.ReadAtLeastAsync(first, PeekBytes, throwOnEndOfStream: false, cancel);
            await using var whole = new PrefixedStream(first.AsMemory(0, n), package);
            if (n == 0)
                return DeployErrors.PackageUnreadable.With("The package is empty (0 bytes).");
            if (first is [0x1f, 0x8b, ..])
            {
                await using var gzip = new GZipStream(whole, CompressionMode.Decompress);
                return await TarAsync(gzip, writer, cancel);
            }

            if (first is [(byte)'P', (byte)'K', 3 or 5, 4 or 6, ..])
                return await SourceZip.ReadAsync(whole, emptyFolder, writer, limits, cancel);
            return first.AsSpan(257, 5).SequenceEqual("ustar"u8)
                ? await TarAsync(whole, writer, cancel)
                : DeployErrors.PackageUnreadable.With("It is neither .tar.gz nor .tar nor .zip, by its first bytes.");
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException)
        {
            return DeployErrors.PackageUnreadable.With($"The package is damaged or incomplete: {e.Message}.");
        }
        catch (IOException e) when (DurableFile.IsNoRoom(e))
        {
            return DeployErrors.DiskFull.With(e.Message);
        }
    }

    private static async Task<Outcome<UnpackedSource>> TarAsync(Stream stream, SourceWriter writer, CancellationToken cancel)
    {
        await using var guard = new TarGuard(stream);
        await using var tar = new TarReader(guard);
        while (writer.Stop is null && await tar.GetNextEntryAsync(copyData: false, cancel) is { } entry)
            await AddAsync(entry, writer, cancel);
        if (writer.Stop is not null)
            return writer.Stop;
        if (!guard.EndSeen)
            return DeployErrors.PackageUnreadable.With("The package ends early: it was cut off on the way.");
        return await DrainAsync(stream, cancel) ? writer.Finish() : DeployErrors.PackageUnreadable.With("Something follows the end of the package.");
    }

    /// <summary>Reads to the end, so that the compression's own check of the whole is made.</summary>
    private static async Task<bool> DrainAsync(Stream stream, CancellationToken cancel)
    {
        const int paddingMax = 1 << 20;
        var buffer = new byte[16 * 1024];
        var left = paddingMax;
        while (left > 0 && await stream.ReadAsync(buffer, cancel) is > 0 and var n)
            left -= n;
        return left > 0;
    }

    private static async Task AddAsync(TarEntry entry, SourceWriter writer, CancellationToken cancel)
    {
        switch (entry.EntryType)
        {
            case TarEntryType.GlobalExtendedAttributes:
                break;
            case TarEntryType.Directory:
                writer.AddFolder(entry.Name);
                break;
            case TarEntryType.SymbolicLink:
                writer.AddLink(entry.Name, entry.LinkName);
                break;
            case TarEntryType.HardLink:
                await writer.AddHardLinkAsync(entry.Name, entry.LinkName, cancel);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                var executable = entry.Mode.HasFlag(UnixFileMode.UserExecute);
                await writer.AddFileAsync(entry.Name, executable, entry.Length, entry.DataStream ?? Stream.Null, cancel);
                break;
            default:
                writer.Refuse(entry.Name, $"a device, pipe or another special entry ({entry.EntryType}); only files, folders and links can be deployed");
                break;
        }
    }
}

/// <summary>Gives back bytes that were read ahead, then the rest.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> first, Stream rest) : Stream
{
    private ReadOnlyMemory<byte> _first = first;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (_first.IsEmpty)
            return rest.Read(buffer, offset, count);
        var n = Math.Min(count, _first.Length);
        _first[..n].CopyTo(buffer.AsMemory(offset));
        _first = _first[n..];
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_first.IsEmpty)
            return rest.ReadAsync(buffer, cancellationToken);
        var n = Math.Min(buffer.Length, _first.Length);
        _first[..n].CopyTo(buffer);
        _first = _first[n..];
        return new(n);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
