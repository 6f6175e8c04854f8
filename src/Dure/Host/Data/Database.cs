using System.Data.Common;

namespace Dure.Host.Data;

/// <summary>
/// The Database seam. Reads see the last commit and never wait for a writer. A write is a delegate that runs inside a
/// transaction shared with whatever other writes arrived meanwhile (group commit); when its task completes it is on disk.
/// Every promise is stated in <c>test/Dure.Test/Contracts/DatabaseContract.cs</c>.
/// </summary>
public abstract class Database : IAsyncDisposable
{
    /// <summary>The SQL dialect.</summary>
    public abstract Dialect Dialect { get; }

    /// <summary>
    /// Runs <paramref name="work"/> in a transaction and completes after the durable commit. The delegate may run more than
    /// once (a neighbour's failure rolls the group back), so it must have no effect but its SQL, and must not wait for
    /// anything but this session.
    /// </summary>
    /// <param name="inline">True lets the caller's thread do the commit when no other is under way: one thread hop less
    /// for callers that have nothing else to do.</param>
    /// <exception cref="DbException">The statement was refused; its neighbours are unharmed.</exception>
    public abstract ValueTask<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> work, bool inline = false, CancellationToken cancel = default);

    /// <summary>Runs reads on a connection of their own.</summary>
    public abstract ValueTask<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> work, CancellationToken cancel = default);

    /// <summary>Copies the whole database, consistent and while in use, to a new file (SQLite) or dump (PostgreSQL).</summary>
    public abstract ValueTask BackupAsync(string path, CancellationToken cancel);

    /// <summary>Held while migrations run: two servers that start at once on one database bring it forward one after the other.</summary>
    public virtual ValueTask<IAsyncDisposable> LockSchemaAsync(CancellationToken cancel) => new(NothingHeld.Instance);

    /// <summary>Answers when the database can be read; throws when it cannot.</summary>
    public ValueTask<long> PingAsync(CancellationToken cancel) =>
        ReadAsync(static s => s.ScalarAsync<long>("SELECT 1"), cancel);

    public abstract ValueTask DisposeAsync();

    // The embedded database has one server at a time.
    private sealed class NothingHeld : IAsyncDisposable
    {
        public static readonly NothingHeld Instance = new();

        public ValueTask DisposeAsync() => default;
    }
}
