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
    /// <summary>Held while a function's versions are changed in the database and then here, so that both see the changes in one order.</summary>
    public SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>An invocation, also one that has no row yet (a relaxed call that runs); null when there is none.</summary>
    public async ValueTask<InvocationView?> FindAsync(long id, CancellationToken cancel)
    {
        if (Dispatcher.Active(id) is { Recorded: false } active)
            return InvocationReader.ViewOf(active);
        return await Reader.FindAsync(id, cancel);
    }
}

/// <summary>Sizes.</summary>
/// <param name="PayloadBytes">Largest event or result.</param>
/// <param name="UploadBytes">Largest upload of source.</param>
/// <param name="SpoolAboveBytes">Events and results above this are blobs.</param>
public sealed record FunctionLimits(long PayloadBytes, long UploadBytes, int SpoolAboveBytes);
