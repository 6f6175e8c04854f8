using Dure.Host;

namespace Dure.Apps.Adopting;

/// <summary>Failures of taking over what is served by hand: DURE0980 to DURE0984.</summary>
public static class AdoptErrors
{
    public static readonly ErrorKind NotFound = new("DURE0980", "Nothing that is served by hand has this name", 404, ExitCodes.NotFound,
        "`dure apps adopt` lists what was found; `--state FILE` names a list of ports that it did not find.");

    public static readonly ErrorKind InTheWay = new("DURE0981", "Something stands in the way of taking it over", 409, ExitCodes.Conflict, "Mend what is listed, then run it again. Nothing was changed.");

    public static readonly ErrorKind NoSystemd = new("DURE0982", "Only services of systemd can be taken over", 409, ExitCodes.Missing,
        "Run Dure's server as root under systemd on the machine that serves them.");

    public static readonly ErrorKind NoEdge = new("DURE0983", "There is no edge whose locations could be taken over", 409, ExitCodes.Usage,
        "Set apps.edge, apps.address and apps.public_url in dure.yaml; without an edge, `dure publish` the folder and stop the old service.");

    public static readonly ErrorKind StateUnread = new("DURE0984", "The list of ports cannot be read", 422, ExitCodes.Usage,
        "It is JSON that names apps and their ports, such as {\"attention\": {\"port\": 27003}}.");
}
