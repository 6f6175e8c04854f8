namespace Dure.Host.Commands;

/// <summary>Failures of the command line.</summary>
public static class CommandErrors
{
    public static readonly ErrorKind Usage = new("DURE0420", "The command line is not understood", 400, ExitCodes.Usage,
        "Add --help to the command to see what it takes.");

    public static readonly ErrorKind Unreachable = new("DURE0421", "The server cannot be reached", 503, ExitCodes.Unavailable,
        "Start it with `dure up`, or say where it is with --url or DURE_URL.");

    public static readonly ErrorKind AlreadyRunning = new("DURE0422", "A server already runs on this data", 409, ExitCodes.Conflict,
        "Use the one that runs, stop it with `dure down`, or give this one its own folder with --data.");

    public static readonly ErrorKind PackagesMissing = new("DURE0423", "Programs that Dure needs are not installed", 500, ExitCodes.Missing,
        "Say the same once more with --yes, as root or with sudo; or run the command above, after `apt-get update` on a new machine.");

    public static readonly ErrorKind StartFailed = new("DURE0424", "The server did not start", 500, ExitCodes.Failed,
        "Run `dure up --foreground` to watch it start.");

    public static readonly ErrorKind NoToken = new("DURE0425", "There is no token to sign in with", 401, ExitCodes.Denied,
        "Give one with --token or DURE_TOKEN; whoever runs the server makes one with `dure token create`.");

    public static readonly ErrorKind BadAnswer = new("DURE0426", "The answer is not one that Dure gives", 502, ExitCodes.Failed,
        "Check that --url names a Dure server of a version near this one.");

    public static readonly ErrorKind FileProblem = new("DURE0427", "A file or folder cannot be used", 400, ExitCodes.Usage,
        "Check the path and its permissions.");

    public static readonly ErrorKind StopFailed = new("DURE0428", "The server did not stop", 500, ExitCodes.Failed,
        "Look at its log, named above, or end the process by its id.");

    public static readonly ErrorKind NotConfirmed = new("DURE0429", "It was not confirmed", 400, ExitCodes.Usage,
        "Add --yes to go ahead without being asked.");

    public static readonly ErrorKind ToolFailed = new("DURE0430", "A program that was run failed", 500, ExitCodes.Failed,
        "Read its output above, put it right and try again.");

    /// <summary>The kind of a problem that a server told; its exit code is known by the id, or guessed from the status when the server is newer.</summary>
    internal static ErrorKind Told(string id, string title, int status, string remedy) =>
        new(id, title, status, ErrorCatalog.Find(id)?.ExitCode ?? ExitCodeFor(status), remedy);

    private static int ExitCodeFor(int status) => status switch
    {
        400 or 405 or 415 or 422 => ExitCodes.Usage,
        401 or 403 => ExitCodes.Denied,
        404 or 410 => ExitCodes.NotFound,
        409 or 412 => ExitCodes.Conflict,
        413 or 429 or 507 => ExitCodes.Limit,
        502 or 503 or 504 => ExitCodes.Unavailable,
        _ => ExitCodes.Failed,
    };
}
