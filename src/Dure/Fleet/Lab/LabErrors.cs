using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>Failures of the lab.</summary>
public static class LabErrors
{
    public static readonly ErrorKind NotPossible = new("DURE0840", "This machine cannot hold a lab", 500, ExitCodes.Missing,
        "A lab needs Linux, root, and the programs that `dure lab up --yes` installs.");

    public static readonly ErrorKind NoSuchLab = new("DURE0841", "There is no such lab", 404, ExitCodes.NotFound,
        "`dure lab up` makes one; --name says which.");

    public static readonly ErrorKind NoSuchMachine = new("DURE0842", "The lab has no such machine", 404, ExitCodes.NotFound,
        "`dure lab status` names the machines of the lab. Nothing else is ever touched.");

    public static readonly ErrorKind NotOurs = new("DURE0843", "Something stands there that the lab did not make", 409, ExitCodes.Conflict,
        "It was left as it is. Give the lab another name, or remove by hand what is named.");

    public static readonly ErrorKind StepFailed = new("DURE0844", "A program that the lab runs failed", 500, ExitCodes.Failed,
        "Read what it said, put it right and try again; `dure lab down` always cleans up.");

    public static readonly ErrorKind NotUp = new("DURE0845", "A machine of the lab did not come up", 504, ExitCodes.Failed,
        "Its console is in the file that is named. `dure lab power on` tries again.");

    public static readonly ErrorKind NoEffect = new("DURE0846", "The fault did not take effect", 500, ExitCodes.Failed,
        "What was measured is named. Whatever was concluded from this fault is void.");

    public static readonly ErrorKind WrongState = new("DURE0847", "The machine is not in the state for that", 409, ExitCodes.Conflict,
        "`dure lab status` shows which machines are on and whose network is cut.");

    public static readonly ErrorKind NoPackages = new("DURE0848", "Packages for the lab cannot be had", 502, ExitCodes.Failed,
        "Check the names, and that this machine reaches its package mirror.");

    public static readonly ErrorKind NoSubnet = new("DURE0849", "No subnet is free for the lab", 409, ExitCodes.Conflict,
        "All of 10.77.0.0/16 is routed or used by labs here: end a lab with `dure lab down`.");

    public static readonly ErrorKind BadSpec = new("DURE0850", "The lab cannot be as asked", 400, ExitCodes.Usage,
        "Names are letters, digits and -, and begin with a letter; every machine has an address of its own from 2 to 253.");

    public static readonly ErrorKind Busy = new("DURE0851", "Another dure is at work on this", 409, ExitCodes.Conflict,
        "Wait until it has ended and try again.");

    public static readonly ErrorKind ImagesInUse = new("DURE0852", "Labs use these images", 409, ExitCodes.Conflict,
        "End them with `dure lab down` first.");
}
