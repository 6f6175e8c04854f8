using System.Diagnostics;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>Starts what goes on when we end.</summary>
internal static class Detached
{
    // It is in its control group before it is anything else: whoever ends the lab finds it, even when we die right now.
    private const string Script =
        """
        log=$1; shift
        while [ "$1" != -- ]; do echo $$ >"$1" || exit 1; shift; done
        shift
        exec "$@" </dev/null >>"$log" 2>&1
        """;

    /// <summary>This program. Under a test runner it is the one beside the tests.</summary>
    public static string Dure => Path.GetFileName(Environment.ProcessPath) == "dure" ? Environment.ProcessPath! : Path.Combine(AppContext.BaseDirectory, "dure");

    /// <summary>Starts a program; the words must keep the process (exec only).</summary>
    /// <param name="groups">Files to write its process id to.</param>
    /// <param name="log">Where its output is added to.</param>
    public static ProcessMark Start(IReadOnlyList<string> groups, string log, IReadOnlyList<string> words)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, "sh", log, .. groups, "--", .. words]) { UseShellExecute = false, WorkingDirectory = "/" };
        OnPool.Clean(start.Environment);
        using var process = Process.Start(start)!;
        return ProcessMark.Of(process.Id) ?? new(process.Id, -1);
    }
}
