using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Functions.Callbacks;
using Dure.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Callbacks;

/// <summary>Callbacks of a real server to a real listener.</summary>
[Trait("speed", "slow")]
public sealed class CallbackTest : IDisposable
{
    private const string Echo = "def handler(event, context):\n    return event\n";

    // The outbox is looked into while the server runs.
    private const string Shared = "database.exclusive=false";

    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact(Timeout = 180_000)]
    public async Task A_callback_survives_kill_and_is_signed_and_tells_the_result()
    {
        await using var listener = new Listener();
        await using var dure = await RunningDure.StartAsync(_scratch.Path, Cancel, Shared);
        await dure.DeployAsync("echo", Cancel, ("handler.py", Echo));
        listener.Answer = _ => 503;
        var id = await dure.SubmitAsync("echo", """{"n":1}""", Cancel, ("Dure-Callback-Url", listener.Url + "hook"));
        await RunningDure.UntilAsync(() => Task.FromResult(listener.Got.Count), count => count > 0, Cancel);
        await dure.KillAsync();
        listener.Answer = _ => 204;
        var before = listener.Got.Count;
        await dure.StartAgainAsync(Cancel, Shared);
        await RunningDure.UntilAsync(() => Task.FromResult(listener.Got.Count), count => count > before, Cancel);
        var got = listener.Got.Last();
        var body = JsonNode.Parse(got.Body)!;
        Assert.Equal((id, "SUCCESS", 1), ((string?)body["id"], (string?)body["state"], (int)body["result"]!["n"]!));
        var parts = got.Signature.Split(',').Select(part => part.Split('=')).ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);
        var key = Encoding.ASCII.GetBytes((await File.ReadAllTextAsync(CallbackKey.PathIn(_scratch.Path), Cancel)).Trim());
        Assert.Equal(Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{parts["t"]}.{got.Body}"))), parts["v1"]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(CallbackKey.PathIn(_scratch.Path)));
        var row = await RunningDure.UntilAsync(RowAsync, r => r.Done, Cancel);
        Assert.InRange(row.Tries, 2, 10);
        Assert.Null(row.Error);
        await Task.Delay(1500, Cancel);
        Assert.Equal(before + 1, listener.Got.Count);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_receiver_that_hangs_does_not_hold_up_another_and_is_given_up_with_its_reason()
    {
        await using var slow = new Listener { Answer = _ => 0 };
        await using var quick = new Listener();
        await using var dure = await RunningDure.StartAsync(_scratch.Path, Cancel, Shared, "callback.timeout=2s", "callback.attempts=2");
        await dure.DeployAsync("echo", Cancel, ("handler.py", Echo));
        for (var n = 0; n < 40; n++)
            await dure.SubmitAsync("echo", "{}", Cancel, ("Dure-Callback-Url", slow.Url));
        var begun = TimeProvider.System.GetTimestamp();
        await dure.SubmitAsync("echo", "{}", Cancel, ("Dure-Callback-Url", quick.Url));
        await RunningDure.UntilAsync(() => Task.FromResult(quick.Got.Count), count => count > 0, Cancel);
        Assert.InRange(TimeProvider.System.GetElapsedTime(begun).TotalSeconds, 0, 5);
        var row = await RunningDure.UntilAsync(RowAsync, r => r.Done, Cancel);
        Assert.Equal(2, row.Tries);
        Assert.Contains("no answer within 2 s", row.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task Every_way_to_end_is_told_with_its_reason()
    {
        const string Ends = """
            import os, time
            def handler(event, context):
                if event == "raise":
                    raise ValueError("no")
                if event == "die":
                    os.kill(os.getpid(), 9)
                time.sleep(60)
            """;
        await using var listener = new Listener();
        await using var dure = await RunningDure.StartAsync(_scratch.Path, Cancel, Shared);
        await dure.DeployAsync("ends", Cancel, ("handler.py", Ends), ("function.yaml", "at_most_once: true\ninstances: 3\n"));
        async Task<string> SubmitAsync(string what) => await dure.SubmitAsync("ends", $"\"{what}\"", Cancel, ("Dure-Callback-Url", listener.Url));
        var (failed, unknown, cancelled) = (await SubmitAsync("raise"), await SubmitAsync("die"), await SubmitAsync("sleep"));
        await RunningDure.UntilAsync(() => dure.GetAsync("/api/invocations/" + cancelled, Cancel), view => (string?)view["state"] == "PROCESSING", Cancel);
        await dure.SendAsync(HttpMethod.Post, $"/api/invocations/{cancelled}/cancel", Cancel);
        await RunningDure.UntilAsync(() => Task.FromResult(listener.Got.Count), count => count >= 3, Cancel);
        var told = listener.Got.Select(got => JsonNode.Parse(got.Body)!).ToDictionary(body => (string)body["id"]!, StringComparer.Ordinal);
        Assert.Equal(("FAILED", "no"), ((string?)told[failed]["state"], (string?)told[failed]["error"]!["error_message"]));
        Assert.Equal("UNKNOWN", (string?)told[unknown]["state"]);
        Assert.Contains("at_most_once", (string?)told[unknown]["reason"], StringComparison.Ordinal);
        Assert.Equal("CANCELLED", (string?)told[cancelled]["state"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = new Listener();
        await using var listener = new Listener { Answer = _ => 302, Location = elsewhere.Url };
        await using var dure = await RunningDure.StartAsync(_scratch.Path, Cancel, Shared, "callback.attempts=1");
        await dure.DeployAsync("echo", Cancel, ("handler.py", Echo));
        await dure.SubmitAsync("echo", "{}", Cancel, ("Dure-Callback-Url", listener.Url));
        var row = await RunningDure.UntilAsync(RowAsync, r => r.Done, Cancel);
        Assert.Contains("redirects are not followed", row.Error, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Got);
    }

    [Fact]
    public void Waits_double_and_end_at_an_hour()
    {
        Assert.Equal(TimeSpan.FromSeconds(1), CallbackDelivery.Wait(1, 1));
        Assert.Equal(TimeSpan.FromSeconds(4), CallbackDelivery.Wait(4, 0));
        Assert.Equal(TimeSpan.FromHours(1), CallbackDelivery.Wait(999, 1));
    }

    private async Task<(bool Done, int Tries, string? Error)> RowAsync()
    {
        await using var database = await SqliteDatabase.OpenAsync(_scratch["dure.db"], Cancel, shared: true);
        return await database.ReadAsync(static s => s.FirstAsync("SELECT done_at, tries, last_error FROM outbox ORDER BY id LIMIT 1",
            static r => (!r.IsDBNull(0), r.GetInt32(1), r.IsDBNull(2) ? null : r.GetString(2))), Cancel);
    }

    /// <summary>A small receiver. Answers with what the test says; 0 is no answer at all.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly HttpListener _http = new();
        private readonly Task _serving;

        public Listener()
        {
            using (var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
            }
            _http.Prefixes.Add(Url);
            _http.Start();
            _serving = ServeAsync();
        }

        public string Url { get; }

        public ConcurrentQueue<(string Body, string Signature)> Got { get; } = new();

        public Func<string, int> Answer { get; set; } = _ => 200;

        public string? Location { get; init; }

        public async ValueTask DisposeAsync()
        {
            _http.Close();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                var context = await _http.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var body = await reader.ReadToEndAsync();
                var status = Answer(body);
                Got.Enqueue((body, context.Request.Headers["Dure-Signature"] ?? ""));
                if (status == 0)
                    continue;
                context.Response.StatusCode = status;
                if (Location is not null)
                    context.Response.RedirectLocation = Location;
                context.Response.Close();
            }
        }
    }
}
