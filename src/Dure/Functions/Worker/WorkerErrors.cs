using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>What can go wrong in the worker. Ids 0300 to 0399.</summary>
public static class WorkerErrors
{
    public static readonly ErrorKind NotStarted = new(
        "DURE0301", "The sandbox could not be started", 500, ExitCodes.Failed,
        "The detail names the step that failed. Check that unprivileged user namespaces are allowed (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces).");

    public static readonly ErrorKind EndedEarly = new(
        "DURE0302", "The program ended before it was ready", 502, ExitCodes.FunctionFailed,
        "The detail and the log hold its last words. Check the command, its libraries and its memory limit.");

    public static readonly ErrorKind StartTimeout = new(
        "DURE0303", "The program did not become ready in time", 504, ExitCodes.FunctionFailed,
        "The program has to listen on fn.sock (the shims do so at once). Look at its log.");

    public static readonly ErrorKind SlotTaken = new(
        "DURE0304", "The slot exists already", 409, ExitCodes.Conflict, "Use a new slot name for every start.");

    public static readonly ErrorKind BadSlot = new(
        "DURE0305", "The slot name is not allowed", 400, ExitCodes.Usage,
        "Use 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit.");

    public static readonly ErrorKind BadSpec = new(
        "DURE0306", "The sandbox was asked for something impossible", 400, ExitCodes.Usage, "Correct what the detail names.");

    public static readonly ErrorKind NoBubblewrap = new(
        "DURE0307", "bubblewrap is missing", 500, ExitCodes.Missing, "Install it: apt-get install bubblewrap.");

    public static readonly ErrorKind NoSlirp = new(
        "DURE0308", "slirp4netns is missing", 500, ExitCodes.Missing,
        "A function with network: egress needs it. Install it: apt-get install slirp4netns.");

    public static readonly ErrorKind Unreachable = new(
        "DURE0309", "Sandboxes cannot reach the data folder", 500, ExitCodes.Missing,
        "Every folder above the data folder must be passable for others (chmod o+x), or choose another --data, such as /var/lib/dure.");

    public static readonly ErrorKind PathTooLong = new(
        "DURE0310", "The path of the data folder is too long", 400, ExitCodes.Usage,
        "Unix sockets have paths of at most 107 bytes. Choose a shorter --data.");

    public static readonly ErrorKind AlreadyRunning = new(
        "DURE0311", "A worker with this id runs already", 409, ExitCodes.Conflict, "End it first, or use another --id.");

    public static readonly ErrorKind NoRuntimes = new(
        "DURE0312", "The programs that run inside sandboxes could not be prepared", 500, ExitCodes.Missing,
        "Install a C compiler (apt-get install gcc libc6-dev), or use a release, which brings them built.");

    public static readonly ErrorKind NoGpu = new(
        "DURE0313", "The GPU does not exist", 400, ExitCodes.Missing, "Ask for GPUs that this machine has; `dure status` lists them.");

    public static readonly ErrorKind NetworkFailed = new(
        "DURE0314", "The network of the sandbox could not be set up", 500, ExitCodes.Failed,
        "The detail holds what slirp4netns said. /dev/net/tun must exist and be usable (modprobe tun).");

    public static readonly ErrorKind BadId = new(
        "DURE0315", "The worker's name is not allowed", 400, ExitCodes.Usage, "Use 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit.");
}
