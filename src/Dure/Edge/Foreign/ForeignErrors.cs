using Dure.Host;

namespace Dure.Edge.Foreign;

/// <summary>Failures of taking over what somebody wrote into the edge's nginx: DURE0985 to DURE0989.</summary>
public static class ForeignErrors
{
    public static readonly ErrorKind NotTaken = new("DURE0985", "The location on the edge cannot be taken over", 409, ExitCodes.Conflict,
        "Make the lines that are named simpler, or take the location out by hand and publish. Nothing was changed.");

    public static readonly ErrorKind Unreached = new("DURE0986", "The edge does not reach the new version", 502, ExitCodes.Failed,
        "Let the firewall of this machine let the edge reach ports apps.port_first to apps.port_last at apps.address. Nothing was changed.");

    public static readonly ErrorKind Changed = new("DURE0987", "The edge's configuration changed meanwhile", 409, ExitCodes.Conflict,
        "Reload nginx there when it has not read the file that is named, then run the command again. Everything is as it was.");
}
