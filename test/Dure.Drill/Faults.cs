using System.Diagnostics;
using System.Globalization;
using Dure.Test.Functions.Engine;

namespace Dure.Drill;

/// <summary>What a fault cost.</summary>
internal sealed record Loss(string Kind, double Seconds);

/// <summary>Breaks things, in an order that the seed decides, and mends what only an operator would mend (starts a killed server).</summary>
internal sealed class Faults(RunningServer server, EngineClient client, Marks marks, DrillOptions options, Action<string> say)
{
    private static readonly string[] Kinds =
    [
        "kill server", "kill server", "kill worker", "kill worker", "kill worker", "kill function", "kill function", "kill function",
        "stop server", "stop worker", "stop function", "hang worker", "kill server and worker", "fill disk",
    ];

    private readonly Random _random = new(options.Seed);

    /// <summary>How many of each were done.</summary>
    public SortedDictionary<string, int> Done { get; } = new(StringComparer.Ordinal);

    /// <summary>How often a function process was there to be killed.</summary>
    public int FunctionsHit { get; private set; }

    /// <summary>Time from a loss until its work ran again, or until the server answered again.</summary>
    public List<Loss> Losses { get; } = [];

    /// <summary>Does as many faults as asked for, spread over the time.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var mean = options.Minutes * 60 / options.Count;
        for (var i = 0; i < options.Count; i++)
        {
            var next = Marks.Now + mean * (0.5 + _random.NextDouble());
            var kind = options.Only ?? Kinds[_random.Next(Kinds.Length)];
            if (kind == "fill disk" && !options.SmallDisk)
                kind = "kill function";
            say(string.Create(CultureInfo.InvariantCulture, $"fault {i + 1}: {kind}"));
            Done[kind] = Done.GetValueOrDefault(kind) + 1;
            await DoAsync(kind, cancel);
            if (next > Marks.Now)
                await Task.Delay(TimeSpan.FromSeconds(next - Marks.Now), cancel);
        }
    }

    private async Task DoAsync(string kind, CancellationToken cancel)
    {
        switch (kind)
        {
            case "kill server":
                await MeasureServerAsync(kind, () => server.KillAsync(cancel), cancel);
                break;
            case "kill worker" when server.FindWorker() is { } worker:
                await MeasureWorkAsync(kind, () => RunningServer.SignalAsync(worker, "KILL", cancel), cancel);
                break;
            case "hang worker" when server.FindWorker() is { } worker:
                await MeasureWorkAsync(kind, async () =>
                {
                    await RunningServer.SignalAsync(worker, "STOP", cancel);
                    // Warm processes serve on without a worker; one that dies is missed by nobody else.
                    if (Function() is { } pid)
                        await RunningServer.SignalAsync(pid, "KILL", cancel);
                }, cancel);
                break;
            case "kill server and worker" when server.FindWorker() is { } worker:
                await MeasureServerAsync(kind, async () =>
                {
                    await server.KillAsync(cancel);
                    await RunningServer.SignalAsync(worker, "KILL", cancel);
                }, cancel);
                break;
            case "stop server":
                await PauseAsync(server.Pid, cancel);
                break;
            case "stop worker" when server.FindWorker() is { } worker:
                await PauseAsync(worker, cancel);
                break;
            case "kill function" when Function() is { } pid:
                FunctionsHit++;
                await RunningServer.SignalAsync(pid, "KILL", cancel);
                break;
            case "stop function" when Function() is { } pid:
                await PauseAsync(pid, cancel);
                break;
            case "fill disk":
                await FillAsync(cancel);
                break;
        }
    }

    private async Task PauseAsync(int pid, CancellationToken cancel)
    {
        await RunningServer.SignalAsync(pid, "STOP", cancel);
        await Task.Delay(TimeSpan.FromSeconds(0.1 + _random.NextDouble() * 2.5), CancellationToken.None);
        await RunningServer.SignalAsync(pid, "CONT", CancellationToken.None);
    }

    // The work of the lost process must begin its next attempt; only first losses count, as later ones wait by rule.
    private async Task MeasureWorkAsync(string kind, Func<Task> fault, CancellationToken cancel)
    {
        var before = Marks.Now;
        var running = marks.Running(before - 0.06).Where(r => r.Attempt == 1).ToList();
        var at = Marks.Now;
        await fault();
        var deadline = at + 30;
        while (running.Count > 0 && Marks.Now < deadline)
        {
            await Task.Delay(5, cancel);
            foreach (var lost in running.ToList())
            {
                if (marks.Find(lost.Call, 1) is { Ended: true })
                    running.Remove(lost);
                else if (marks.FirstStart(lost.Call, after: 1) is { } again && running.Remove(lost))
                    await AddLossAsync(kind, lost.Call, again - at, cancel);
            }
        }
        foreach (var lost in running)
            await AddLossAsync(kind, lost.Call, double.PositiveInfinity, cancel);
    }

    // Of those that took long the server is asked what it knows.
    private async Task AddLossAsync(string kind, long call, double seconds, CancellationToken cancel)
    {
        Losses.Add(new Loss(kind, seconds));
        if (seconds < 1)
            return;
        var id = marks.Find(call, 1)!.Id;
        var said = await client.TextAsync($"/api/invocations/{id}", cancel);
        say(string.Create(CultureInfo.InvariantCulture, $"call {call} began again after {seconds:0.00} s; the server says of {id}: {said}"));
    }

    private async Task MeasureServerAsync(string kind, Func<Task> fault, CancellationToken cancel)
    {
        var at = Marks.Now;
        await fault();
        await server.StartAgainAsync(cancel);
        Losses.Add(new Loss(kind, Marks.Now - at));
    }

    // Any process whose parent chain leads to the worker and that is not the sandbox's own machinery.
    private int? Function()
    {
        var candidates = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), CultureInfo.InvariantCulture, out _)))
        {
            try
            {
                foreach (var descriptor in Directory.EnumerateFiles(folder + "/fd"))
                {
                    if (new FileInfo(descriptor).LinkTarget == "/dure/io/marks")
                        candidates.Add(int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture));
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked.
            }
        }
        // Only what lives below our own worker.
        candidates.RemoveAll(pid => !IsOurs(pid));
        return candidates.Count == 0 ? null : candidates[_random.Next(candidates.Count)];
    }

    private bool IsOurs(int pid)
    {
        var worker = server.FindWorker();
        while (pid > 1)
        {
            if (pid == worker)
                return true;
            try
            {
                var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
                pid = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                return false;
            }
        }
        return false;
    }

    private async Task FillAsync(CancellationToken cancel)
    {
        var path = Path.Combine(server.Data, "filler");
        try
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[1 << 20];
            for (var size = block.Length; size >= 4096;)
            {
                try
                {
                    await file.WriteAsync(block.AsMemory(0, size), cancel);
                }
                catch (IOException)
                {
                    size /= 2;
                }
            }
        }
        catch (IOException)
        {
            // Full already.
        }
        await Task.Delay(TimeSpan.FromSeconds(0.3 + _random.NextDouble()), CancellationToken.None);
        File.Delete(path);
    }
}
