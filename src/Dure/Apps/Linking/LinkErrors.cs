using Dure.Host;

namespace Dure.Apps.Linking;

/// <summary>Failures of the tunnel to an edge that cannot reach this machine: DURE0940 to DURE0944.</summary>
public static class LinkErrors
{
    public static readonly ErrorKind NotNeeded = new("DURE0940", "This machine needs no tunnel", 409, ExitCodes.Usage,
        "A tunnel is for `apps.edge` without `apps.address`: the edge then finds the apps at its own 127.0.0.1. With an address, it goes there by itself.");

    public static readonly ErrorKind NoSystemd = new("DURE0941", "A tunnel is kept up by systemd, as root", 409, ExitCodes.Missing, "Run it with sudo on a machine that runs systemd.");

    public static readonly ErrorKind EdgeRefused = new("DURE0942", "The edge machine cannot be made ready for a tunnel", 502, ExitCodes.Failed, "Read what it says. `dure apps link` begins from the start and may be run again.");

    public static readonly ErrorKind NotUp = new("DURE0943", "The tunnel does not come up", 503, ExitCodes.Unavailable, "Read its last lines: journalctl -u dure-tunnel. systemd goes on trying.");
}
