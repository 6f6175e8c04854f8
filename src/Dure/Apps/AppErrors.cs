using Dure.Host;

namespace Dure.Apps;

/// <summary>Failures of publishing: DURE0900 to DURE0949.</summary>
public static class AppErrors
{
    public static readonly ErrorKind NoSuchApp = new("DURE0900", "There is no such app", 404, ExitCodes.NotFound, "`dure apps list` shows what is published.");

    public static readonly ErrorKind IdTaken = new("DURE0901", "The id is taken", 409, ExitCodes.Conflict,
        "Choose another with --id, or say --replace to publish this in its place.");

    public static readonly ErrorKind BadId = new("DURE0902", "The id is not valid", 422, ExitCodes.Usage,
        "Use 1 to 40 lower-case letters, digits and hyphens, beginning and ending with a letter or a digit; give one with --id.");

    public static readonly ErrorKind YamlInvalid = new("DURE0903", "app.yaml has mistakes", 422, ExitCodes.Usage, "Correct the lines listed; `dure apps init` writes one that is right.");

    public static readonly ErrorKind NothingRecognised = new("DURE0904", "Nothing here is recognised as an app", 422, ExitCodes.Usage,
        "Name the notebook, or write app.yaml with `command:`, which listens on $PORT and serves below $BASE_PATH.");

    public static readonly ErrorKind ProgramMissing = new("DURE0905", "The program that serves it is not there", 422, ExitCodes.Missing, "Install it with the command given, then publish again.");

    public static readonly ErrorKind SourceMissing = new("DURE0906", "There is nothing to publish at this path", 400, ExitCodes.Usage, "Give the path of a file or folder that exists and that you may read.");

    public static readonly ErrorKind PackageRefused = new("DURE0907", "What was sent cannot be unpacked", 422, ExitCodes.Usage, "Take the entry that is named out of the folder: links must stay inside it.");

    public static readonly ErrorKind TooLarge = new("DURE0908", "The folder is larger than this server accepts", 413, ExitCodes.Limit,
        "Leave data out with `exclude:` in app.yaml and read it where it lies, or raise apps.upload_limit.");

    public static readonly ErrorKind RangeFull = new("DURE0909", "All ports for apps are taken", 503, ExitCodes.Limit, "Unpublish what nobody reads any more, or widen apps.port_first to apps.port_last.");

    public static readonly ErrorKind Crashed = new("DURE0910", "The app ends as soon as it is started", 422, ExitCodes.FunctionFailed, "Read its last lines, mend it, and publish again. The version that was live stays live.");

    public static readonly ErrorKind WrongPort = new("DURE0911", "The app listens somewhere else", 422, ExitCodes.FunctionFailed,
        "Make it listen on $HOST and $PORT, which it finds in its environment. The version that was live stays live.");

    public static readonly ErrorKind NeverHealthy = new("DURE0912", "The app did not become healthy in time", 504, ExitCodes.FunctionFailed,
        "Read its last lines; set `health:` to a path that answers, or `start_timeout:` to a longer time, in app.yaml. The version that was live stays live.");

    public static readonly ErrorKind NotStarted = new("DURE0913", "The app's service cannot be started", 500, ExitCodes.Failed, "Read what systemd or the kernel says. The version that was live stays live.");

    public static readonly ErrorKind Busy = new("DURE0914", "The app is being changed", 409, ExitCodes.Conflict, "Wait until that is done; `dure apps status ID` shows it.");

    public static readonly ErrorKind NoSuchVersion = new("DURE0915", "The app has no such version", 404, ExitCodes.NotFound, "`dure apps status ID` lists those that are kept.");

    public static readonly ErrorKind Removing = new("DURE0916", "The app is being unpublished", 409, ExitCodes.Conflict, "Run `dure apps unpublish ID` again until it says that nothing is left.");

    public static readonly ErrorKind Unwell = new("DURE0917", "A link between browser and app is broken", 503, ExitCodes.Failed, "Run the command that is named beside it.");

    public static readonly ErrorKind FileExists = new("DURE0918", "There is an app.yaml already", 409, ExitCodes.Conflict, "Change it by hand, or remove it first.");

    public static readonly ErrorKind NotAwake = new("DURE0920", "The app was asleep and does not wake up", 503, ExitCodes.Failed,
        "`dure apps status ID` says why, and `dure apps logs ID` shows its last lines.");

    public static readonly ErrorKind NoServer = new("DURE0919", "This server lives elsewhere", 409, ExitCodes.Usage,
        "Publish on the machine that runs the app: its notebook, its environment and its GPUs are there.");
}
