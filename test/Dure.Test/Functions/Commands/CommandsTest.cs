using System.Text.Json.Nodes;
using Dure.Test.Host.Commands;
using Xunit;

namespace Dure.Test.Functions.Commands;

/// <summary>The command line from end to end: one user's afternoon, against a real server.</summary>
[Trait("speed", "slow")]
public sealed class CommandsTest : IAsyncLifetime
{
    private readonly Cli _cli = new();

    public async ValueTask InitializeAsync() => await DoneAsync("up", "--yes");

    public ValueTask DisposeAsync() => _cli.DisposeAsync();

    [Fact(Timeout = 240_000)]
    public async Task Functions_are_deployed_compared_rolled_back_and_deleted()
    {
        Write("count/handler.py", "def handler(event, context):\n    print('counting')\n    return 1\n");
        var first = (string)(await JsonAsync("fn", "deploy", "count"))["version"]!;
        Write("count/handler.py", "def handler(event, context):\n    print('counting')\n    return 2\n");
        var second = (string)(await JsonAsync("fn", "deploy", "count"))["version"]!;
        Assert.NotEqual(first, second);
        Assert.Equal("2", (await DoneAsync("fn", "invoke", "count")).Trim());
        Assert.Equal("1", (await DoneAsync("fn", "invoke", "count", "--function-version", first)).Trim());
        var diff = await DoneAsync("fn", "diff", "count");
        Assert.Contains("-    return 1", diff, StringComparison.Ordinal);
        Assert.Contains("+    return 2", diff, StringComparison.Ordinal);
        await DoneAsync("fn", "rollback", "count");
        Assert.Equal("1", (await DoneAsync("fn", "invoke", "count")).Trim());
        Assert.Equal([second, first], (await JsonAsync("fn", "versions", "count")).AsArray().Select(v => (string)v!["version"]!));
        Assert.Equal(first, (string?)(await JsonAsync("fn", "show", "count"))["live"]);
        Assert.Contains("counting", await DoneAsync("fn", "logs", "count"), StringComparison.Ordinal);
        Assert.Equal("count", (string?)Assert.Single((await JsonAsync("fn", "list")).AsArray())!["name"]);
        await DoneAsync("fn", "delete", "count", "--yes");
        var (code, _, error) = await _cli.RunAsync("fn", "invoke", "count");
        Assert.Equal(3, code);
        Assert.Contains("There is no function 'count'", error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Invocations_are_listed_shown_followed_cancelled_and_run_again()
    {
        Write("wait.py", "import time\ndef handler(event, context):\n    print('waiting', event)\n    time.sleep(event)\n    return event\n");
        await DoneAsync("fn", "deploy", "wait.py");
        var id = (await DoneAsync("fn", "invoke", "wait", "--data", "0.2", "--async")).Trim();
        Assert.Contains("waiting 0.2", await DoneAsync("invocation", "logs", id, "--follow"), StringComparison.Ordinal);
        Assert.Equal("SUCCESS", (string?)(await JsonAsync("invocation", "show", id))["state"]);
        Assert.Equal("0.2", (await DoneAsync("invocation", "result", id)).Trim());
        var again = (string)(await JsonAsync("invocation", "rerun", id))["id"]!;
        Assert.NotEqual(id, again);
        await DoneAsync("invocation", "watch", again);
        Assert.Equal(id, (string?)(await JsonAsync("invocation", "show", again))["rerun_of"]);
        var endless = (await DoneAsync("fn", "invoke", "wait", "--data", "600", "--async")).Trim();
        await DoneAsync("invocation", "cancel", endless);
        Assert.Equal(7, (await _cli.RunAsync("invocation", "watch", endless)).Code);
        var cancelled = await JsonAsync("invocation", "list", "--function", "wait", "--state", "cancelled");
        Assert.Equal(endless, (string?)Assert.Single(cancelled.AsArray())!["id"]);
        Assert.Equal(3, (await _cli.RunAsync("invocation", "show", "0000000000000")).Code);
    }

    [Fact(Timeout = 240_000)]
    public async Task Secrets_reach_the_function_and_are_never_shown_and_tokens_end_when_revoked()
    {
        Assert.Equal(0, (await _cli.RunAsync("open sesame\n", ["secrets", "set", "PASSWORD"])).Code);
        var listed = await DoneAsync("secrets", "list", "--format", "json");
        Assert.Contains("PASSWORD", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", listed, StringComparison.Ordinal);
        Write("tell/handler.py", "import os\ndef handler(event, context):\n    return os.environ['PASSWORD'].split()[1]\n");
        Write("tell/function.yaml", "secrets: [PASSWORD]\n");
        await DoneAsync("fn", "deploy", "tell");
        Assert.Equal("\"sesame\"", (await DoneAsync("fn", "invoke", "tell")).Trim());
        await DoneAsync("secrets", "unset", "PASSWORD");
        Assert.DoesNotContain("PASSWORD", await DoneAsync("secrets", "list", "--format", "json"), StringComparison.Ordinal);

        var made = await JsonAsync("token", "create", "ci", "--scope", "read");
        var id = (string)made["id"]!;
        await using var other = new Cli($"DURE_URL={(string?)(await JsonAsync("status"))["url"]}", $"DURE_TOKEN={(string?)made["token"]}");
        Assert.Equal(0, (await other.RunAsync("fn", "list")).Code);
        var (refused, _, why) = await other.RunAsync("fn", "invoke", "tell");
        Assert.Equal(4, refused);
        Assert.Contains("scope", why, StringComparison.Ordinal);
        Assert.Contains("ci", await DoneAsync("token", "list"), StringComparison.Ordinal);
        await DoneAsync("token", "revoke", id);
        Assert.Equal(4, (await other.RunAsync("fn", "list")).Code);
    }

    private async Task<string> DoneAsync(params string[] words)
    {
        var (code, output, error) = await _cli.RunAsync(words);
        Assert.True(code == 0, $"dure {string.Join(' ', words)} ended with {code}: {error}");
        return output;
    }

    private async Task<JsonNode> JsonAsync(params string[] words) => JsonNode.Parse(await DoneAsync([.. words, "--format", "json"]))!;

    private void Write(string file, string text)
    {
        var path = Path.Combine(_cli.Folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
