using System.Formats.Tar;
using System.IO.Compression;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>What was packed.</summary>
/// <param name="Files">Files, folders and links.</param>
/// <param name="Bytes">All files together, before compression.</param>
public sealed record PackedSource(int Files, long Bytes);

/// <summary>Packs a file, a folder or a .zip as the .tar.gz that the API takes. The same content makes the same bytes: sorted, without times or owners.</summary>
public static class SourcePackage
{
    /// <summary>Writes the package to <paramref name="output"/>, which stays open.</summary>
    /// <param name="path">A file (a function of one file, or a .zip of a folder) or a folder.</param>
    /// <param name="packed">Told the bytes read so far, for a progress bar; null for nobody.</param>
    /// <returns>What was packed; or DURE0101, DURE0102, DURE0103, DURE0113 with every fault found.</returns>
    public static async Task<Outcome<PackedSource>> PackAsync(
        string path, Stream output, SourceLimits limits, IProgress<long>? packed, CancellationToken cancel)
    {
        if (!IsZip(path))
        {
            var scan = SourceFolder.Scan(path, limits);
            return scan.Ok ? await WriteAsync(scan.Value, output, packed, cancel) : scan.Problem;
        }

        var scratch = Directory.CreateTempSubdirectory("dure-zip-").FullName;
        try
        {
            await using var zip = File.OpenRead(path);
            var unpacked = await SourceUnpacker.UnpackAsync(zip, scratch, limits, cancel);
            if (!unpacked.Ok)
                return unpacked.Problem;
            var scan = SourceFolder.Scan(unpacked.Value.Root, limits);
            return scan.Ok ? await WriteAsync(scan.Value, output, packed, cancel) : scan.Problem;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return DeployErrors.SourceMissing.With(e.Message);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static bool IsZip(string path) => path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) && File.Exists(path);

    private static async Task<Outcome<PackedSource>> WriteAsync(
        SourceFolder folder, Stream output, IProgress<long>? packed, CancellationToken cancel)
    {
        long bytes = 0;
        await using var gzip = new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true);
        await using var tar = new TarWriter(gzip, TarEntryFormat.Gnu, leaveOpen: true);
        foreach (var entry in folder.Entries)
        {
            var header = Header(entry);
            var path = Path.Combine(folder.Root, entry.Path);
            try
            {
                // Opened and read here and not by the tar writer, so that a file that grows meanwhile is noticed.
                await using var content = entry.Kind == SourceKind.File ? File.OpenRead(path) : null;
                if (content is not null && content.Length != entry.Length)
                    return DeployErrors.PackageRefused.With($"{entry.Path} changed while it was being packed.");
                if (content is not null)
                    header.DataStream = content;
                await tar.WriteEntryAsync(header, cancel);
            }
            catch (Exception e) when (e is FileNotFoundException or UnauthorizedAccessException)
            {
                return DeployErrors.PackageRefused.With($"{entry.Path} changed while it was being packed: {e.Message}");
            }

            bytes += entry.Length;
            packed?.Report(bytes);
        }

        return new PackedSource(folder.Entries.Count, bytes);
    }

    private static GnuTarEntry Header(SourceEntry entry)
    {
        var (type, mode) = entry.Kind switch
        {
            SourceKind.Folder => (TarEntryType.Directory, UnixFile.Folder),
            SourceKind.Link => (TarEntryType.SymbolicLink, UnixFile.Program),
            _ => (TarEntryType.RegularFile, entry.Executable ? UnixFile.Program : UnixFile.Plain),
        };
        var header = new GnuTarEntry(type, entry.Kind == SourceKind.Folder ? entry.Path + "/" : entry.Path)
        {
            ModificationTime = DateTimeOffset.UnixEpoch,
            AccessTime = DateTimeOffset.UnixEpoch,
            ChangeTime = DateTimeOffset.UnixEpoch,
            Mode = mode,
        };
        if (entry.Kind == SourceKind.Link)
            header.LinkName = entry.Content!;
        return header;
    }
}
