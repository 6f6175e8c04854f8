using Dure.Host;

namespace Dure.Functions;

/// <summary>Failures of invoking functions.</summary>
public static class FunctionErrors
{
    public static readonly ErrorKind NoSuchFunction = new("DURE0200", "There is no such function", 404, ExitCodes.NotFound,
        "`dure fn list` shows the functions; `dure fn deploy PATH` makes one.");

    public static readonly ErrorKind NoSuchVersion = new("DURE0201", "The function has no such version", 404, ExitCodes.NotFound,
        "`dure fn versions NAME` lists them; a number, a digest or its first digits name one.");

    public static readonly ErrorKind NoSuchInvocation = new("DURE0202", "There is no such invocation", 404, ExitCodes.NotFound,
        "`dure invocation list` shows the invocations that are kept.");

    public static readonly ErrorKind KeyReused = new("DURE0203", "The idempotency key was used for another request", 409, ExitCodes.Conflict,
        "Use a new key for a new request; the same key must come with the same payload.");

    public static readonly ErrorKind PayloadTooLarge = new("DURE0204", "The payload is larger than allowed", 413, ExitCodes.Limit,
        "Send less, pass a reference to stored data, or raise functions.payload_limit.");

    public static readonly ErrorKind NoResult = new("DURE0205", "There is no result", 404, ExitCodes.NotFound,
        "The invocation has not ended, has failed, or its result was removed by retention.");

    public static readonly ErrorKind AlreadyEnded = new("DURE0206", "The invocation has already ended", 409, ExitCodes.Conflict,
        "Nothing is left to cancel. `dure invocation rerun ID` runs it again.");

    public static readonly ErrorKind BadFilter = new("DURE0207", "A filter cannot be understood", 400, ExitCodes.Usage,
        "Correct what the faults name.");

    public static readonly ErrorKind FunctionFailed = new("DURE0210", "The function failed", 502, ExitCodes.FunctionFailed,
        "The error and its stack are the function's own; `dure invocation logs ID` shows what it printed.");

    public static readonly ErrorKind FunctionCancelled = new("DURE0211", "The invocation was cancelled", 409, ExitCodes.FunctionFailed,
        "`dure invocation rerun ID` runs it again.");

    public static readonly ErrorKind OutcomeUnknown = new("DURE0212", "The function may or may not have done its work", 502, ExitCodes.FunctionFailed,
        "It is at_most_once and its process was lost. Look at what it did before you run it again.");

    public static readonly ErrorKind BadResultPath = new("DURE0213", "The function named a result file that it may not name", 502, ExitCodes.FunctionFailed,
        "Large results are files directly below /dure/io/out.");

    public static readonly ErrorKind StreamCut = new("DURE0214", "The stream of a result was cut", 502, ExitCodes.FunctionFailed,
        "The server was replaced meanwhile; the invocation runs again.");

    public static readonly ErrorKind DiskRefused = new("DURE0215", "The disk is nearly full: new work is refused", 507, ExitCodes.Limit,
        "Free space on the data folder's disk, or shorten retention; `dure status` shows how much is left.");

    public static readonly ErrorKind NotLive = new("DURE0216", "The function has no live version", 409, ExitCodes.Conflict,
        "Deploy one, or name a version.");

    public static readonly ErrorKind BadCallback = new("DURE0217", "The callback address cannot be used", 400, ExitCodes.Usage,
        "Give an absolute http or https address.");

    public static readonly ErrorKind UploadTooLarge = new("DURE0218", "The upload is larger than allowed", 413, ExitCodes.Limit,
        "Leave large data out of the source (.dureignore), or raise functions.upload_limit.");

    public static readonly ErrorKind BuildNotStarted = new("DURE0219", "A step of the build could not be started", 503, ExitCodes.Missing,
        "The detail names what the worker lacks on this machine.");

    public static readonly ErrorKind ChangedMeanwhile = new("DURE0220", "Somebody else changed the function meanwhile", 412, ExitCodes.Conflict,
        "Look at what changed (`dure fn diff NAME`), take it in, and send the change again on top of it; the portal's editor offers to merge. Nothing was changed.");

    public static readonly ErrorKind NoSuchFile = new("DURE0221", "The version's source has no such file", 404, ExitCodes.NotFound,
        "`GET /api/functions/NAME/versions/VERSION/files` lists them. What a build made and what links lead to is not shown.");

    public static readonly ErrorKind NoSuchTestEvent = new("DURE0222", "There is no such saved event", 404, ExitCodes.NotFound,
        "`GET /api/functions/NAME/test-events` lists those that were saved for the function.");

    public static readonly ErrorKind BadTestEvent = new("DURE0223", "The event cannot be saved", 422, ExitCodes.Usage,
        "Correct what the faults name: events are JSON, have a short name, and there is a limit to their size and number.");

    public static readonly ErrorKind NoSchedule = new("DURE0224", "The function does not run by itself", 404, ExitCodes.NotFound,
        "Give it a `schedule:` in function.yaml and deploy it again.");
}
