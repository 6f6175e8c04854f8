using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Dure.Host.Data;

/// <summary>
/// The embedded database: SQLite through the system's library, WAL, <c>synchronous=FULL</c>, one writer with group commit,
/// a few readers. Checkpoints run beside the writer, never inside a commit. The file is this process's alone while it is open, unless it is shared.
/// </summary>
public sealed class SqliteDatabase : Database
{
    private const int GroupLimit = 1024;
    private const int ReadersKept = 8;
    private const int GroupsPerCheckpoint = 512;
    private const int WritesPerCheckpoint = 8192;
    private const long ReservedBytes = 16 << 20;
    private const long LogPagesMost = 1024;
    private static readonly TimeSpan ReserveAfter = TimeSpan.FromSeconds(1);
    private const string Patient = "PRAGMA busy_timeout=30000";
    private const string AtOpening = "PRAGMA busy_timeout=2000";

    private readonly string _path;
    private readonly bool _shared;
    private readonly DbSession _writer;
    private readonly WriteGroup _group;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _reserving;
    private readonly ConcurrentBag<DbSession> _readers = [];
    private DbSession? _checkpointer;
    private int _checkpointing;
    private int _groupsSinceCheckpoint;
    private int _writesSinceCheckpoint;
    private volatile bool _logIsLong;
    private bool _disposed;
#if DURE_BREAK_FSYNC
    private long _begun;

    internal static bool Late { get; set; }
#endif

    private SqliteDatabase(string path, bool shared, DbSession writer)
    {
        _path = path;
        _shared = shared;
        _writer = writer;
        _group = new WriteGroup(CommitAsync, GroupLimit);
        _reserving = ReserveLogAsync(_closing.Token);
    }

    public override Dialect Dialect => Dialect.Sqlite;

    /// <summary>Opens or creates the file.</summary>
    /// <param name="path">Its folder must exist.</param>
    /// <param name="shared">Whether other processes may have it open too.</param>
    /// <exception cref="SqliteException">It is not a database, or another program holds it.</exception>
    public static async ValueTask<SqliteDatabase> OpenAsync(string path, CancellationToken cancel, bool shared = false)
    {
        SqliteLibrary.Load();
        var writer = await ConnectAsync(path, shared, AtOpening, cancel);
        try
        {
            await writer.ExecuteAsync("PRAGMA journal_mode=WAL");
            await writer.ExecuteAsync("PRAGMA synchronous=FULL");
            await writer.ExecuteAsync("PRAGMA wal_autocheckpoint=0");
            await writer.ExecuteAsync(Patient);
            return new SqliteDatabase(path, shared, writer);
        }
        catch (SqliteException)
        {
            await writer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens or creates a file of the server's. A program that holds it is waited for for 2 s, and then a problem.</summary>
    /// <param name="path">Its folder must exist.</param>
    /// <param name="shared">Whether other processes may have it open too.</param>
    public static async ValueTask<Outcome<Database>> TakeAsync(string path, CancellationToken cancel, bool shared = false)
    {
        try
        {
            return await OpenAsync(path, cancel, shared);
        }
        catch (SqliteException held) when (held.SqliteErrorCode == SQLitePCL.raw.SQLITE_BUSY)
        {
            return HostErrors.DatabaseHeld.With(path);
        }
    }

    public override ValueTask<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> work, bool inline = false, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancel.ThrowIfCancellationRequested();
        // Who begins the log anew takes longer than a commit: no caller's thread is lent for that.
        return _group.AddAsync(work, inline && !_logIsLong);
    }

    public override async ValueTask<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> work, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancel.ThrowIfCancellationRequested();
        if (!_readers.TryTake(out var session))
            session = await ConnectAsync(_path, _shared, Patient, cancel);
        try
        {
            return await work(session);
        }
        finally
        {
            if (_readers.Count < ReadersKept && !_disposed)
                _readers.Add(session);
            else
                await session.DisposeAsync();
        }
    }

    public override async ValueTask BackupAsync(string path, CancellationToken cancel)
    {
        await using var session = await ConnectAsync(_path, _shared, Patient, cancel);
        await session.ExecuteAsync("VACUUM INTO $1", path);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        // The last group, and with it all before, is on disk before the writer goes.
        await WriteAsync(static _ => new ValueTask<int>(0));
        _disposed = true;
        await _closing.CancelAsync();
        await _reserving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
        while (_readers.TryTake(out var reader))
            await reader.DisposeAsync();
        if (_checkpointer is not null)
            await _checkpointer.DisposeAsync();
        await _writer.DisposeAsync();
    }

    // A commit that makes the log file longer also waits for the file system's own journal, which costs half as much again; after the next
    // checkpoint the log begins anew in what is written here. The pages go to the database's free list and are used as it grows.
    private async Task ReserveLogAsync(CancellationToken closing)
    {
        // A start does not wait for it.
        await Task.Delay(ReserveAfter, TimeProvider.System, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        if (closing.IsCancellationRequested || new FileInfo(_path + "-wal") is { Exists: true, Length: >= ReservedBytes })
            return;
        // Not by the writer, whose cache would hold it all from then on.
        await using var session = await ConnectAsync(_path, _shared, Patient, CancellationToken.None);
        await session.ExecuteAsync("PRAGMA cache_size=-500");
        await session.ExecuteAsync("PRAGMA synchronous=NORMAL");
        await session.ExecuteAsync("PRAGMA wal_autocheckpoint=0");
        try
        {
            await session.ExecuteAsync("BEGIN IMMEDIATE");
            await session.ExecuteAsync("CREATE TABLE reserved (bytes)");
            await session.ExecuteAsync("INSERT INTO reserved VALUES (zeroblob($1))", ReservedBytes);
            await session.ExecuteAsync("DROP TABLE reserved");
            await session.ExecuteAsync("COMMIT");
            await session.FirstAsync("PRAGMA wal_checkpoint(PASSIVE)", static row => row.GetInt64(1));
        }
        catch (SqliteException)
        {
            // No room for it: the log grows as it must.
            await RollBackAsync(session);
        }
    }

    // With "unix-excl" the file is locked once and for all, and the connections of this process agree in its memory: a commit needs six system calls less.
    private static async ValueTask<DbSession> ConnectAsync(string path, bool shared, string patience, CancellationToken cancel)
    {
        var address = $"file:{Uri.EscapeDataString(path)}?vfs={(shared ? "unix" : "unix-excl")}";
        var text = new SqliteConnectionStringBuilder { DataSource = address, Pooling = false, DefaultTimeout = 30 }.ToString();
        var connection = new SqliteConnection(text);
        var session = new DbSession(connection);
        try
        {
            await connection.OpenAsync(cancel);
            await session.ExecuteAsync(patience);
            await session.ExecuteAsync("PRAGMA foreign_keys=ON");
            await session.ExecuteAsync("PRAGMA cache_size=-16000");
            await session.ExecuteAsync("PRAGMA mmap_size=268435456");
            return session;
        }
        catch (SqliteException)
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private async ValueTask CommitAsync(IReadOnlyList<PendingWrite> group)
    {
        try
        {
            await TransactAsync(group);
        }
        catch (Exception error)
        {
            await RollBackAsync(_writer);
            await CommitOneByOneAsync(group, error);
        }
        if (_logIsLong)
            await RestartLogAsync();
        _writesSinceCheckpoint += group.Count;
        if (++_groupsSinceCheckpoint >= GroupsPerCheckpoint || _writesSinceCheckpoint >= WritesPerCheckpoint)
            BeginCheckpoint();
    }

    private async ValueTask TransactAsync(IReadOnlyList<PendingWrite> group)
    {
#if DURE_BREAK_FSYNC
        // What a crash leaves of a database whose commits are not waited for: everything but the last moments.
        if (_begun == 0)
            await _writer.ExecuteAsync("BEGIN IMMEDIATE");
        if (_begun == 0)
            _begun = Environment.TickCount64;
        foreach (var write in group)
            await write.RunAsync(_writer);
        if (Late && Environment.TickCount64 - _begun < 300)
        {
            _ = Task.Delay(310).ContinueWith(_ => WriteAsync(static _ => new ValueTask<int>(0)).AsTask(), TaskScheduler.Default);
            return;
        }
        _begun = 0;
#else
        await _writer.ExecuteAsync("BEGIN IMMEDIATE");
        foreach (var write in group)
            await write.RunAsync(_writer);
#endif
        await _writer.ExecuteAsync("COMMIT");
    }

    // One bad write must not fail its neighbours: after a rollback each gets a transaction of its own.
    private async ValueTask CommitOneByOneAsync(IReadOnlyList<PendingWrite> group, Exception error)
    {
        if (group.Count == 1)
        {
            group[0].Error = error;
            return;
        }
        foreach (var write in group)
        {
            try
            {
                await TransactAsync([write]);
            }
            catch (Exception own)
            {
                await RollBackAsync(_writer);
                write.Error = own;
            }
        }
    }

    private static async ValueTask RollBackAsync(DbSession session)
    {
        try
        {
            await session.ExecuteAsync("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite has already rolled back by itself (disk full, I/O error).
        }
    }

    // Under load there is always a frame that the checkpointer has not copied, and the log would grow past what was reserved for it: here,
    // between two groups, the few that are left are copied and the next group begins the log anew.
    private async ValueTask RestartLogAsync()
    {
        _logIsLong = false;
        try
        {
            // A long reader, such as a backup, must not hold up the writers: after the next checkpoint it is tried again.
            await _writer.ExecuteAsync("PRAGMA busy_timeout=20");
            await _writer.ExecuteAsync("PRAGMA wal_checkpoint(RESTART)");
        }
        catch (SqliteException)
        {
            // Busy, or the disk is full: the log goes on growing meanwhile.
        }
        finally
        {
            await _writer.ExecuteAsync(Patient);
        }
    }

    private void BeginCheckpoint()
    {
        if (Interlocked.CompareExchange(ref _checkpointing, 1, 0) != 0)
            return;
        _writesSinceCheckpoint = _groupsSinceCheckpoint = 0;
        ThreadPool.UnsafeQueueUserWorkItem(static db => _ = db.CheckpointAsync(), this, preferLocal: false);
    }

    private async Task CheckpointAsync()
    {
        try
        {
            _checkpointer ??= await ConnectAsync(_path, _shared, Patient, CancellationToken.None);
            // Columns: busy, pages in the log, pages of them that are in the database now.
            _logIsLong = await _checkpointer.FirstAsync("PRAGMA wal_checkpoint(PASSIVE)", static row => row.GetInt64(1)) > LogPagesMost;
        }
        catch (SqliteException)
        {
            // Nothing is lost: the log stays longer and the next checkpoint does this one's work.
        }
        finally
        {
            Volatile.Write(ref _checkpointing, 0);
        }
    }
}
