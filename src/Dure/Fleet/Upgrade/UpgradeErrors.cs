using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>Failures of <c>dure upgrade</c>.</summary>
public static class UpgradeErrors
{
    public static readonly ErrorKind ChoiceUnclear = new("DURE0814", "What is to be upgraded is not clear", 400, ExitCodes.Usage,
        "Say --dure for Dure itself, or --packages for packages of the distribution. Without either, both are shown and nothing is changed.");

    public static readonly ErrorKind NotHealthy = new("DURE0815", "The fleet is not healthy", 503, ExitCodes.Unavailable,
        "Nothing more was changed. Mend what is named, or see `dure apply`, and run the same command again: what is upgraded already is not touched again.");

    public static readonly ErrorKind PackagesUnread = new("DURE0816", "A machine cannot say which packages are newer", 503, ExitCodes.Unavailable,
        "Run apt-get update and apt-get upgrade --simulate on the machine by hand and correct what they complain about. Nothing was changed.");

    public static readonly ErrorKind NoWayBack = new("DURE0817", "A package's installed version cannot be kept", 409, ExitCodes.Conflict,
        "The archive has it no more. Install dpkg-repack on the machine, and it is made from what is installed; or say --no-way-back, and these packages stay new if the upgrade fails.");

    public static readonly ErrorKind Returned = new("DURE0818", "An upgrade failed and the machine runs the old version again", 500, ExitCodes.Failed,
        "Read what the machine said. Machines that were upgraded before keep the new version; machines that were not begun are as they were.");

    public static readonly ErrorKind NotReturned = new("DURE0819", "An upgrade failed and the way back failed too", 500, ExitCodes.Failed,
        "Look at the machine by hand. The old packages lie in /var/lib/dure-fleet/upgrades/ID/debs, and what was said beside them in told and back.log.");

    public static readonly ErrorKind NotShared = new("DURE0820", "Blue and green need two machines behind a balancer", 409, ExitCodes.Conflict,
        "Give two machines the role web and one the role balancer, or leave --blue-green out.");

    public static readonly ErrorKind DoorShut = new("DURE0821", "A balancer does not do as it is told", 503, ExitCodes.Unavailable,
        "Look at HAProxy on the balancer that is named. Machines that were taken out of its traffic come back by themselves within half an hour.");
}
