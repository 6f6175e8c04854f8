using Dure.Functions.Deploy;
using Dure.Functions.Dispatch;
using Dure.Host;
using Dure.Host.Live;
using Dure.Storage;

namespace Dure.Functions.Api;

/// <summary>What the endpoints of the functions slice share.</summary>
/// <param name="Limits">Sizes of payloads and uploads.</param>
/// <param name="RefuseWork">A problem while new work must be refused (disk pressure, stopping), else null.</param>
internal sealed record FunctionsContext(
    FunctionCatalog Catalog,
    FunctionStore Functions,
    InvocationStore Invocations,
    InvocationReader Reader,
    Dispatcher Dispatcher,
    InvocationIdSource Ids,
    IBlobs Blobs,
    LogBook Logs,
    ILive Live,
    FunctionLimits Limits,
    Func<Problem?> RefuseWork,
    TimeProvider Time)
{
    private readonly KeyedLock _changing = new();

    /// <summary>Changes functions in the database and then in the catalogue, one change at a time, so that both see them in one order.</summary>
    /// <remarks>Not cancelled with a request: what the database has taken must be seen here as well.</remarks>
    public async ValueTask<T> ChangeAsync<T>(Func<ValueTask<T>> inDatabase, Action<T> here)
    {
        using var held = await _changing.EnterAsync("functions", CancellationToken.None);
        var changed = await inDatabase();
        here(changed);
        return changed;
    }

    /// <summary>An invocation, also one that has no row yet (a relaxed call that runs); null when there is none.</summary>
    public async ValueTask<InvocationView?> FindAsync(long id, CancellationToken cancel)
    {
        if (Dispatcher.Active(id) is { Recorded: false } active)
            return InvocationReader.ViewOf(active);
        return await Reader.FindAsync(id, cancel);
    }

    /// <summary>Those of the given invocations that exist, oldest first, without attempts and steps.</summary>
    /// <remarks>Relaxed calls that run have no row yet. What is in its first attempt, or has just left it, is at hand and needs no look at its row;
    /// a hint comes after the commit that it tells of.</remarks>
    public async ValueTask<IEnumerable<InvocationView>> LookAsync(List<long> ids, CancellationToken cancel)
    {
        var known = ids.Select(AtHand).OfType<ActiveInvocation>().ToDictionary(a => a.Id, ViewOf);
        var stored = known.Count == ids.Count ? [] : await Reader.ManyAsync([.. ids.Where(id => !known.ContainsKey(id))], cancel);
        return stored.Concat(known.Values).OrderBy(view => view.Id, StringComparer.Ordinal);
    }

    /// <summary>The working copy of an invocation when it says as much as its row; null when the row must be looked at.</summary>
    public ActiveInvocation? AtHand(long id) => Dispatcher.Active(id) is { } active
        ? !active.Recorded || (active is { Attempt: 1, StartedAt: not null, State: InvocationState.Processing }) ? active : null
        : Dispatcher.JustEnded(id) is { Recorded: true, Attempt: 1, StartedAt: not null } ended ? ended : null;

    /// <summary>An invocation at hand as a list shows it.</summary>
    public static InvocationView ViewOf(ActiveInvocation active) => InvocationReader.ViewOf(active) with { Attempts = null };
}

/// <summary>Sizes.</summary>
/// <param name="PayloadBytes">Largest event or result.</param>
/// <param name="UploadBytes">Largest upload of source.</param>
/// <param name="SpoolAboveBytes">Events and results above this are blobs.</param>
public sealed record FunctionLimits(long PayloadBytes, long UploadBytes, int SpoolAboveBytes);
