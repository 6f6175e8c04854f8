using Dure.Host;

namespace Dure.Edge.Certificates;

/// <summary>Failures of <c>dure cert</c>: DURE0970 to DURE0979.</summary>
public static class CertificateErrors
{
    public static readonly ErrorKind NoCertbot = new("DURE0970", "The edge machine has no certbot", 503, ExitCodes.Missing, "Run on it: apt-get install certbot.");

    public static readonly ErrorKind NotShown = new("DURE0971", "nginx does not show what the authority would look for", 502, ExitCodes.Failed,
        "Include the folder of published apps in the server block that answers this host on port 80, or send /.well-known/acme-challenge/ there.");

    public static readonly ErrorKind Refused = new("DURE0972", "The authority, or certbot, refuses", 502, ExitCodes.Failed,
        "Read its last lines. The name has to lead to this machine in the public DNS, and port 80 has to be open to the world.");

    public static readonly ErrorKind BadHost = new("DURE0973", "This is no host name", 422, ExitCodes.Usage, "Give a name such as lab.example; addresses and wildcards cannot be proven this way.");

    public static readonly ErrorKind NoEdge = new("DURE0974", "No edge machine is named", 422, ExitCodes.Usage, "Say --edge USER@HOST, or set apps.edge.");

    public static readonly ErrorKind Due = new("DURE0975", "A certificate is about to expire or is not taken", 503, ExitCodes.Failed, "Run `dure cert renew`, and see why its timer did not: systemctl status certbot.timer on the edge.");
}
