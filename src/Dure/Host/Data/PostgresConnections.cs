using System.Collections.Concurrent;
using System.Data.Common;
using Npgsql;

namespace Dure.Host.Data;

/// <summary>Connections of one data source, kept open with their prepared statements. A connection that broke is not used again.</summary>
internal sealed class PostgresConnections(NpgsqlDataSource source) : IAsyncDisposable
{
    private const int ReadersMax = 32;

    private readonly ConcurrentBag<DbSession> _idle = [];
    private readonly SemaphoreSlim _free = new(ReadersMax);

    /// <summary>Opens one more.</summary>
    public async ValueTask<DbSession> OpenAsync(CancellationToken cancel) => new(await source.OpenConnectionAsync(cancel));

    /// <summary>Opens one whose commits wait for the disk (and for the synchronous stand-by where there is one).</summary>
    public async ValueTask<DbSession> OpenWriterAsync()
    {
        var session = await OpenAsync(CancellationToken.None);
        try
        {
            // Stronger settings than "on" stay.
            await session.ExecuteAsync("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')");
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs reads; once more on a fresh connection when a kept one turns out to be dead.</summary>
    public async ValueTask<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> work, CancellationToken cancel)
    {
        await _free.WaitAsync(cancel);
        try
        {
            while (_idle.TryTake(out var kept))
            {
                try
                {
                    return await RunAsync(kept, work);
                }
                catch (DbException error) when (IsLost(error))
                {
                }
            }
            return await RunAsync(await OpenAsync(cancel), work);
        }
        finally
        {
            _free.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var session))
        {
            await session.DisposeAsync();
        }
        await source.DisposeAsync();
        _free.Dispose();
    }

    /// <summary>Whether an error means that the connection or the server went away, not that a statement was refused.</summary>
    public static bool IsLost(Exception error) => error switch
    {
        PostgresException refused => refused.SqlState.StartsWith("57P", StringComparison.Ordinal) || refused.SqlState.StartsWith("08", StringComparison.Ordinal),
        NpgsqlException { InnerException: not TimeoutException } => true,
        _ => false,
    };

    private async ValueTask<T> RunAsync<T>(DbSession session, Func<DbSession, ValueTask<T>> work)
    {
        try
        {
            return await work(session);
        }
        finally
        {
            if (session.Connection.State is System.Data.ConnectionState.Open)
            {
                _idle.Add(session);
            }
            else
            {
                await session.DisposeAsync();
            }
        }
    }
}
