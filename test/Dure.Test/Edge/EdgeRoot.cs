using Dure.Test.Fleet;

namespace Dure.Test.Edge;

/// <summary>The distribution's programs that an edge machine may have: fetched once for all tests of edges.</summary>
internal static class EdgeRoot
{
    public static readonly ValidatorRoot Programs = ValidatorRoot.Of(
        "edge",
        [
            "nginx", "libnginx-mod-http-modsecurity", "modsecurity-crs", "certbot", "pebble", "openssh-server", "openssh-client", "openssl", "ca-certificates", "curl", "python3", "python3-distutils|python3",
            "procps", "util-linux", "diffutils", "findutils", "bash", "iproute2", "hostname",
        ],
        ["sshd"]);
}
