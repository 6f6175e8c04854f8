namespace Dure.Test.Fleet.Roles;

/// <summary>The roots that tests of roles share.</summary>
internal static class Validators
{
    /// <summary>What stands between clients and services, and what watches it.</summary>
    public static ValidatorRoot Traffic { get; } = ValidatorRoot.Of(
        "traffic",
        ["haproxy", "keepalived", "nginx", "prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "nftables", "curl", "iproute2", "iputils-ping", "util-linux", "openssl"],
        ["haproxy", "prometheus"]);
}
