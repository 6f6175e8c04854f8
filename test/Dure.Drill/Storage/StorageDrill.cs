using System.Globalization;
using System.Text.Json.Nodes;
using Amazon.S3;
using Dure.Test.Functions.Engine;
using Dure.Test.Processes;

namespace Dure.Drill.Storage;

/// <summary>
/// A server with buckets, a second provider behind a faulty proxy, and clients that go on. Faults: the provider down, a proxy that cuts,
/// delays and corrupts, <c>kill -9</c> of either server while it copies, flipped bytes on the disk. In the end everything is at both,
/// then the first one's data is deleted and comes back from the second.
/// </summary>
internal sealed class StorageDrill(DrillOptions options)
{
    private const int Clients = 4;
    private const int Flips = 5;
    private const string Bucket = "drilled";
    private const string Copies = "copies";
    private const int LeastFileBytes = 64 << 10;
    private static readonly TimeSpan CollectedWithin = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan DrainWithin = TimeSpan.FromMinutes(3);

    private readonly Random _random = new(options.Seed);
    private readonly Dictionary<string, int> _done = new(StringComparer.Ordinal);
    private readonly List<string> _violations = [];
    private readonly long _begun = TimeProvider.System.GetTimestamp();

    /// <summary>Runs it.</summary>
    /// <returns>0 when everything held.</returns>
    public async Task<int> RunAsync()
    {
        using var folder = new Scratch();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_001_001);
        await using var proxy = new FaultyProxy(options.Seed);
        await using var second = await RunningServer.StartAsync(["disk.warn=0%", "disk.refuse=0%"], CancellationToken.None, null, options.Program);
        var environment = await PrepareAsync(folder, second, proxy);
        string[] settings = ["disk.warn=0%", "disk.refuse=0%"];
        var data = folder["first"];
        var first = await RunningServer.StartAsync(settings, CancellationToken.None, environment, options.Program, data);
        ObjectTraffic traffic;
        try
        {
            Say($"seed {options.Seed}, {options.Minutes} minutes of faults");
            await new StoreServer(first).AskAsync(HttpMethod.Post, "/api/storage/buckets", new JsonObject { ["name"] = Bucket, ["replicate"] = new JsonArray("second") }, CancellationToken.None);
            traffic = await FaultsAsync(first, second, proxy);
            await DrainAsync(first, "after the faults");
            await CheckAsync(traffic, first, "after the faults");
            await FlipAsync(traffic, first, data);
            await CompareAsync(first, second, traffic);
        }
        finally
        {
            await File.WriteAllTextAsync(Path.Combine(Path.GetTempPath(), $"dure-storage-drill-{options.Seed}.log"), first.Output);
            await first.DisposeAsync();
        }
        Directory.Delete(data, recursive: true);
        Say("the first provider's data is deleted");
        await using var again = await RunningServer.StartAsync(settings, CancellationToken.None, environment, options.Program, data);
        var restored = (await new StoreServer(again).AskAsync(HttpMethod.Post, "/api/storage/restore?from=second", null, CancellationToken.None))!["restore"];
        Say($"restored {restored?["restored"]} things, {restored?["bytes"]} bytes, {restored?["failed"]} failed, in {restored?["duration_ms"]} ms");
        await CheckAsync(traffic, again, "after the restore");
        Report(traffic, proxy);
        return _violations.Count == 0 ? 0 : 1;
    }

    private static async Task<Dictionary<string, string>> PrepareAsync(Scratch folder, RunningServer second, FaultyProxy proxy)
    {
        var store = new StoreServer(second);
        var key = await store.AskAsync(HttpMethod.Post, "/api/storage/keys", new JsonObject { ["user"] = "copies", ["scopes"] = new JsonArray("admin") }, CancellationToken.None);
        await AimAsync(proxy, second);
        await store.AskAsync(HttpMethod.Post, "/api/storage/buckets", new JsonObject { ["name"] = Copies }, CancellationToken.None);
        await File.WriteAllTextAsync(folder["dure.yaml"], $$"""
            storage:
              providers:
                second:
                  type: s3
                  endpoint: http://127.0.0.1:{{proxy.Port}}
                  region: us-east-1
                  bucket: {{Copies}}
                  style: path
                  timeout: 5s
            """);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["DURE_CONFIG"] = folder["dure.yaml"],
            ["DURE_STORAGE_SECOND_ACCESS_KEY"] = (string)key!["access_key_id"]!,
            ["DURE_STORAGE_SECOND_SECRET_KEY"] = (string)key["secret_access_key"]!,
        };
    }

    private static async Task AimAsync(FaultyProxy proxy, RunningServer second)
    {
        var session = await new StoreServer(second).AskAsync(HttpMethod.Post, "/api/storage/session", null, CancellationToken.None);
        proxy.Target = new Uri((string)session!["endpoint"]!);
    }

    private async Task<ObjectTraffic> FaultsAsync(RunningServer first, RunningServer second, FaultyProxy proxy)
    {
        // The address and the keys of a session end with the server: clients ask again, as people sign in again.
        var connect = await new StoreServer(first).ConnectAsync(CancellationToken.None);
        var traffic = new ObjectTraffic(() => connect(), Bucket, options.Seed);
        using var calm = new CancellationTokenSource();
        var running = traffic.RunAsync(Clients, calm.Token);
        while (TimeProvider.System.GetElapsedTime(_begun).TotalMinutes < options.Minutes)
        {
            var fault = _random.Next(6);
            Count(fault switch { 0 => "provider down", 1 => "cut", 2 => "delay", 3 => "corrupt", 4 => "kill first", _ => "kill second" });
            proxy.Fault = fault switch { 0 => ProxyFault.Down, 1 => ProxyFault.Cut, 2 => ProxyFault.Delay, 3 => ProxyFault.Corrupt, _ => ProxyFault.None };
            await Task.Delay(TimeSpan.FromSeconds(1 + (3 * _random.NextDouble())), CancellationToken.None);
            if (fault == 4)
            {
                await first.KillAsync(CancellationToken.None);
                await first.StartAgainAsync(CancellationToken.None);
                connect = await new StoreServer(first).ConnectAsync(CancellationToken.None);
                traffic.ConnectAgain();
            }
            else if (fault == 5)
            {
                await second.KillAsync(CancellationToken.None);
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
                await second.StartAgainAsync(CancellationToken.None);
                await AimAsync(proxy, second);
            }
        }
        proxy.Fault = ProxyFault.None;
        await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
        await calm.CancelAsync();
        await running;
        Say($"{traffic.Acknowledged} acknowledged, {traffic.Refused} not ({traffic.Reasons})");
        return traffic;
    }

    private async Task DrainAsync(RunningServer first, string when)
    {
        var begun = TimeProvider.System.GetTimestamp();
        var store = new StoreServer(first);
        while (true)
        {
            var provider = (await store.AskAsync(HttpMethod.Get, "/api/storage/status", null, CancellationToken.None))!["providers"]![0]!;
            if ((long)provider["pending_objects"]! == 0)
            {
                Say(string.Create(CultureInfo.InvariantCulture, $"{when}: nothing waits for the second provider, {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0.0} s later; {provider["failures"]} failed tries"));
                if ((long)provider["lost"]! > 0)
                    Violation($"{when}: {provider["losses"]!.ToJsonString()} were lost");
                return;
            }
            if (TimeProvider.System.GetElapsedTime(begun) > DrainWithin)
            {
                Violation($"{when}: {provider.ToJsonString()} after {DrainWithin.TotalSeconds} s");
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }
    }

    private async Task FlipAsync(ObjectTraffic traffic, RunningServer first, string data)
    {
        // What was replaced is gone by then: a byte flipped in it would be nobody's.
        await Task.Delay(CollectedWithin, CancellationToken.None);
        var files = Directory.GetFiles(Path.Combine(data, "store", "data"), "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length >= LeastFileBytes).Order(StringComparer.Ordinal).ToList();
        for (var n = 0; n < Flips && files.Count > 0; n++)
        {
            var at = _random.Next(files.Count);
            await using var file = File.Open(files[at], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            files.RemoveAt(at);
            file.Position = _random.NextInt64(file.Length);
            var was = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(was ^ 1));
            Count("flipped byte");
        }
        var repaired = (await new StoreServer(first).AskAsync(HttpMethod.Post, "/api/storage/repair?full=true", null, CancellationToken.None))!["repair"];
        Say($"repair: {repaired?["mended"]} mended, {repaired?["unrepairable"]} beyond repair");
        if ((long)repaired!["mended"]! < _done.GetValueOrDefault("flipped byte") || (long)repaired["unrepairable"]! != 0)
            Violation($"{_done.GetValueOrDefault("flipped byte")} bytes were flipped, and the repair tells {repaired.ToJsonString()}");
        await CheckAsync(traffic, first, "after the flips and the repair");
    }

    private async Task CompareAsync(RunningServer first, RunningServer second, ObjectTraffic traffic)
    {
        await DrainAsync(first, "after the repair");
        var verified = (await new StoreServer(first).AskAsync(HttpMethod.Post, "/api/storage/verify?full=true", null, CancellationToken.None))!["verify"]!;
        Say($"verify: {verified["objects"]} objects, {verified["bytes"]} bytes should be there; read {verified["read"]}; {verified["missing"]} missing, {verified["wrong"]} wrong, {verified["damaged"]} damaged");
        if ((long)verified["missing"]! + (long)verified["wrong"]! + (long)verified["damaged"]! + (long)verified["missing_here"]! + (long)verified["damaged_here"]! > 0)
            Violation($"verify tells {verified.ToJsonString()}");
        // Not by Dure's word alone: every digest is read at the second provider.
        using var client = (await new StoreServer(second).ConnectAsync(CancellationToken.None))();
        foreach (var digest in traffic.Pieces)
        {
            try
            {
                using var got = await client.GetObjectAsync(Copies, $"blobs/{digest[..2]}/{digest}", CancellationToken.None);
                if (Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(got.ResponseStream, CancellationToken.None)) != digest)
                    Violation($"{digest} has other bytes at the second provider");
            }
            catch (AmazonS3Exception error)
            {
                Violation($"{digest} is not at the second provider: {error.ErrorCode}");
            }
        }
    }

    private async Task CheckAsync(ObjectTraffic traffic, RunningServer server, string when)
    {
        using var client = (await new StoreServer(server).ConnectAsync(CancellationToken.None))();
        var wrong = await traffic.CheckAsync(client, CancellationToken.None);
        Say($"{when}: {traffic.Certain.Count} objects read, {wrong.Count} not as acknowledged");
        wrong.ForEach(Violation);
        foreach (var failure in traffic.Failures.Distinct(StringComparer.Ordinal))
            Violation(failure);
    }

    private void Report(ObjectTraffic traffic, FaultyProxy proxy)
    {
        Say($"faults: {string.Join(", ", _done.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => $"{d.Value} {d.Key}"))}; {proxy.Done} connections or bytes harmed by the proxy");
        Say($"requests: {traffic.Acknowledged} acknowledged, {traffic.Refused} refused or unanswered ({traffic.Reasons})");
        Say($"{_violations.Count} violations");
    }

    private void Violation(string text)
    {
        _violations.Add(text);
        Say("VIOLATION: " + text);
    }

    private void Count(string what) => _done[what] = _done.GetValueOrDefault(what) + 1;

    private void Say(string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetElapsedTime(_begun).TotalSeconds,7:0.0}  {text}"));
}
