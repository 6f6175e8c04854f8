using System.Globalization;
using Dure.Test.Functions.Engine;
using Dure.Test.Processes;

namespace Dure.Drill;

/// <summary>One drill: a real server under traffic and faults, then the checks and a report.</summary>
internal sealed class Drill(DrillOptions options)
{
    private const int Clients = 4;
    private const int DiskMebibytes = 640;
    private const double RestartWithin = 1;

    private readonly double _begun = Marks.Now;

    /// <summary>Runs it.</summary>
    /// <returns>0 when everything held, 1 when not.</returns>
    public async Task<int> RunAsync()
    {
        Say($"seed {options.Seed}, {options.Count} faults in {options.Minutes} minutes, {Environment.ProcessorCount} processors, load {Load()}");
        using var folder = new Scratch();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_001_001);
        var data = options.Data ?? folder["data"];
        var mounted = options.SmallDisk && await MountAsync(data);
        try
        {
            return await DrillAsync(options with { SmallDisk = mounted }, data);
        }
        finally
        {
            if (mounted)
                await Child.RunAsync(CancellationToken.None, "umount", "-l", data);
        }
    }

    private async Task<int> DrillAsync(DrillOptions chosen, string data)
    {
        string[] settings = ["functions.max_deaths=1000", "lease.duration=2s", "disk.refuse=1%", "disk.warn=2%", "log.level=debug"];
        await using var server = await RunningServer.StartAsync(settings, CancellationToken.None, program: chosen.Program, data: data);
        var client = new EngineClient(server, TimeProvider.System);
        await client.DeployAsync("marked-python", CancellationToken.None, ("handler.py", Marked.Python));
        await client.DeployAsync("marked-node", CancellationToken.None, ("handler.mjs", Marked.Node));
        using var marks = new Marks(Path.Combine(data, "run", "s"));
        using var over = new CancellationTokenSource();
        using var calm = new CancellationTokenSource();
        var following = marks.FollowAsync(over.Token);
        var traffic = new Traffic(client, chosen.Seed);
        var calling = traffic.RunAsync(Clients, calm.Token);
        var faults = new Faults(server, client, marks, chosen, Say);
        await faults.RunAsync(CancellationToken.None);
        await calm.CancelAsync();
        await calling;
        var checks = new Checks(client, traffic, marks);
        await checks.RunAsync(CancellationToken.None);
        await over.CancelAsync();
        await following;
        if (!chosen.Loose)
            AssertTimes(faults, checks);
        Report(faults, traffic, marks, checks);
        await File.WriteAllTextAsync(Path.Combine(Path.GetTempPath(), $"dure-drill-{chosen.Seed}.log"), server.Output);
        return checks.Violations.Count == 0 ? 0 : 1;
    }

    private static void AssertTimes(Faults faults, Checks checks)
    {
        foreach (var loss in faults.Losses.Where(l => l.Kind == "kill worker" && l.Seconds > RestartWithin))
            checks.Violations.Add(string.Create(CultureInfo.InvariantCulture, $"work of a killed worker began again after {loss.Seconds:0.00} s"));
    }

    private void Report(Faults faults, Traffic traffic, Marks marks, Checks checks)
    {
        var text = CultureInfo.InvariantCulture;
        Say($"faults: {string.Join(", ", faults.Done.Select(d => $"{d.Value} {d.Key}"))} ({faults.FunctionsHit} times a function was there to be killed)");
        Say($"calls: {traffic.Promised.Count} acknowledged ({traffic.Promised.Count(p => p.Answered)} with their result), {traffic.Unanswered} refused or unanswered");
        Say($"promised calls ended: {string.Join(", ", checks.States.Select(s => $"{s.Value} {s.Key}"))}; {checks.AttemptCount} attempts recorded, {marks.ByCall().Sum(c => c.Sum(a => a.Seen.Starts))} starts seen");
        foreach (var kind in faults.Losses.GroupBy(l => l.Kind).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var times = kind.Select(l => l.Seconds).Order().ToList();
            var what = kind.Key.StartsWith("kill server", StringComparison.Ordinal) ? "server answers again" : "work begins again";
            Say(string.Create(text, $"{kind.Key}: {what} after {times[times.Count / 2]:0.00} s (median), {times[(int)(times.Count * 0.95)]:0.00} s (95 %), {times[^1]:0.00} s (most) of {times.Count}"));
        }
        Say(string.Create(text, $"settled {checks.SettledAfter:0.0} s after the last fault; load {Load()}"));
        foreach (var violation in checks.Violations.Take(40))
            Say("VIOLATION: " + violation);
        Say(checks.Violations.Count == 0 ? "every promise was kept" : $"{checks.Violations.Count} violations");
    }

    private void Say(string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Marks.Now - _begun,7:0.0}  {text}"));

    private static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private static async Task<bool> MountAsync(string data)
    {
        Directory.CreateDirectory(data);
        var (code, text) = await Child.RunAsync(CancellationToken.None, "mount", "-t", "tmpfs", "-o", $"size={DiskMebibytes}m,mode=711", "tmpfs", data);
        if (code != 0)
            Console.WriteLine("no file system of its own, so no full disks: " + text.Trim());
        return code == 0;
    }
}
