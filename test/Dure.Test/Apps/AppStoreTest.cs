using Dure.Apps;
using Dure.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>What the database promises about apps and their ports.</summary>
public sealed class AppStoreTest
{
    private static readonly AppSpec Spec = new(AppSpec.Custom, "exec true");
    private static readonly HashSet<int> None = [];

    [Fact]
    public async Task A_port_is_given_to_one_version_only_however_many_ask_at_once()
    {
        using var scratch = new Scratch();
        await using var database = await OpenAsync(scratch);
        var store = new AppStore(database, TimeProvider.System);
        var versions = new List<AppVersion>();
        for (var n = 0; n < 12; n++)
            versions.Add((await store.AddAsync(new($"app{n}", "ada", $"/srv/{n}", "gpu", false), Spec, 1, 10)).Value);
        var ports = await Task.WhenAll(versions.Select(version => store.ClaimPortAsync(version, "gpu", 27000, 27009, None).AsTask()));
        Assert.Equal(Enumerable.Range(27000, 10).Select(port => (int?)port), ports.Where(port => port is not null).Order());
        Assert.Equal(2, ports.Count(port => port is null));
        // Whoever asks again keeps what he has; what is given back is given again.
        var first = versions[Array.IndexOf(ports, 27003)];
        Assert.Equal(27003, await store.ClaimPortAsync(first, "gpu", 27000, 27009, None));
        await store.ReleasePortAsync(first);
        Assert.Equal(27003, await store.ClaimPortAsync(versions[Array.IndexOf(ports, null)], "gpu", 27000, 27009, None));
    }

    [Fact]
    public async Task A_version_that_becomes_live_lets_the_one_before_drain_and_the_last_that_goes_takes_the_app_along()
    {
        using var scratch = new Scratch();
        await using var database = await OpenAsync(scratch);
        var store = new AppStore(database, TimeProvider.System);
        var origin = new AppOrigin("paper", "ada", "/srv/paper", "gpu", false);
        var one = (await store.AddAsync(origin, Spec, 1, 10)).Value;
        await store.ClaimPortAsync(one, "gpu", 27000, 27009, None);
        await store.SwitchAsync(one, DateTimeOffset.UnixEpoch);
        var two = (await store.AddAsync(origin, Spec, 2, 10)).Value;
        await store.ClaimPortAsync(two, "gpu", 27000, 27009, None);
        var app = await store.SwitchAsync(two, DateTimeOffset.UnixEpoch);
        Assert.Equal((2, 1, VersionState.Draining, VersionState.Live), (app.Live, app.Previous, app.Find(1)!.State, app.LiveVersion!.State));
        Assert.Equal([27001, 27000], app.Versions.Select(version => version.Port ?? 0));
        Assert.True(await store.RestAsync(one, VersionState.Draining));
        Assert.False(await store.RestAsync(one, VersionState.Draining));

        Assert.Equal("DURE0901", (await store.AddAsync(origin with { Path = "/srv/other" }, Spec, 3, 1)).Problem?.Kind.Id);
        Assert.Equal("DURE0901", (await store.AddAsync(origin with { Machine = "other", Replace = true }, Spec, 3, 1)).Problem?.Kind.Id);
        Assert.False(await store.DropAsync(one, null));
        Assert.True(await store.DropAsync(two, "broken"));
        Assert.Null(await store.FindAsync("paper", TestContext.Current.CancellationToken));
    }

    private static async Task<Database> OpenAsync(Scratch scratch)
    {
        var database = await SqliteDatabase.OpenAsync(scratch["dure.db"], TestContext.Current.CancellationToken);
        Assert.True((await Migrations.ApplyAsync(database, TimeProvider.System, TestContext.Current.CancellationToken)).Ok);
        return database;
    }
}
