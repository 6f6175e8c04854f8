using Dure.Host;

namespace Dure.Edge;

/// <summary>Failures of doors: DURE0950 to DURE0969.</summary>
public static class EdgeErrors
{
    public static readonly ErrorKind NginxMissing = new("DURE0950", "The edge machine has no nginx that reads published apps", 503, ExitCodes.Missing,
        "Install nginx there and include the folder that is named inside the server block that faces the world; a fleet's `edge` role does both.");

    public static readonly ErrorKind PathTaken = new("DURE0951", "Somebody else's configuration serves this path on the edge", 409, ExitCodes.Conflict,
        "Publish under another id or prefix, or take the location that is named out of that file. It was not touched.");

    public static readonly ErrorKind Refused = new("DURE0952", "nginx on the edge refuses the configuration", 500, ExitCodes.Failed,
        "Read what `nginx -t` says. Everything is as it was, and the version that was live stays live.");

    public static readonly ErrorKind NotSeen = new("DURE0953", "The public address does not show the new version", 502, ExitCodes.Failed,
        "`dure apps doctor ID` names the first broken link. The edge was put back as it was.");

    public static readonly ErrorKind NoLog = new("DURE0936", "The edge's log of the app cannot be read", 502, ExitCodes.Failed,
        "Run the ssh command that is named; `dure apps doctor ID` walks the way to the edge.");

    public static readonly ErrorKind WafMissing = new("DURE0954", "The edge machine has no web application firewall", 503, ExitCodes.Missing,
        "Run on it: apt-get install libnginx-mod-http-modsecurity modsecurity-crs. Or set apps.waf to off.");

    public static readonly ErrorKind WafLogMissing = new("DURE0955", "There is no log of the web application firewall", 404, ExitCodes.NotFound,
        "It begins with the first request that is refused. Say where it is with --file, or which machine's with --edge.");
}
