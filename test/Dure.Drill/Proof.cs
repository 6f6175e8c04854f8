using Dure.Test.Processes;

namespace Dure.Drill;

/// <summary>Shows that the checks notice what they are for: builds dure with one safeguard left out and expects its drill to fail.</summary>
internal static class Proof
{
    private static readonly (string Break, string Only, string Expect)[] Breaks =
    [
        ("FSYNC", "kill server", "acknowledged and is lost"),
        ("FENCING", "hang worker", "still worked"),
        ("LEASE", "hang worker", "never ended"),
    ];

    /// <summary>Runs each.</summary>
    /// <returns>0 when every broken build was found out.</returns>
    public static async Task<int> RunAsync(DrillOptions options)
    {
        var source = Repository.Root;
        var missed = 0;
        using var folder = new Scratch();
        foreach (var (name, only, expect) in Breaks)
        {
            var (code, text) = await Child.RunAsync(CancellationToken.None, "dotnet", "build", Path.Combine(source, "src", "Dure"), "-c", "Release", "-v", "q",
                $"-p:DefineConstants=DURE_BREAK_{name}", $"-p:ArtifactsPath={folder[name]}");
            if (code != 0)
                throw new InvalidOperationException($"{name} does not build: {text}");
            // The runtimes are looked for above the executable.
            Directory.CreateSymbolicLink(folder[name, "runtimes"], Path.Combine(source, "runtimes"));
            var program = folder[name, "bin", "Dure", "release", "dure"];
            var (end, said) = await Child.RunAsync(CancellationToken.None, Environment.ProcessPath!, "--seed", options.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
                "--faults", "6", "--minutes", "0.4", "--only", only, "--program", program, "--loose");
            var found = end == 1 && said.Contains(expect, StringComparison.Ordinal);
            missed += found ? 0 : 1;
            Console.WriteLine($"{name}: {(found ? "found out" : "NOT FOUND OUT")}");
            Console.WriteLine(string.Join('\n', said.Split('\n').Where(l => l.Contains("VIOLATION", StringComparison.Ordinal)).Take(3)) + (found ? "" : "\n" + said));
        }
        return missed == 0 ? 0 : 1;
    }
}
