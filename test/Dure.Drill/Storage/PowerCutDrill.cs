using System.Globalization;
using Dure.Test.Functions.Engine;
using Dure.Test.Processes;

namespace Dure.Drill.Storage;

/// <summary>
/// Cuts the power: a server under traffic is killed, and goes on from what a disk would hold that dropped everything nobody had flushed
/// (see powercut.c). No acknowledged object may be missing or torn.
/// </summary>
internal sealed class PowerCutDrill(DrillOptions options)
{
    private const int Clients = 6;
    private const string Bucket = "cut";

    /// <summary>Runs the rounds, then one on a disk that lies about its flushes, which must be found out.</summary>
    /// <returns>0 when nothing was lost, and the lie was noticed.</returns>
    public async Task<int> RunAsync(int rounds)
    {
        using var folder = new Scratch();
        var (code, text) = await Child.RunAsync(CancellationToken.None, "gcc", "-O2", "-shared", "-fPIC", "-o", folder["powercut.so"],
            Path.Combine(Repository.Root, "test", "Dure.Drill", "Storage", "powercut.c"), "-ldl", "-lpthread");
        if (code != 0)
            throw new InvalidOperationException($"powercut.c cannot be compiled: {text}");
        Say($"seed {options.Seed}, {rounds} power cuts");
        var lost = 0;
        var acknowledged = 0;
        for (var round = 0; round < rounds; round++)
        {
            var (traffic, wrong) = await RoundAsync(folder, round, blind: false);
            acknowledged += traffic.Acknowledged;
            lost += wrong.Count;
            Say($"cut {round + 1}: {traffic.Acknowledged} acknowledged, {traffic.Refused} not answered, {wrong.Count} wrong afterwards");
            foreach (var one in wrong.Take(5))
                Say("  VIOLATION: " + one);
        }
        var (_, missed) = await RoundAsync(folder, rounds, blind: true);
        Say($"a disk that lies about its flushes: {(missed.Count > 0 ? $"found out, {missed.Count} wrong" : "NOT FOUND OUT")}");
        Say($"{acknowledged} acknowledged over {rounds} cuts, {lost} missing or torn");
        return lost == 0 && missed.Count > 0 ? 0 : 1;
    }

    private async Task<(ObjectTraffic Traffic, List<string> Wrong)> RoundAsync(Scratch folder, int round, bool blind)
    {
        var random = new Random(HashCode.Combine(options.Seed, round));
        var (data, shadow, after) = (Made(folder, $"data-{round}"), Made(folder, $"shadow-{round}"), folder[$"after-{round}"]);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_PRELOAD"] = folder["powercut.so"],
            ["POWERCUT_ROOT"] = data,
            ["POWERCUT_SHADOW"] = shadow,
        };
        ObjectTraffic traffic;
        await using (var server = await RunningServer.StartAsync([], CancellationToken.None, environment, options.Program, data))
        {
            var store = new StoreServer(server);
            await store.AskAsync(HttpMethod.Post, "/api/storage/buckets", new System.Text.Json.Nodes.JsonObject { ["name"] = Bucket }, CancellationToken.None);
            traffic = new ObjectTraffic(await store.ConnectAsync(CancellationToken.None), Bucket, HashCode.Combine(options.Seed, round));
            using var calm = new CancellationTokenSource();
            var running = traffic.RunAsync(Clients, calm.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1500, 4000)), CancellationToken.None);
            if (blind)
            {
                // What is flushed from here on, the disk says it has and has not.
                await Child.RunAsync(CancellationToken.None, "/bin/cp", "-a", shadow, shadow + "-early");
                await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
            }
            await server.KillAsync(CancellationToken.None);
            await calm.CancelAsync();
            await running;
            await File.WriteAllTextAsync(Path.Combine(Path.GetTempPath(), $"dure-power-cut-{options.Seed}-{round}.log"), server.Output);
        }
        await Shadow.RebuildAsync(blind ? shadow + "-early" : shadow, data, after);
        List<string> wrong;
        await using (var again = await RunningServer.StartAsync([], CancellationToken.None, null, options.Program, after))
        {
            using var client = (await new StoreServer(again).ConnectAsync(CancellationToken.None))();
            wrong = [.. await traffic.CheckAsync(client, CancellationToken.None), .. traffic.Failures];
            await File.AppendAllTextAsync(Path.Combine(Path.GetTempPath(), $"dure-power-cut-{options.Seed}-{round}.log"), again.Output);
        }
        foreach (var used in new[] { data, shadow, shadow + "-early", after }.Where(Directory.Exists))
            await DeleteAsync(used);
        return (traffic, wrong);
    }

    // A worker that was about to start when its server was killed may still write.
    private static async Task DeleteAsync(string folder)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (IOException) when (tries < 50)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
            }
        }
    }

    private static string Made(Scratch folder, string name) => Directory.CreateDirectory(folder[name], (UnixFileMode)0b111_001_001).FullName;

    private static void Say(string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {text}"));
}
