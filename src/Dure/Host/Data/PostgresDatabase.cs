using System.Data;
using Npgsql;

namespace Dure.Host.Data;

/// <summary>
/// The cluster's database. One writer connection per process with group commit, as with SQLite; its transactions are
/// serializable and run again when they clash with another process's, so a write sees no other write between its statements.
/// </summary>
public sealed class PostgresDatabase : Database
{
    private const int GroupLimit = 1024;
    private const long SchemaLock = 0x6475_7265; // "dure"
    private static readonly TimeSpan LongestTrying = TimeSpan.FromSeconds(5);

    private readonly string _connectionString;
    private readonly PostgresConnections _connections;
    private readonly WriteGroup _group;
    private DbSession? _writer;
    private bool _disposed;

    private PostgresDatabase(string connectionString, PostgresConnections connections)
    {
        (_connectionString, _connections) = (connectionString, connections);
        _group = new WriteGroup(SettleAsync, GroupLimit);
    }

    /// <inheritdoc/>
    public override Dialect Dialect => Dialect.Postgres;

    private enum Stage
    {
        Writing,
        Committing,
    }

    /// <summary>Connects and checks that what the server acknowledges is on disk.</summary>
    /// <param name="connectionString">Npgsql's keywords, such as <c>Host=/run/postgresql;Database=dure</c>; several hosts with commas.</param>
    public static async ValueTask<Outcome<PostgresDatabase>> OpenAsync(string connectionString, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "dure",
            MaxAutoPrepare = 500,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            MaxPoolSize = 100,
        };
        if (settings.Host?.Contains(',', StringComparison.Ordinal) == true)
        {
            settings.TargetSessionAttributes ??= "read-write";
        }
        var database = new PostgresDatabase(settings.ConnectionString, new PostgresConnections(NpgsqlDataSource.Create(settings)));
        var problem = await database.CheckAsync(settings, cancel);
        if (problem is null)
        {
            return database;
        }
        await database.DisposeAsync();
        return problem;
    }

    /// <inheritdoc/>
    public override ValueTask<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> work, bool inline = false, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancel.ThrowIfCancellationRequested();
        return _group.AddAsync(work, inline);
    }

    /// <inheritdoc/>
    public override ValueTask<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> work, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancel.ThrowIfCancellationRequested();
        return _connections.ReadAsync(work, cancel);
    }

    /// <inheritdoc/>
    public override ValueTask BackupAsync(string path, CancellationToken cancel) =>
        PostgresDump.WriteAsync(new NpgsqlConnectionStringBuilder(_connectionString), path, cancel);

    /// <inheritdoc/>
    public override async ValueTask<IAsyncDisposable> LockSchemaAsync(CancellationToken cancel)
    {
        // The lock is the connection's: it is gone with the process, too.
        var session = await _connections.OpenAsync(cancel);
        try
        {
            while (await session.ScalarAsync<bool>("SELECT pg_try_advisory_lock($1)", SchemaLock) is false)
            {
                await Task.Delay(50, cancel);
            }
            return new SchemaLocked(session);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }
        if (_writer is not null)
        {
            try
            {
                // The last group, and with it all before, is on disk before the writer goes.
                await WriteAsync(static _ => new ValueTask<int>(0));
            }
            catch (NpgsqlException)
            {
                // The server went first; whoever waited was told.
            }
        }
        _disposed = true;
        await DropWriterAsync();
        await _connections.DisposeAsync();
    }

    private async ValueTask<Problem?> CheckAsync(NpgsqlConnectionStringBuilder settings, CancellationToken cancel)
    {
        try
        {
            var unsafeSettings = await ReadAsync(
                static s => s.ScalarAsync<string>("SELECT string_agg(name || ' = ' || setting, ', ') FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'"),
                cancel);
            return unsafeSettings is null ? null : PostgresErrors.NotDurable.With($"{settings.Host}: {unsafeSettings}.");
        }
        catch (NpgsqlException error)
        {
            return PostgresErrors.Unreachable.With($"{settings.Host}: {error.Message}");
        }
    }

    // Commits a group whatever it takes, and says of each write what became of it. Never throws.
    private async ValueTask SettleAsync(IReadOnlyList<PendingWrite> group)
    {
        var rest = group;
        var patience = new Patience(LongestTrying);
        while (rest.Count > 0 && await TransactAsync(rest) is { } failure)
        {
            if (failure.MayBeDone)
            {
                Fail(rest, failure.Error);
                return;
            }
            if (IsPassing(failure.Error) && await patience.WaitAsync(PostgresConnections.IsLost(failure.Error)))
            {
                continue;
            }
            if (rest.Count == 1 || failure.At < 0)
            {
                Fail(rest, failure.Error);
                return;
            }
            // One bad write must not fail its neighbours: those before it, it alone, those after it.
            var at = Math.Min(failure.At, rest.Count - 1);
            await SettleAsync(Part(rest, 0, at));
            await SettleAsync(Part(rest, at, 1));
            rest = Part(rest, at + 1, rest.Count - at - 1);
        }
    }

    private async ValueTask<Failure?> TransactAsync(IReadOnlyList<PendingWrite> group)
    {
        var stage = Stage.Writing;
        var at = -1;
        try
        {
            _writer ??= await _connections.OpenWriterAsync();
            await using var transaction = await _writer.Connection.BeginTransactionAsync(IsolationLevel.Serializable);
            _writer.Transaction = transaction;
            for (at = 0; at < group.Count; at++)
            {
                await group[at].RunAsync(_writer);
            }
            stage = Stage.Committing;
            await transaction.CommitAsync();
            return null;
        }
        catch (Exception error)
        {
            if (_writer is { Connection.State: not ConnectionState.Open })
            {
                await DropWriterAsync();
            }
            // Nobody knows what became of a commit whose answer was lost: to run it again could do it twice.
            var refused = error is PostgresException && !PostgresConnections.IsLost(error);
            return new Failure(error, at, stage == Stage.Committing && !refused);
        }
        finally
        {
            if (_writer is not null)
            {
                _writer.Transaction = null;
            }
        }
    }

    private static bool IsPassing(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected }
        || PostgresConnections.IsLost(error);

    private static void Fail(IReadOnlyList<PendingWrite> writes, Exception error)
    {
        foreach (var write in writes)
        {
            write.Error = error;
        }
    }

    private static PendingWrite[] Part(IReadOnlyList<PendingWrite> writes, int start, int count) =>
        [.. writes.Skip(start).Take(count)];

    private async ValueTask DropWriterAsync()
    {
        if (_writer is { } writer)
        {
            _writer = null;
            await writer.DisposeAsync();
        }
    }

    private sealed record Failure(Exception Error, int At, bool MayBeDone);

    private sealed class SchemaLocked(DbSession session) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                await session.ScalarAsync<bool>("SELECT pg_advisory_unlock($1)", SchemaLock);
            }
            finally
            {
                await session.DisposeAsync();
            }
        }
    }
}
