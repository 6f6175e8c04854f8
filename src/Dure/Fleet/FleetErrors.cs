using Dure.Host;

namespace Dure.Fleet;

/// <summary>Failures of the fleet's file and of what is done with it.</summary>
public static class FleetErrors
{
    public static readonly ErrorKind FileInvalid = new("DURE0800", "The fleet's file has faults", 400, ExitCodes.Usage,
        "Correct every place that is named. Nothing was touched. dure.fleet.example.yaml shows every key; `dure roles --schema` prints the schema for editors.");

    public static readonly ErrorKind FileMissing = new("DURE0801", "There is no fleet file", 404, ExitCodes.NotFound,
        "Name the file, go to its folder, or make one: `dure init`.");

    public static readonly ErrorKind MachineUnknown = new("DURE0802", "There is no such machine or role in the fleet", 404, ExitCodes.NotFound,
        "Use a name from the fleet's file.");

    public static readonly ErrorKind SecretMissing = new("DURE0803", "Secrets are missing", 404, ExitCodes.Missing,
        "`dure init --secrets` makes those that can be made and names those that only you can give.");

    public static readonly ErrorKind Busy = new("DURE0807", "Somebody else is applying there", 409, ExitCodes.Conflict,
        "Wait until that is done; the message says who it is.");

    public static readonly ErrorKind ApplyFailed = new("DURE0808", "A change failed and was undone", 500, ExitCodes.Failed,
        "Read what the machine said, correct it, and apply again. Machines that are not named as failed keep what was applied to them.");

    public static readonly ErrorKind CutOff = new("DURE0809", "A change cut the machine off and undid itself", 500, ExitCodes.Failed,
        "The machine put back what it had. Correct the network or the firewall in the file and apply again.");

    public static readonly ErrorKind CheckFailed = new("DURE0810", "The fleet has errors", 400, ExitCodes.Usage,
        "Correct what is named, or see `dure check` for all of it. Nothing was touched.");

    public static readonly ErrorKind ObservationUnread = new("DURE0811", "A machine's answer could not be understood", 500, ExitCodes.Failed,
        "Send the output of `dure support` along with what is shown; the machine was not changed.");

    public static readonly ErrorKind FileExists = new("DURE0812", "There is already a file", 409, ExitCodes.Conflict,
        "Name another with --output, or say --force to replace it.");

    public static readonly ErrorKind ApplyUnknown = new("DURE0813", "There is no such apply on record", 404, ExitCodes.NotFound,
        "`dure history` lists the applies that were run from this machine by this user.");
}
