using Dure.Host.Programs;
using Dure.Test.Processes;

namespace Dure.Test.Portal.Browser;

/// <summary>A bit of everything on a server, so that no view is empty.</summary>
/// <param name="Failed">An invocation that failed.</param>
/// <param name="Ran">One that did not.</param>
internal sealed record SmallLab(string Failed, string Ran)
{
    private const string Counts = """
        import time

        def handler(event, context):
            print("\x1b[32mready\x1b[0m to count to", event.get("to", 3))
            for n in range(event.get("to", 3)):
                print("step", n)
            if event.get("fail"):
                raise ValueError("the detector was off: no counts in channel 7")
            return {"counted": event.get("to", 3)}
        """;

    /// <summary>Makes it.</summary>
    public static async Task<SmallLab> MakeAsync(RunningDure dure, CancellationToken cancel)
    {
        await dure.DeployAsync("counts", cancel, ("handler.py", Counts), ("function.yaml", "schedule: \"0 3 * * *\"\n"));
        await dure.DeployAsync("counts", cancel, ("handler.py", Counts + "\n# once more\n"), ("function.yaml", "schedule: \"0 4 * * *\"\n"));
        var ran = "";
        for (var n = 0; n < 3; n++)
        {
            ran = await dure.SubmitAsync("counts", $"{{\"to\":{n}}}", cancel);
            await dure.EndAsync(ran, cancel);
        }
        var failed = await dure.SubmitAsync("counts", """{"fail":true}""", cancel);
        await dure.EndAsync(failed, cancel);
        var file = Path.Combine(dure.Data, "reading.csv");
        await File.WriteAllTextAsync(file, "channel,counts\n1,42\n", cancel);
        await CommandAsync(dure, cancel, "bucket", "create", "readings");
        await CommandAsync(dure, cancel, "cp", file, "s3://readings/2026/reading.csv");
        return new(failed, ran);
    }

    /// <summary>Runs the command line against the server.</summary>
    public static async Task<string> CommandAsync(RunningDure dure, CancellationToken cancel, params string[] words)
    {
        var (code, text) = await Child.RunAsync(cancel, ["/usr/bin/env", "DURE_DATA=" + dure.Data, RunningDure.Program, .. words]);
        return code == 0 ? text : throw new InvalidOperationException($"dure {string.Join(' ', words)}: {text}");
    }
}
