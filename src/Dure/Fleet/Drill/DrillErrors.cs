using Dure.Host;

namespace Dure.Fleet.Drill;

/// <summary>Failures of drills. That an objective was missed is none of them: it is a result, with exit code 1.</summary>
public static class DrillErrors
{
    public static readonly ErrorKind Unknown = new("DURE0870", "There is no such drill", 404, ExitCodes.NotFound,
        "`dure drill list` names the drills of this fleet.");

    public static readonly ErrorKind NotWhole = new("DURE0871", "The fleet is not whole before the drill", 409, ExitCodes.Conflict,
        "Put right what is named first: a fault on top of another proves nothing, and could stop the fleet. `dure apply` shows every health check.");

    public static readonly ErrorKind NoLeader = new("DURE0872", "The target does not hold the role", 409, ExitCodes.Conflict,
        "Exactly one machine must lead when a fault is aimed at the leader. Ask the machines that are named who does.");

    public static readonly ErrorKind NotLanded = new("DURE0873", "The fault did not land", 500, ExitCodes.Failed,
        "Nothing is concluded from this drill. What was done and seen is named.");

    public static readonly ErrorKind NothingAcknowledged = new("DURE0874", "Clients got nothing even without a fault", 409, ExitCodes.Conflict,
        "A drill whose clients are never served would print that nothing was lost. Read each client's error.");

    public static readonly ErrorKind NeedsLab = new("DURE0875", "This fault needs a lab", 400, ExitCodes.Usage,
        "Power, cables and disks can be taken away in a lab only: `dure lab up`, then --lab NAME. Over SSH there are process kills and the rolling reboot.");

    public static readonly ErrorKind LabDiffers = new("DURE0876", "The lab does not hold this fleet", 409, ExitCodes.Conflict,
        "Every machine of the file must be the lab's machine of the same name and address. `dure lab up` writes such a file.");

    public static readonly ErrorKind NotWholeAgain = new("DURE0877", "The fleet did not become whole again", 500, ExitCodes.Failed,
        "The series ended there. What is still missing is named; `dure apply` shows every health check.");

    public static readonly ErrorKind NotNamed = new("DURE0878", "The fleet's name was not typed", 400, ExitCodes.Usage,
        "A drill on real machines interrupts the people who use them. Type the fleet's name when asked, or give it with --confirm.");

    public static readonly ErrorKind NoClient = new("DURE0879", "A client of a tier cannot begin", 500, ExitCodes.Failed,
        "The tier and what it said are named.");
}
