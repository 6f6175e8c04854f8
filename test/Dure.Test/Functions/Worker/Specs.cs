using System.Diagnostics;
using Dure.Functions.Worker;

namespace Dure.Test.Functions.Worker;

/// <summary>Sandboxes that tests ask for.</summary>
internal static class Specs
{
    private static readonly SandboxLimits Limits = new(128L << 20, 0, 64, 16L << 20, 1024);

    /// <summary>Runs a shell script to its end.</summary>
    public static SandboxSpec Shell(string script) => Run("/bin/bash", "-c", script);

    /// <summary>Runs a Python program to its end.</summary>
    public static SandboxSpec Python(string program) => Run("/usr/bin/python3", "-I", "-S", "-c", program);

    /// <summary>Runs a command to its end.</summary>
    public static SandboxSpec Run(params string[] command) =>
        new(SandboxMode.Run, null, command, null, null, new Dictionary<string, string>(StringComparer.Ordinal), [], SandboxNetwork.None, Limits, []);

    /// <summary>Living processes whose command line holds a word, zombies not counted.</summary>
    public static List<int> Alive(string word)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid)) continue;
            try
            {
                if (File.ReadAllText(folder + "/cmdline").Contains(word, StringComparison.Ordinal)
                    && !File.ReadAllText(folder + "/status").Contains("State:\tZ", StringComparison.Ordinal)) found.Add(pid);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return found;
    }

    /// <summary>Waits until something is so.</summary>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> UntilAsync(Func<bool> condition, TimeSpan most)
    {
        var waited = Stopwatch.StartNew();
        while (!condition() && waited.Elapsed < most) await Task.Delay(5);
        return waited.Elapsed;
    }
}
