using System.Diagnostics;
using System.Globalization;

namespace Dure.Host.Ssh;

/// <summary>How one machine is reached with the system's OpenSSH client: the user's configuration, agent, known hosts and jump hosts hold.</summary>
/// <param name="ControlFolder">Where connections wait to be used again, 0700; null opens a fresh one.</param>
internal sealed record SshTarget(string Machine, string Host, int Port, string User, string ConfigFile, string? ControlFolder)
{
    /// <summary>An idle connection is kept this long for the next command.</summary>
    public const int PersistSeconds = 120;

    /// <summary>Longest wait for a machine that does not answer.</summary>
    public const int ConnectSeconds = 10;

    /// <summary>A machine as ssh knows it.</summary>
    /// <param name="configFile">Empty for the user's own.</param>
    public static SshTarget Of(string name, string configFile) => new(name, name, 0, "", configFile, Ssh.ControlFolder.Make());

    /// <summary>The same machine over a connection of its own: what a new person who signs in would get.</summary>
    public SshTarget Fresh => this with { ControlFolder = null };

    /// <summary>The arguments of <c>ssh</c> up to the remote command.</summary>
    public IReadOnlyList<string> Arguments()
    {
        List<string> words = [];
        if (ConfigFile.Length > 0)
            words.AddRange(["-F", ConfigFile]);
        if (Port > 0)
            words.AddRange(["-p", Port.ToString(CultureInfo.InvariantCulture)]);
        if (User.Length > 0 && !Host.Contains('@', StringComparison.Ordinal))
            words.AddRange(["-l", User]);
        words.AddRange(["-T", "-o", "BatchMode=yes", "-o", $"ConnectTimeout={ConnectSeconds}", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=6", "-o", "LogLevel=ERROR"]);
        words.AddRange(ControlFolder is null
            ? ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
            : ["-o", "ControlMaster=auto", "-o", $"ControlPath={ControlFolder}/%C", "-o", $"ControlPersist={PersistSeconds}"]);
        words.AddRange(["--", Host]);
        return words;
    }

    /// <summary>The client, ready to start, with its three streams ours.</summary>
    /// <param name="command">What runs there; null for nothing.</param>
    /// <param name="first">Options that win over those of <see cref="Arguments"/>: the first value of an option counts.</param>
    public ProcessStartInfo Client(string? command, params IReadOnlyList<string> first) =>
        new("ssh", [.. first, .. Arguments(), .. command is null ? Array.Empty<string>() : [command]])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

    /// <summary>A command as root, through sudo where the user is not root: the first process is root's.</summary>
    public static string AsRoot(string command) => $"exec sh -c {Shell.Word($"if [ -O /proc/1 ]; then exec {command}; else exec sudo -n {command}; fi")}";

    /// <summary>What a person can type to see for himself.</summary>
    public string ByHand =>
        "ssh" + (ConfigFile.Length > 0 ? $" -F {ConfigFile}" : "") + (Port > 0 ? string.Create(CultureInfo.InvariantCulture, $" -p {Port}") : "")
        + (User.Length > 0 && !Host.Contains('@', StringComparison.Ordinal) ? $" -l {User}" : "") + $" {Host}";
}
