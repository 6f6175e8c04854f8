using System.Globalization;
using System.Text;
using Dure.Host.Configuration;
using Dure.Host.Ssh;

namespace Dure.Apps.Linking;

/// <summary>
/// The way from an edge in public to a machine behind a home router: an ssh session that this machine opens and keeps open, with ports of the edge's own 127.0.0.1 that lead here.
/// Pure text: what is written on both machines.
/// </summary>
internal sealed class Tunnel(AppsOptions apps)
{
    public const string Unit = "dure-tunnel.service";
    public const string UnitPath = "/etc/systemd/system/" + Unit;
    public const string Key = "/etc/dure/tunnel_ed25519";

    /// <summary>A user of the edge that can do nothing but this.</summary>
    public const string User = "dure-tunnel";

    /// <summary>Each port is a listener of the edge's sshd, which has a thousand files to open.</summary>
    public const int PortsMost = 100;

    private const string SshdPath = "/etc/ssh/sshd_config.d/50-dure-tunnel.conf";

    /// <summary>Whether the edge reaches this machine only through one.</summary>
    public static bool Needed(AppsOptions apps) => apps.Edge is not null && System.Net.IPAddress.TryParse(apps.Address, out var address) && System.Net.IPAddress.IsLoopback(address);

    /// <summary>The last port that an app may have: fewer than elsewhere where each has to lead through a tunnel.</summary>
    public static int LastPort(AppsOptions apps) => Needed(apps) ? Math.Min(apps.PortLast, apps.PortFirst + PortsMost - 1) : apps.PortLast;

    /// <summary>The service that keeps it up: a session that went quiet is given up after 15 seconds and opened again.</summary>
    public string UnitText()
    {
        var text = new StringBuilder();
        void Line(string line = "") => text.Append(line).Append('\n');
        Line("# Made by `dure apps link`.");
        Line("[Unit]");
        Line($"Description=Tunnel of published apps to {apps.Edge}");
        Line("Wants=network-online.target");
        Line("After=network-online.target");
        Line("StartLimitIntervalSec=0");
        Line();
        Line("[Service]");
        Line("Type=exec");
        Line($"ExecStart={string.Join(" \\\n    ", Words().Select(Quoted))}");
        Line("Restart=always");
        Line("RestartSec=2s");
        Line();
        Line("[Install]");
        Line("WantedBy=multi-user.target");
        return text.ToString();
    }

    /// <summary>What makes the edge ready, as root there.</summary>
    /// <param name="publicKey">Of <see cref="Key"/>.</param>
    public static string EdgeScript(string publicKey) =>
        $$"""
        set -eu
        umask 022
        command -v sshd >/dev/null || PATH=$PATH:/usr/sbin
        id {{User}} >/dev/null 2>&1 || useradd --system --create-home --home-dir /var/lib/{{User}} --shell /usr/sbin/nologin {{User}}
        mkdir -p /var/lib/{{User}}/.ssh
        keys=/var/lib/{{User}}/.ssh/authorized_keys
        line={{Shell.Word($"restrict,port-forwarding,permitlisten=\"127.0.0.1:*\" {publicKey.Trim()}")}}
        grep -qsxF "$line" "$keys" || echo "$line" >>"$keys"
        chown -R {{User}}: /var/lib/{{User}}/.ssh
        chmod 700 /var/lib/{{User}}/.ssh
        chmod 600 "$keys"
        base64 -d >{{SshdPath}}.dure-new {{Shell.Input(SshdText).TrimEnd('\n')}}
        grep -qsE '^[[:space:]]*Include[[:space:]]+/etc/ssh/sshd_config.d' /etc/ssh/sshd_config || { rm {{SshdPath}}.dure-new; echo '/etc/ssh/sshd_config does not include /etc/ssh/sshd_config.d/*.conf'; exit 1; }
        if cmp -s {{SshdPath}}.dure-new {{SshdPath}}; then rm {{SshdPath}}.dure-new; exit 0; fi
        mv {{SshdPath}}.dure-new {{SshdPath}}
        sshd -t 2>&1 || { rm {{SshdPath}}; exit 1; }
        systemctl reload ssh 2>/dev/null || systemctl reload sshd

        """;

    /// <summary>Takes it away again.</summary>
    public const string EdgeRemoval =
        $$"""
        rm -f {{SshdPath}}
        systemctl reload ssh 2>/dev/null || systemctl reload sshd || :
        pkill -u {{User}} 2>/dev/null || :
        if id {{User}} >/dev/null 2>&1; then userdel -r {{User}} 2>/dev/null; fi

        """;

    // A session that was cut off would hold its ports for hours: the edge asks every five seconds whether anybody is there.
    private const string SshdText =
        $"""
        # Made by `dure apps link`.
        Match User {User}
            AllowTcpForwarding remote
            PermitTTY no
            X11Forwarding no
            AllowAgentForwarding no
            ClientAliveInterval 5
            ClientAliveCountMax 3

        """;

    /// <summary>The ssh client and its words.</summary>
    public IReadOnlyList<string> Words()
    {
        List<string> words = ["/usr/bin/ssh", "-N", "-T"];
        if (apps.SshConfig.Length > 0)
            words.AddRange(["-F", apps.SshConfig]);
        foreach (var option in new[]
        {
            "BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=5", "ServerAliveCountMax=3", "ConnectTimeout=10", "ControlMaster=no", "ControlPath=none", "IdentitiesOnly=yes",
        })
            words.AddRange(["-o", option]);
        words.AddRange(["-i", Key, "-l", User]);
        for (var port = apps.PortFirst; port <= LastPort(apps); port++)
            words.AddRange(["-R", Forward(port)]);
        // Who may enter is asked here, and what sleeps is woken from here.
        foreach (var port in new[] { apps.GatekeeperPort, apps.WakePort }.Where(port => port != 0))
            words.AddRange(["-R", Forward(port)]);
        return [.. words, apps.Edge!.Split('@')[^1]];
    }

    private static string Forward(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}:127.0.0.1:{port}");

    private static string Quoted(string word) => word.All(c => char.IsAsciiLetterOrDigit(c) || "/._-:@=,".Contains(c, StringComparison.Ordinal)) ? word
        : "\"" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal) + "\"";
}
