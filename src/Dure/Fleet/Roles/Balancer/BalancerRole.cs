using Dure.Fleet.Desired;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>The door of a fleet: a virtual address that one of the balancers holds (Keepalived), and HAProxy on all of them.</summary>
internal static class BalancerRole
{
    public const string Name = "balancer";

    /// <summary>The service that others of the fleet depend on when clients come through the virtual address.</summary>
    public const string Service = "Virtual address";

    /// <summary>What HAProxy answers by itself, whatever is behind it.</summary>
    public const string HealthPath = "/balancer/health";

    public const string TlsFile = "/etc/haproxy/tls/fleet.pem";

    private const string ConfigFile = "/etc/haproxy/haproxy.cfg";
    private const string KeepalivedFile = "/etc/keepalived/keepalived.conf";
    private const string KeepalivedDropIn = "/etc/systemd/system/keepalived.service.d/dure.conf";
    private const string HaproxyDropIn = "/etc/systemd/system/haproxy.service.d/dure.conf";
    private const string InterfaceScript = "/usr/local/lib/dure/front-interface";
    private const string HolderScript = "/usr/local/lib/dure/holds-vip";

    public static readonly RoleKind Kind = new(Name, "The door: a virtual address that moves to another machine within a second (Keepalived), and HAProxy that shares requests out.", Build)
    {
        Settings = BalancerSettings.All,
        Secrets = static fleet => fleet.Get(BalancerSettings.Tls)
            ? [new("tls", "Certificate with its chain and private key (PEM) of the fleet's domain.", SecretKind.Given)]
            : [],
        Ports = BalancerPorts.Of,
        Services = static _ => [new(Service, "vip", new Condition.AnyOf(Name))],
        Demand = static _ => new(0.5, 256L << 20, 1L << 30),
        Check = BalancerChecks.Of,
        Rolling = true,
        Leads = $"test ! -e {HolderScript} || {HolderScript}",
    };

    private static void Build(RoleScope scope)
    {
        var tls = scope.Get(BalancerSettings.Tls);
        scope.Package("haproxy", "curl", "openssl");
        if (tls)
        {
            scope.Folder("/etc/haproxy/tls", "0700")
                .File(TlsFile, PemText(scope.Secret("tls")), file => file with { Mode = "0600", Secret = true, Check = "openssl x509 -noout -in \"$new\" && openssl pkey -noout -in \"$new\"" });
        }

        scope.File(ConfigFile, HaproxyConfig.Of(scope), file => file with { Check = "haproxy -c -f \"$new\"" });
        if (scope.Fleet.Front is { Vip: { } vip } front)
            AddKeepalived(scope, front, vip.ToString());
        scope.Unit("haproxy.service", with: unit => unit with { RestartOn = scope.Fleet.Front is null ? [] : [HaproxyDropIn], ReloadOn = tls ? [ConfigFile, TlsFile] : [ConfigFile] });
        if (scope.Fleet.Front is not null)
            scope.Unit("keepalived.service", with: unit => unit with { RestartOn = [KeepalivedDropIn, InterfaceScript], ReloadOn = [KeepalivedFile] });
        scope.Healthy("HAProxy works", $"curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:{BalancerPorts.Internal}/alive");
        if (scope.Fleet.Front is { Vip: { } address })
            scope.Healthy("The virtual address answers", $"curl -fsSk -o /dev/null --max-time 2 {(tls ? "https" : "http")}://{Quoting.Host(address)}{HealthPath}");
    }

    private static void AddKeepalived(RoleScope scope, Network front, string vip)
    {
        var address = (scope.Machine.On(front.Name) ?? scope.Address).ToString();
        scope.Package("keepalived");
        scope.File(InterfaceScript, $"#!/bin/sh\n# Tells Keepalived which interface has this machine's address: interfaces are called differently everywhere.\nset -eu\n{KeepalivedConfig.FindInterface(address)}\n",
            file => file with { Mode = "0755" });
        scope.File(HolderScript, $"#!/bin/sh\n# Exits with 0 on the balancer that holds the virtual address.\nip -o addr show to {vip} | grep -q .\n", file => file with { Mode = "0755" });
        scope.File(HaproxyDropIn,
            $"""
            # Keepalived watches this file, and gives up the virtual address as soon as HAProxy ends, whatever ended it.
            [Unit]
            StartLimitIntervalSec=0

            [Service]
            ExecStartPost=/bin/sh -c 'mkdir -p /run/dure && echo 0 >{KeepalivedConfig.HaproxyDown}'
            ExecStopPost=/bin/sh -c 'mkdir -p /run/dure && echo 1 >{KeepalivedConfig.HaproxyDown}'

            """);
        scope.File(KeepalivedDropIn,
            $"""
            # At boot the address may come later than Keepalived: it is tried until it is there.
            [Unit]
            StartLimitIntervalSec=0

            [Service]
            ExecStartPre={InterfaceScript}
            Restart=always
            RestartSec=500ms

            """);
        scope.File(KeepalivedFile, KeepalivedConfig.Of(scope, front), file => file with
        {
            Mode = "0600",
            Secret = scope.Get(BalancerSettings.AuthPass).Length > 0,
            Check = $"set -eu\n{KeepalivedConfig.FindInterface(address)}\nkeepalived -t -f \"$new\"",
        });
    }

    private static string PemText(string secret) => secret.TrimEnd() + "\n";
}
