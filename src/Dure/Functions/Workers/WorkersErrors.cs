using Dure.Host;

namespace Dure.Functions.Workers;

/// <summary>Failures of looking after workers, and of charts.</summary>
internal static class WorkersErrors
{
    public static readonly ErrorKind NoSuchWorker = new("DURE0750", "There is no such worker", 404, ExitCodes.NotFound,
        "`dure worker list` shows them.");
}
