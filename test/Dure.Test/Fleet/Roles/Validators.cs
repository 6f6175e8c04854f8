namespace Dure.Test.Fleet.Roles;

/// <summary>The roots that tests of roles share.</summary>
internal static class Validators
{
    /// <summary>What stands between clients and services, and what watches it.</summary>
    public static ValidatorRoot Traffic { get; } = ValidatorRoot.Of(
        "traffic",
        ["haproxy", "keepalived", "nginx-light", "prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "nftables", "systemd", "ssl-cert", "openssl"],
        ["haproxy", "prometheus"]);
}
