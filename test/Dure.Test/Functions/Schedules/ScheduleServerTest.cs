using Dure.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Schedules;

[Trait("speed", "slow")]
public sealed class ScheduleServerTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task Firings_missed_while_no_server_ran_are_said_and_the_latest_runs_once_however_often_the_server_is_killed()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch.Path, Cancel);
        await dure.DeployAsync("tick", Cancel, ("handler.py", "def handler(event, context):\n    return event['scheduled_for']\n"), ("function.yaml", "schedule: '0 * * * *'\n"));
        await RunningDure.UntilAsync(() => dure.GetAsync("/api/functions/tick", Cancel), f => f["schedule"]?["next_at"] is not null, Cancel);
        await dure.KillAsync();
        await using (var database = await SqliteDatabase.OpenAsync(scratch["dure.db"], Cancel))
            await database.WriteAsync(static s => s.ExecuteAsync("UPDATE schedules SET next_at = next_at - 4 * 3600000"), cancel: Cancel);
        for (var round = 0; round < 3; round++)
        {
            await dure.StartAgainAsync(Cancel);
            await RunningDure.UntilAsync(() => dure.GetAsync("/api/functions/tick", Cancel), f => (long)f["schedule"]!["missed"]! > 0, Cancel);
            await dure.KillAsync();
        }
        await dure.StartAgainAsync(Cancel);
        var list = (await dure.GetAsync("/api/invocations?function=tick", Cancel))["items"]!.AsArray();
        var only = Assert.Single(list)!;
        Assert.Equal("schedule", (string?)only["trigger"]);
        Assert.Equal("SUCCESS", (string?)(await dure.EndAsync((string)only["id"]!, Cancel))["state"]);
        Assert.InRange((long)(await dure.GetAsync("/api/functions/tick", Cancel))["schedule"]!["missed"]!, 3, 4);
        Assert.Contains("The schedule of tick missed", dure.Log, StringComparison.Ordinal);
    }
}
