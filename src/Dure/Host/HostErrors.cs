namespace Dure.Host;

/// <summary>Failures of the host: database, requests, identity.</summary>
public static class HostErrors
{
    public static readonly ErrorKind NewerSchema = new("DURE0001", "The data was written by a newer version of Dure", 500, ExitCodes.Conflict,
        "Install that version or a later one, or restore a backup that this version made. Nothing was changed.");

    public static readonly ErrorKind BadRequest = new("DURE0002", "The request cannot be understood", 400, ExitCodes.Usage,
        "Correct what the faults name and send it again.");

    public static readonly ErrorKind NoSuchRoute = new("DURE0003", "There is nothing at this address", 404, ExitCodes.NotFound,
        "Look the address up in /openapi.json.");

    public static readonly ErrorKind Unexpected = new("DURE0004", "Dure itself failed", 500, ExitCodes.Failed,
        "This is a bug. Run `dure support` and report it with the archive.");

    public static readonly ErrorKind NotReady = new("DURE0005", "The server is starting or stopping", 503, ExitCodes.Unavailable,
        "Try again in a moment.");

    public static readonly ErrorKind NotSignedIn = new("DURE0006", "Nobody is signed in", 401, ExitCodes.Denied,
        "On the server's machine the owner's token is in keys/owner.token of the data folder; `dure token create` makes others.");

    public static readonly ErrorKind NotAllowed = new("DURE0007", "The token does not allow this", 403, ExitCodes.Denied,
        "Use a token with the scope that the detail names; `dure token create NAME --scope SCOPE` makes one.");

    public static readonly ErrorKind AddressInUse = new("DURE0008", "The address is in use", 500, ExitCodes.Conflict,
        "Stop what listens there, or choose another port: --port, or the setting that is named, in dure.yaml or with --set.");

    public static readonly ErrorKind DatabaseHeld = new("DURE0009", "Another program has the database open", 500, ExitCodes.Conflict,
        "Close it (`fuser FILE` names it) and start again. To look at the data while Dure runs, look at a backup, or set database.exclusive to false.");
}
