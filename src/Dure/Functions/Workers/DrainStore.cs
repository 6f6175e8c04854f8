using Dure.Functions.Dispatch;
using Dure.Host.Data;

namespace Dure.Functions.Workers;

/// <summary>All SQL about drained workers: a server that starts again still gives them nothing new.</summary>
internal sealed class DrainStore(Database database)
{
    /// <summary>Why a worker is drained; null when it is not.</summary>
    public ValueTask<WorkerDrain?> FindAsync(string worker, CancellationToken cancel) => database.ReadAsync(s => FindAsync(s, worker), cancel);

    /// <summary>Drains a worker; one that is drained already stays so, since when and for what it was.</summary>
    public ValueTask<WorkerDrain> SetAsync(WorkerDrain drain) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("INSERT INTO worker_drains (worker, since, caller, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            drain.Worker, drain.Since.ToUnixTimeMilliseconds(), drain.Caller, drain.Reason);
        return (await FindAsync(s, drain.Worker))!;
    });

    /// <summary>Ends a drain.</summary>
    public ValueTask<int> RemoveAsync(string worker) => database.WriteAsync(s => s.ExecuteAsync("DELETE FROM worker_drains WHERE worker = $1", worker));

    private static ValueTask<WorkerDrain?> FindAsync(DbSession s, string worker) => s.FirstAsync("SELECT worker, since, caller, reason FROM worker_drains WHERE worker = $1",
        static r => new WorkerDrain(r.GetString(0), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(1)), r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3)), worker);
}
