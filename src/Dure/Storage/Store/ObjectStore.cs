using Dure.Host;
using Dure.Host.Data;
using Microsoft.Data.Sqlite;

namespace Dure.Storage.Store;

/// <summary>Where the store lies and what it may take.</summary>
/// <param name="Folder">Absolute; <c>store.db</c> and the folders <c>data</c> and <c>incoming</c> are made in it.</param>
/// <param name="InlineMax">Objects of at most this many bytes are kept in the database, where many share one flush.</param>
/// <param name="AbandonedAfter">Uploads that nobody touched for this long are removed.</param>
/// <param name="RefuseWork">Whether the disk is so full that nothing new may come.</param>
public sealed record StoreOptions(string Folder, int InlineMax, TimeSpan AbandonedAfter, Func<bool> RefuseWork)
{
    /// <summary>What every part of a multipart upload but the last must have.</summary>
    public long PartBytesLeast { get; init; } = 5 << 20;
}

/// <summary>
/// The embedded object store: what a method answered that it kept is on the disk (fsync) before the answer, whole or not at all, and
/// read-after-write holds. Bytes are checked against their CRC32C on every read.
/// </summary>
public sealed partial class ObjectStore : IAsyncDisposable
{
    private const int InlineLimit = 256 * 1024 - 1;

    private readonly StoreOptions _options;
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly DataFiles _files;
    private readonly Ids _ids;
    private readonly BodyIntake _intake;
    private readonly Contents _contents;
    private readonly VersionTable _versions;
    private readonly Imports _imports;
    private readonly Housekeeping _housekeeping;

    private ObjectStore(StoreOptions options, Database database, DataFiles files, Ids ids, TimeProvider time, ILogger log)
    {
        (_options, _database, _files, _ids, _time) = (options, database, files, ids, time);
        _intake = new BodyIntake(files, ids, Math.Clamp(options.InlineMax, 0, InlineLimit));
        _contents = new Contents(database, files, time);
        _versions = new VersionTable(ids, time);
        _imports = new Imports(_versions, ids);
        _housekeeping = new Housekeeping(database, _contents, options.AbandonedAfter, time, log);
    }

    /// <summary>The store's own database, which has the outbox of its objects (<see cref="Replication.Outbox"/>).</summary>
    public Database Database => _database;

    /// <summary>Called after a commit that added rows to the outbox; must return at once.</summary>
    public Action? OutboxGrew { get; set; }

    /// <summary>Called when a read met bytes that are not what was written, once for each piece; must return at once. <see cref="RepairAsync"/> is what to do about it.</summary>
    public Action? CorruptionFound
    {
        get => _contents.CorruptionFound;
        set => _contents.CorruptionFound = value;
    }

    // Done when what a killed process left has been removed.
    internal Task StraysRemoved => _housekeeping.StraysRemoved;

    internal ValueTask CollectAsync(TimeSpan grace, CancellationToken cancel) => _housekeeping.CollectAsync(grace, cancel);

    /// <summary>Opens the store, or makes it in a folder that exists.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static async Task<Outcome<ObjectStore>> OpenAsync(StoreOptions options, TimeProvider time, ILogger log, CancellationToken cancel)
    {
        Directory.CreateDirectory(options.Folder);
        var files = new DataFiles(options.Folder);
        var opened = await SqliteDatabase.TakeAsync(Path.Combine(options.Folder, "store.db"), cancel);
        if (!opened.Ok)
            return opened.Problem;
        var database = opened.Value;
        var migrated = await Migrations.ApplyAsync(database, time, cancel, ["Storage/Store", "Storage/Replication"]);
        if (!migrated.Ok)
        {
            await database.DisposeAsync();
            return migrated.Problem;
        }
        var last = await database.ReadAsync(static s => s.ScalarAsync<long>(
            "SELECT MAX(id) FROM (SELECT MAX(id) AS id FROM objects UNION ALL SELECT MAX(id) FROM contents UNION ALL SELECT MAX(id) FROM uploads)"), cancel);
        var ids = new Ids(time, last);
        var store = new ObjectStore(options, database, files, ids, time, log);
        store._housekeeping.Start(ids.Next());
        return store;
    }

    /// <summary>Ends the work in the background and closes the database; whoever still reads may go on with open files only.</summary>
    public async ValueTask DisposeAsync()
    {
        await _housekeeping.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>Removes abandoned uploads, and what nothing refers to any more. Done by itself as well, every few minutes.</summary>
    public ValueTask SweepAsync(CancellationToken cancel) => _housekeeping.SweepAsync(cancel);

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    // A full disk is answered, not thrown; SQLite has undone the write.
    private async ValueTask<Stored<T>> CommitAsync<T>(Func<DbSession, ValueTask<Stored<T>>> work, bool inline, CancellationToken cancel)
    {
        try
        {
            return await _database.WriteAsync(work, inline, cancel);
        }
        catch (SqliteException full) when (full.SqliteErrorCode == SQLitePCL.raw.SQLITE_FULL)
        {
            return StoreFault.NoRoom;
        }
    }

    private async ValueTask<StoreFault?> ChangeAsync(Func<DbSession, ValueTask<Stored<bool>>> work, CancellationToken cancel)
    {
        var changed = await CommitAsync(work, inline: false, cancel);
        // True says that the outbox has grown.
        if (changed.Value)
            OutboxGrew?.Invoke();
        return changed.Fault;
    }
}
