using Dure.Fleet.Check;
using Dure.Host.Commands;

namespace Dure.Fleet.Commands;

/// <summary>Verbs whose parts live apart, put together.</summary>
internal static class FleetCommands
{
    /// <summary><c>dure check</c> over the file that is named, else the one that all verbs use.</summary>
    public static Verb MakeCheck() => CheckCommand.Make(
        static (call, cancel) => FleetSource.LoadAsync(call, call.Get(CheckCommand.File), cancel),
        static (call, fleet, _) => Task.FromResult(FleetSource.Facts(call, fleet)),
        FleetSource.Opens);
}
