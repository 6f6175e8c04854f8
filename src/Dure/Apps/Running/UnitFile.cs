using System.Globalization;
using System.Text;
using System.Security.Cryptography;

namespace Dure.Apps.Running;

/// <summary>The systemd unit of one version.</summary>
internal static class UnitFile
{
    public const string Mark = "# Made by Dure";

    /// <summary>Where the unit sees the version's folder.</summary>
    private const string Inside = "/run/dure-app";

    private const int UserLengthMax = 31;

    public static string NameOf(string id, int number) => FormattableString.Invariant($"paper-{id}@{number}.service");

    /// <summary>The user that every version of an app runs as; systemd makes it up while one runs.</summary>
    public static string UserOf(string id) => "paper-" + id is { Length: <= UserLengthMax } name ? name
        : $"paper-{id[..16].TrimEnd('-')}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..8]}";

    /// <param name="readable">Folders that it needs and that lie where it sees nothing: its virtual environment and that one's interpreter.</param>
    public static string Of(AppRun run, IReadOnlyList<string> readable)
    {
        var text = new StringBuilder();
        void Line(string line = "") => text.Append(line).Append('\n');
        Line($"{Mark}: {run.Tag}. Changes by hand are lost with the next publish.");
        Line("[Unit]");
        Line(string.Create(CultureInfo.InvariantCulture, $"Description=Published app {run.Id}, version {run.Number}"));
        Line("Wants=network-online.target");
        Line("After=network-online.target");
        Line("StartLimitIntervalSec=0");
        Line();
        Line("[Service]");
        Line("Type=exec");
        Line($"ExecStart=/bin/sh {Inside}/run");
        Line($"WorkingDirectory={Inside}/src");
        foreach (var (name, value) in run.Environment())
            Line($"Environment={Quoted($"{name}={value}")}");
        Line($"Environment=HOME=/var/lib/dure-apps/{run.Id}");
        Line("Restart=always");
        Line("RestartSec=1s");
        Line("TimeoutStopSec=10s");
        Line("KillMode=mixed");
        Line();
        Line("# A user of its own that owns nothing but the folder of the app's state.");
        Line("DynamicUser=yes");
        Line($"User={UserOf(run.Id)}");
        Line($"StateDirectory=dure-apps/{run.Id}");
        Line("UMask=0077");
        Line("ProtectHome=tmpfs");
        Line($"BindReadOnlyPaths={Quoted(run.Folder)}:{Inside}");
        foreach (var folder in readable)
            Line($"BindReadOnlyPaths={Quoted(folder)}");
        foreach (var switched in new[]
        {
            "NoNewPrivileges", "PrivateTmp", "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
            "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
        })
            Line($"{switched}=yes");
        Line("ProtectSystem=strict");
        Line("ProtectProc=invisible");
        Line("CapabilityBoundingSet=");
        Line("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK");
        Line("SystemCallArchitectures=native");
        Line("SystemCallFilter=@system-service");
        Line("SystemCallErrorNumber=EPERM");
        if (run.Spec.Gpus == "none")
            Line("PrivateDevices=yes");
        if (run.Spec.MemoryBytes is { } memory)
        {
            Line(string.Create(CultureInfo.InvariantCulture, $"MemoryHigh={memory / 10 * 9}"));
            Line(string.Create(CultureInfo.InvariantCulture, $"MemoryMax={memory}"));
            Line("OOMPolicy=stop");
        }

        Line();
        Line("[Install]");
        Line("WantedBy=multi-user.target");
        return text.ToString();
    }

    // systemd reads quotes and backslashes as C does, % as specifiers, and in a value of Environment nothing else.
    private static string Quoted(string text) =>
        "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal) + "\"";
}
