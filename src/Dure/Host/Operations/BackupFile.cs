using System.Formats.Tar;
using System.Text.Json;
using Dure.Host.Data;
using Dure.Host.Files;
using Microsoft.Data.Sqlite;

namespace Dure.Host.Operations;

/// <summary>Reads a backup: verifies it, or restores it into an empty folder. Needs no server.</summary>
internal static class BackupFile
{
    public const int Format = 1;
    public const string DatabaseName = "database";
    public const string ManifestName = "manifest.json";
    public const string Keys = "keys/";
    public const string Blobs = "blobs/";

    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdef");

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode BlobMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Reads everything, compares the digests and has the database check itself.</summary>
    /// <param name="scratch">A folder with room for the database.</param>
    public static async Task<Outcome<BackupManifest>> VerifyAsync(string path, string scratch, CancellationToken cancel)
    {
        var copy = Path.Combine(scratch, ".verify-" + Path.GetRandomFileName());
        try
        {
            var read = await ReadAsync(path, name => name == DatabaseName ? copy : null, cancel);
            return read.Ok && read.Value.Database == Dialect.Sqlite.Name && await CheckAsync(copy, cancel) is { } broken ? OperationErrors.BadBackup.With($"{path}: {broken}") : read;
        }
        finally
        {
            foreach (var left in new[] { copy, copy + "-wal", copy + "-shm" })
                File.Delete(left);
        }
    }

    /// <summary>Restores into an empty or new folder; what was written is removed again when the backup turns out to be damaged.</summary>
    public static async Task<Outcome<BackupManifest>> RestoreAsync(string path, string data, CancellationToken cancel)
    {
        if (Directory.Exists(data) && Directory.EnumerateFileSystemEntries(data).Any())
            return OperationErrors.NotEmpty.With(data);
        Directory.CreateDirectory(data, OwnerFolder | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var restored = await ReadAsync(path, name => Place(data, name), cancel);
        if (restored.Ok && restored.Value.Database != Dialect.Sqlite.Name)
            restored = OperationErrors.NewerBackup.With($"It holds a dump of {restored.Value.Database}.");
        else if (restored.Ok && await CheckAsync(Path.Combine(data, "dure.db"), cancel) is { } broken)
            restored = OperationErrors.BadBackup.With($"{path}: {broken}");
        if (restored.Ok)
        {
            foreach (var folder in Directory.EnumerateDirectories(data, "*", SearchOption.AllDirectories).Append(data))
                DurableFile.FlushFolder(folder);
            return restored;
        }
        foreach (var left in new DirectoryInfo(data).GetFileSystemInfos())
        {
            if (left is DirectoryInfo folder)
                folder.Delete(recursive: true);
            else
                left.Delete();
        }
        return restored;
    }

    // Reads every entry; those that `place` names a file for are written there.
    private static async Task<Outcome<BackupManifest>> ReadAsync(string path, Func<string, string?> place, CancellationToken cancel)
    {
        var found = new List<BackupEntry>();
        BackupManifest? manifest = null;
        try
        {
            await using var file = File.OpenRead(path);
            await using var tar = new TarReader(file);
            while (await tar.GetNextEntryAsync(copyData: false, cancel) is { } entry)
            {
                if (entry.EntryType != TarEntryType.RegularFile || !IsKnown(entry.Name))
                    return OperationErrors.BadBackup.With($"{path} holds '{entry.Name}', which no backup holds.");
                if (entry.Name == ManifestName)
                    manifest = await JsonSerializer.DeserializeAsync(entry.DataStream ?? Stream.Null, OperationsJson.Default.BackupManifest, cancel);
                else
                    found.Add(await TakeAsync(entry, place(entry.Name), cancel));
            }
        }
        catch (Exception error) when (error is IOException or InvalidDataException or FormatException or JsonException or UnauthorizedAccessException)
        {
            return OperationErrors.BadBackup.With($"{path}: {error.Message}");
        }
        if (manifest is null)
            return OperationErrors.BadBackup.With($"{path} ends before its manifest.");
        if (manifest.Format > Format)
            return OperationErrors.NewerBackup.With($"It was made by Dure {manifest.Version}; this is {DureVersion.Text}.");
        var wrong = manifest.Entries.Except(found).Select(e => e.Name).Concat(found.Except(manifest.Entries).Select(e => e.Name)).FirstOrDefault();
        return wrong is null ? manifest : OperationErrors.BadBackup.With($"{path}: '{wrong}' is not what the manifest says.");
    }

    private static async Task<BackupEntry> TakeAsync(TarEntry entry, string? target, CancellationToken cancel)
    {
        await using var content = new HashedStream(entry.DataStream ?? Stream.Null);
        if (target is null)
        {
            await content.CopyToAsync(Stream.Null, cancel);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!, OwnerFolder);
            var mode = entry.Name.StartsWith(Blobs, StringComparison.Ordinal) ? BlobMode : OwnerOnly;
            await using var file = new FileStream(target, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode });
            await content.CopyToAsync(file, cancel);
            file.Flush(flushToDisk: true);
        }
        return new BackupEntry(entry.Name, content.Count, content.Digest());
    }

    private static bool IsKnown(string name) => name is DatabaseName or ManifestName
        || (name.StartsWith(Blobs, StringComparison.Ordinal) && name.Length == Blobs.Length + 64 && name.AsSpan(Blobs.Length).IndexOfAnyExcept(HexDigits) < 0)
        || (name.StartsWith(Keys, StringComparison.Ordinal) && name.Length > Keys.Length && name.AsSpan(Keys.Length).IndexOfAny('/', '\0') < 0 && name[Keys.Length] != '.');

    private static string Place(string data, string name) => name switch
    {
        DatabaseName => Path.Combine(data, "dure.db"),
        _ when name.StartsWith(Blobs, StringComparison.Ordinal) => Path.Combine(data, "blobs", name[Blobs.Length..][..2], name[Blobs.Length..][2..]),
        _ => Path.Combine(data, name),
    };

    private static async Task<string?> CheckAsync(string database, CancellationToken cancel)
    {
        try
        {
            await using var opened = await SqliteDatabase.OpenAsync(database, cancel);
            var said = await opened.ReadAsync(static s => s.ScalarAsync<string>("PRAGMA integrity_check"), cancel);
            return said == "ok" ? null : $"the database is damaged: {said}";
        }
        catch (SqliteException error)
        {
            return $"the database cannot be opened: {error.Message}";
        }
    }
}
