using System.Data.Common;
using System.Formats.Tar;
using System.Globalization;
using System.Text.Json;
using Dure.Host.Configuration;
using Dure.Host.Data;
using Dure.Host.Files;
using Dure.Storage;

namespace Dure.Host.Operations;

/// <summary>What a backup asks of the roles.</summary>
/// <param name="References">Digests of every blob that rows refer to.</param>
/// <param name="Hold">Keeps retention from removing anything until disposed.</param>
internal sealed record BackupNeeds(Func<CancellationToken, ValueTask<IReadOnlyCollection<string>>> References, Func<CancellationToken, Task<IDisposable>> Hold);

/// <summary>
/// Makes backups while the server runs: a consistent copy of the database first, then every blob that it refers to (blobs never change and
/// none is removed meanwhile), then the keys, in one tar file that is in place whole or not at all.
/// </summary>
internal sealed partial class Backups(DureOptions options, Database database, IBlobs blobs, BackupNeeds needs, TimeProvider time, ILogger<Backups> logger) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Makes one, verifies it, and removes the oldest beyond <c>backup.keep</c>.</summary>
    public async Task<Outcome<BackupView>> CreateAsync(CancellationToken cancel)
    {
        var folder = options.Backup.Directory;
        var name = "dure-" + time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss.fff'Z'", CultureInfo.InvariantCulture);
        var copy = Path.Combine(folder, $".{name}.database");
        var part = Path.Combine(folder, $".{name}.part");
        await _one.WaitAsync(cancel);
        try
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            using (await needs.Hold(cancel))
            {
                await database.BackupAsync(copy, cancel);
                await WriteAsync(part, copy, cancel);
            }
            var verified = await BackupFile.VerifyAsync(part, folder, cancel);
            if (!verified.Ok)
                return verified.Problem;
            var path = Path.Combine(folder, name + ".tar");
            File.Move(part, path);
            DurableFile.FlushFolder(folder);
            Prune();
            var made = View(path);
            LogMade(path, made.SizeBytes);
            return made;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DbException)
        {
            return OperationErrors.BackupFailed.With(error.Message);
        }
        finally
        {
            File.Delete(copy);
            File.Delete(part);
            _one.Release();
        }
    }

    /// <summary>Those that there are, the newest first.</summary>
    public IReadOnlyList<BackupView> List() => [.. Files().Select(View)];

    public void Dispose() => _one.Dispose();

    private static BackupView View(string path) =>
        new(Path.GetFileNameWithoutExtension(path), path, new DateTimeOffset(File.GetLastWriteTimeUtc(path), TimeSpan.Zero), new FileInfo(path).Length);

    private async Task WriteAsync(string part, string copy, CancellationToken cancel)
    {
        var entries = new List<BackupEntry>();
        await using var file = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        await using (var tar = new TarWriter(file, TarEntryFormat.Pax, leaveOpen: true))
        {
            entries.Add(await AddAsync(tar, BackupFile.DatabaseName, File.OpenRead(copy), cancel));
            foreach (var digest in (await needs.References(cancel)).Order(StringComparer.Ordinal))
            {
                if (await blobs.OpenAsync(digest, cancel) is { } blob)
                    entries.Add(await AddAsync(tar, BackupFile.Blobs + digest, blob, cancel));
                else
                    LogBlobMissing(digest);
            }
            foreach (var key in Directory.EnumerateFiles(KeyFolder.PathIn(options.Data)).Where(key => Path.GetFileName(key)[0] != '.').Order(StringComparer.Ordinal))
                entries.Add(await AddAsync(tar, BackupFile.Keys + Path.GetFileName(key), File.OpenRead(key), cancel));
            var manifest = new BackupManifest(BackupFile.Format, DureVersion.Text, time.GetUtcNow(), database.Dialect.Name, entries);
            await AddAsync(tar, BackupFile.ManifestName, new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, OperationsJson.Default.BackupManifest)), cancel);
        }
        file.Flush(flushToDisk: true);
    }

    private static async Task<BackupEntry> AddAsync(TarWriter tar, string name, Stream content, CancellationToken cancel)
    {
        await using var hashed = new HashedStream(content);
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = hashed, Mode = OwnerOnly }, cancel);
        return new BackupEntry(name, hashed.Count, hashed.Digest());
    }

    private void Prune()
    {
        foreach (var old in Files().Skip(options.Backup.Keep).ToList())
        {
            File.Delete(old);
            LogPruned(old);
        }
    }

    // Names hold the time, so the order of names is the order of time.
    private IEnumerable<string> Files() => Directory.Exists(options.Backup.Directory)
        ? Directory.EnumerateFiles(options.Backup.Directory, "dure-*.tar").OrderDescending(StringComparer.Ordinal) : [];

    [LoggerMessage(Level = LogLevel.Information, Message = "Backup {Path} is made and verified, {Bytes} bytes")]
    private partial void LogMade(string path, long bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Backup {Path} is removed: newer ones are kept")]
    private partial void LogPruned(string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "The blob {Digest} that a row refers to is missing; the backup is made without it")]
    private partial void LogBlobMissing(string digest);
}
