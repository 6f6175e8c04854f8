using System.Net;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Api;

/// <summary>Two people change one function: nobody overwrites what they have not seen.</summary>
public sealed class ReleaseTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_change_on_top_of_what_is_no_longer_there_is_refused_and_says_who_changed_what_and_when()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        var package = await SourcePackages.PackAsync(Cancel, SourcePackages.Python("first"));
        Assert.NotNull((await dure.DeployAsync("shared", package, Cancel, ("If-None-Match", "*"))).Last["version"]);
        var seen = (string)(await dure.GetAsync("/api/functions/shared", Cancel))["tag"]!;
        Assert.NotNull((await dure.DeployAsync("shared", await SourcePackages.PackAsync(Cancel, SourcePackages.Python("second")), Cancel, ("If-Match", $"\"{seen}\""))).Last["version"]);

        var third = await SourcePackages.PackAsync(Cancel, SourcePackages.Python("third"));
        var (status, problem) = await dure.DeployAsync("shared", third, Cancel, ("If-Match", $"\"{seen}\""));
        Assert.Equal(412, status);
        Assert.Equal("DURE0220", (string?)problem["id"]);
        var detail = (string)problem["detail"]!;
        Assert.Contains("version 2", detail, StringComparison.Ordinal);
        Assert.Contains("owner deployed it at 20", detail, StringComparison.Ordinal);
        Assert.Equal(412, (await dure.DeployAsync("shared", third, Cancel, ("If-None-Match", "*"))).Status);
        foreach (var (method, path, body) in new[] { (HttpMethod.Post, "rollback", "{}"), (HttpMethod.Put, "live", """{"version":"1"}""") })
            Assert.Equal(HttpStatusCode.PreconditionFailed, (await dure.SendAsync(method, "/api/functions/shared/" + path, Cancel, body, ("If-Match", $"\"{seen}\""))).Status);

        var now = await dure.GetAsync("/api/functions/shared", Cancel);
        Assert.Equal(2, (int)now["live_number"]!);
        Assert.Equal(2, (int)now["versions"]!);
        Assert.NotNull((await dure.DeployAsync("shared", third, Cancel, ("If-Match", $"\"{now["tag"]}\""))).Last["version"]);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await dure.SendAsync(HttpMethod.Post, "/api/functions/shared/rollback", Cancel, "{}", ("If-Match", $"\"{now["tag"]}\""))).Status);
    }

    [Fact(Timeout = 120_000)]
    public async Task Of_two_deploys_at_once_on_top_of_the_same_version_one_is_taken_and_one_is_told()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        await dure.DeployAsync("race", await SourcePackages.PackAsync(Cancel, SourcePackages.Python("start")), Cancel);
        for (var round = 0; round < 5; round++)
        {
            var tag = $"\"{(await dure.GetAsync("/api/functions/race", Cancel))["tag"]}\"";
            var packages = await Task.WhenAll(new[] { "a", "b" }.Select(who => SourcePackages.PackAsync(Cancel, SourcePackages.Python($"{who}{round}"))));
            var answers = await Task.WhenAll(packages.Select(package => dure.DeployAsync("race", package, Cancel, ("If-Match", tag))));
            Assert.Single(answers, answer => answer.Last["version"] is not null);
            var refused = Assert.Single(answers, answer => answer.Last["version"] is null).Last;
            Assert.Equal("DURE0220", (string?)(refused["problem"] ?? refused)["id"]);
        }
        Assert.Equal(6, (int)(await dure.GetAsync("/api/functions/race", Cancel))["versions"]!);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_canary_is_a_change_too_and_the_history_tells_all_of_them()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        foreach (var answer in new[] { "one", "two" })
            await dure.DeployAsync("told", await SourcePackages.PackAsync(Cancel, SourcePackages.Python(answer)), Cancel);
        var seen = $"\"{(await dure.GetAsync("/api/functions/told", Cancel))["tag"]}\"";
        Assert.Equal(HttpStatusCode.OK, (await dure.SendAsync(HttpMethod.Put, "/api/functions/told/live", Cancel, """{"version":"2","canary":{"version":"1","percent":20}}""", ("If-Match", seen))).Status);
        Assert.Equal(412, (await dure.DeployAsync("told", await SourcePackages.PackAsync(Cancel, SourcePackages.Python("three")), Cancel, ("If-Match", seen))).Status);
        Assert.Equal(HttpStatusCode.OK, (await dure.SendAsync(HttpMethod.Post, "/api/functions/told/rollback", Cancel, """{"to":"1"}""")).Status);

        var history = (await dure.GetAsync("/api/functions/told/history", Cancel))["items"]!.AsArray();
        Assert.Equal(["rollback", "live", "deploy", "deploy"], history.Select(release => (string)release!["action"]!));
        Assert.Equal([1, 2, 2, 1], history.Select(release => (int)release!["live"]!));
        Assert.Equal(20, (int)history[1]!["canary_percent"]!);
        Assert.All(history, release => Assert.Equal("owner", (string?)release!["owner"]));
    }
}
