using Dure.Host.Data;

namespace Dure.Functions.Following;

/// <summary>How far an invocation had come.</summary>
internal readonly record struct ChangedInvocation(long Id, InvocationState State);

/// <summary>Finds what has changed since a time in the rows, which are the truth where hints are lost or the server was another one.</summary>
internal sealed class ChangeReader(Database database)
{
    /// <summary>What has ended or was asked for since a time, in no order.</summary>
    /// <param name="function">0 for all functions.</param>
    /// <param name="limit">Of each of the two.</param>
    public ValueTask<List<ChangedInvocation>> SinceAsync(DateTimeOffset since, long function, int limit, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var found = await s.QueryAsync("SELECT id, state FROM invocations WHERE finished_at >= $1 AND ($2 = 0 OR function_id = $2) LIMIT $3", Read, since.ToUnixTimeMilliseconds(), function, limit);
        found.AddRange(await s.QueryAsync("SELECT id, state FROM invocations WHERE id >= $1 AND ($2 = 0 OR function_id = $2) LIMIT $3", Read, InvocationId.FirstAt(since), function, limit));
        return found;
    }, cancel);

    /// <summary>Whether an invocation has ended; null when there is none.</summary>
    public ValueTask<bool?> HasEndedAsync(long id, CancellationToken cancel) => database.ReadAsync(async s =>
        await s.ScalarAsync<long?>("SELECT state FROM invocations WHERE id = $1", id) is { } state ? (bool?)(state > (long)InvocationState.Processing) : null, cancel);

    private static ChangedInvocation Read(System.Data.Common.DbDataReader r) => new(r.GetInt64(0), (InvocationState)r.GetInt32(1));
}
