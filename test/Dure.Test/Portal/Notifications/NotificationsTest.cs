using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Functions.Callbacks;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Portal.Notifications;

/// <summary>Notifications of a real server to real receivers: a listener, and a mail server.</summary>
[Trait("speed", "slow")]
public sealed class NotificationsTest : IDisposable
{
    private const string Fails = "def handler(event, context):\n    if event == 'raise':\n        raise ValueError('no <luck> & more')\n    return event\n";

    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact(Timeout = 180_000)]
    public async Task A_message_survives_kill_is_signed_and_says_that_it_may_be_a_second_one()
    {
        await using var receiver = new Receiver();
        await using var dure = await StartAsync("notify.gather=0", "notify.base_url=https://dure.example.org");
        await RuleAsync(dure, $$"""{"event":"failed","function":"thumbs","channels":[{"kind":"webhook","target":"{{receiver.Url}}secret/path/abcd"},{"kind":"portal"}]}""");
        receiver.Answer = _ => 503;
        var id = await dure.SubmitAsync("thumbs", "\"raise\"", Cancel);
        await RunningDure.UntilAsync(() => Task.FromResult(receiver.Got.Count), count => count > 0, Cancel);
        await dure.KillAsync();
        receiver.Answer = _ => 204;
        var before = receiver.Got.Count;
        await dure.StartAgainAsync(Cancel, "notify.gather=0", "notify.base_url=https://dure.example.org");
        await RunningDure.UntilAsync(() => Task.FromResult(receiver.Got.Count), count => count > before, Cancel);
        var (first, last) = (receiver.Got.First(), receiver.Got.Last());
        Assert.Equal(first.Id, last.Id);
        Assert.True(last.Attempt > first.Attempt, "A later delivery says so.");
        var body = JsonNode.Parse(last.Body)!;
        Assert.Equal(("failed", "thumbs", id, "ValueError: no <luck> & more", $"https://dure.example.org/invocations/{id}"),
            ((string?)body["event"], (string?)body["subject"], (string?)body["invocation"], (string?)body["detail"], (string?)body["url"]));
        var parts = last.Signature.Split(',').Select(part => part.Split('=')).ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);
        var key = Encoding.ASCII.GetBytes((await File.ReadAllTextAsync(CallbackKey.PathIn(_scratch["data"]), Cancel)).Trim());
        Assert.Equal(Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{parts["t"]}.{last.Body}"))), parts["v1"]);
        var inbox = await RunningDure.UntilAsync(() => dure.GetAsync("/api/notifications", Cancel), view => (string?)view["items"]![0]!["deliveries"]![0]!["state"] == "sent", Cancel);
        Assert.Single(inbox["items"]!.AsArray());
        // What may be secret in an address is not shown.
        Assert.DoesNotContain("secret", inbox.ToJsonString(), StringComparison.Ordinal);
        await Task.Delay(2000, Cancel);
        Assert.Equal(before + 1, receiver.Got.Count);
    }

    [Fact(Timeout = 180_000)]
    public async Task The_end_of_an_invocation_is_told_to_who_waits_for_it_and_read_once()
    {
        await using var receiver = new Receiver();
        await using var dure = await StartAsync();
        var id = await dure.SubmitAsync("thumbs", "\"raise\"", Cancel);
        var ended = await CliAsync(dure, "notify", "when-ends", id, "--portal", "--slack", receiver.Url);
        Assert.Equal(0, ended.Code);
        var inbox = await RunningDure.UntilAsync(() => dure.GetAsync("/api/notifications", Cancel), view => view["items"]!.AsArray().Count == 1, Cancel);
        Assert.Equal(("ended", id, 1), ((string?)inbox["items"]![0]!["event"], (string?)inbox["items"]![0]!["invocation"], (int)inbox["unread"]!));
        await RunningDure.UntilAsync(() => Task.FromResult(receiver.Got.Count), count => count == 1, Cancel);
        Assert.Contains("FAILED: ValueError: no &lt;luck&gt; &amp; more", (string?)JsonNode.Parse(receiver.Got.First().Body)!["text"], StringComparison.Ordinal);
        Assert.Equal(0, (int)(await dure.SendAsync(HttpMethod.Post, "/api/notifications/read", Cancel, "{}")).Body!["unread"]!);
        Assert.Empty((await dure.GetAsync("/api/notifications/watches", Cancel))["items"]!.AsArray());
        Assert.Equal("DURE0705", (string?)(await dure.SendAsync(HttpMethod.Post, "/api/notifications/watches", Cancel, """{"invocation":"0000000000000"}""")).Body!["id"]);
    }

    [Fact(Timeout = 180_000)]
    public async Task E_mail_goes_through_a_mail_server_with_an_id_of_its_own()
    {
        var port = Receiver.FreePort();
        await using var mail = Child.Start("/usr/bin/python3", "-u", "-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Debugging", "stdout", "-l", $"127.0.0.1:{port}");
        await using var dure = await StartAsync("notify.gather=0", "notify.smtp_host=127.0.0.1", $"notify.smtp_port={port}", "notify.smtp_from=dure@example.org", "notify.smtp_tls=none", "notify.base_url=https://dure.example.org");
        await RunningDure.UntilAsync(() => dure.SendAsync(HttpMethod.Post, "/api/notifications/test", Cancel, """{"kind":"email","target":"ada@example.org"}"""), sent => sent.Status == HttpStatusCode.OK, Cancel);
        await RuleAsync(dure, """{"event":"failed","channels":[{"kind":"email","target":"ada@example.org"}]}""");
        await Task.Delay(2500, Cancel);
        var id = await dure.SubmitAsync("thumbs", "\"raise\"", Cancel);
        await RunningDure.UntilAsync(() => Task.FromResult(string.Join('\n', mail.Lines)), text => text.Contains(id, StringComparison.Ordinal), Cancel);
        var said = string.Join('\n', mail.Lines);
        Assert.Contains("Subject: thumbs failed", said, StringComparison.Ordinal);
        Assert.Contains("To: ada@example.org", said, StringComparison.OrdinalIgnoreCase);
        Assert.Matches("(?i)message-id: <[0-9a-f]{32}@example.org>", said);
        Assert.Contains("Auto-Submitted: auto-generated", said, StringComparison.OrdinalIgnoreCase);
        var inbox = await dure.GetAsync("/api/notifications", Cancel);
        Assert.Empty(inbox["items"]!.AsArray());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_mail_server_that_says_nothing_is_given_up()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var dure = await StartAsync("notify.smtp_host=127.0.0.1", $"notify.smtp_port={((IPEndPoint)silent.LocalEndpoint).Port}", "notify.smtp_from=dure@example.org", "notify.smtp_tls=none", "callback.timeout=1s");
        var (_, refused) = await dure.SendAsync(HttpMethod.Post, "/api/notifications/test", Cancel, """{"kind":"email","target":"ada@example.org"}""");
        Assert.Equal("DURE0703", (string?)refused!["id"]);
        Assert.Contains("no answer within 1 s", refused.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task What_cannot_work_is_said_before_it_is_kept()
    {
        await using var dure = await StartAsync();
        async Task<string?> RefusedAsync(string path, string body) => (string?)(await dure.SendAsync(HttpMethod.Post, "/api/notifications/" + path, Cancel, body)).Body!["id"];
        Assert.Equal("DURE0702", await RefusedAsync("rules", """{"event":"failed","channels":[{"kind":"email","target":"ada@example.org"}]}"""));
        Assert.Equal("DURE0701", await RefusedAsync("rules", """{"event":"finished"}"""));
        Assert.Equal("DURE0701", await RefusedAsync("rules", """{"event":"disk_low","function":"thumbs"}"""));
        Assert.Equal("DURE0701", await RefusedAsync("rules", """{"event":"failed","channels":[{"kind":"webhook","target":"file:///etc/passwd"}]}"""));
        Assert.Equal("DURE0701", await RefusedAsync("rules", """{"event":"failed","channels":[{"kind":"email","target":"a@b.org\r\nBcc: c@d.org"}]}"""));
        Assert.Equal("DURE0703", await RefusedAsync("test", $$"""{"kind":"webhook","target":"http://127.0.0.1:{{Receiver.FreePort()}}/"}"""));
        var rule = await RuleAsync(dure, """{"event":"failed"}""");
        var listed = await CliAsync(dure, "notify", "list", "--format", "json");
        Assert.Equal(rule, (string?)JsonNode.Parse(listed.Out)!["rules"]![0]!["id"]);
        Assert.Equal(0, (await CliAsync(dure, "notify", "remove", rule)).Code);
        Assert.Equal("DURE0700", (string?)(await dure.SendAsync(HttpMethod.Delete, "/api/notifications/rules/" + rule, Cancel)).Body!["id"]);
    }

    private async Task<RunningDure> StartAsync(params string[] settings)
    {
        var dure = await RunningDure.StartAsync(_scratch["data"], Cancel, settings);
        await dure.DeployAsync("thumbs", Cancel, ("handler.py", Fails));
        return dure;
    }

    private static async Task<string> RuleAsync(RunningDure dure, string body)
    {
        var (status, rule) = await dure.SendAsync(HttpMethod.Post, "/api/notifications/rules", Cancel, body);
        Assert.True(status == HttpStatusCode.Created, rule?.ToJsonString());
        return (string)rule!["id"]!;
    }

    private static async Task<(int Code, string Out)> CliAsync(RunningDure dure, params string[] words)
    {
        await using var child = Child.Start([RunningDure.Program, .. words, "--data", dure.Data]);
        return (await child.EndAsync(Cancel), string.Join('\n', child.Lines));
    }
}
