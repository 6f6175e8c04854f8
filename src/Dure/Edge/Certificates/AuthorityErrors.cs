using Dure.Host;

namespace Dure.Edge.Certificates;

/// <summary>Failures of the internal authority: DURE0976 to DURE0979, and DURE0965 to DURE0967.</summary>
public static class AuthorityErrors
{
    public static readonly ErrorKind Missing = new("DURE0976", "There is no internal authority", 404, ExitCodes.NotFound, "Make one: dure cert ca init --names lab.internal. Or say where it is with --ca.");

    public static readonly ErrorKind Exists = new("DURE0977", "There is an internal authority already", 409, ExitCodes.Conflict, "Another root is another authority: give it a folder of its own with --ca.");

    public static readonly ErrorKind Outside = new("DURE0978", "The authority may not vouch for this name", 422, ExitCodes.Usage, "Choose a name below its own, or make an authority for the others.");

    public static readonly ErrorKind Age = new("DURE0979", "age cannot be used", 503, ExitCodes.Missing, "Install age; say with --identity which key opens the root's.");

    public static readonly ErrorKind Unknown = new("DURE0965", "The authority gave no such certificate", 404, ExitCodes.NotFound, "`dure cert ca list` shows what it gave.");

    public static readonly ErrorKind Reload = new("DURE0966", "What should read the new certificate does not", 500, ExitCodes.Failed, "The files are new already. Read what the hook said, and run it by hand.");

    public static readonly ErrorKind BadName = new("DURE0967", "This is no domain, host or network", 422, ExitCodes.Usage, "Give names such as lab.internal or n1.lab.internal, and networks such as 10.0.0.0/8.");
}
