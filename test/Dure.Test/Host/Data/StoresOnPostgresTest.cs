using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Live;
using Dure.Host.Secrets;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Data;

/// <summary>The host's stores, whose SQL is written once, on the other database.</summary>
public sealed class StoresOnPostgresTest(PostgresCluster cluster) : IClassFixture<PostgresCluster>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tokens_and_secrets_are_kept_in_PostgreSQL_too()
    {
        using var scratch = new Scratch();
        var name = await cluster.CreateDatabaseAsync(Cancel);
        await using var database = (await PostgresDatabase.OpenAsync(cluster.Address(name), Cancel)).Value;
        Assert.True((await Migrations.ApplyAsync(database, TimeProvider.System, Cancel)).Ok);
        var live = new InProcessLive();

        using var tokens = await TokenStore.OpenAsync(database, live, TimeProvider.System, Cancel);
        await OwnerToken.EnsureAsync(tokens, scratch.Path, Cancel);
        var (text, token) = await tokens.CreateAsync("one", Scopes.Read, "ada", TimeSpan.FromDays(1), Cancel);
        Assert.NotNull(tokens.Authenticate(text));
        using (var stopped = new CancellationTokenSource())
        {
            await stopped.CancelAsync();
            await tokens.RunAsync(stopped.Token);
        }
        using var reopened = await TokenStore.OpenAsync(database, live, TimeProvider.System, Cancel);
        Assert.NotNull(reopened.Authenticate(text));
        Assert.NotNull(reopened.List().Single(known => known.Id == token.Id).LastUsedAt);
        Assert.True(await reopened.RevokeAsync(token.Id, Cancel));

        var secrets = SecretStore.Open(database, live, TimeProvider.System, scratch.Path).Value;
        await secrets.SetAsync("B", "old", "ada", Cancel);
        await secrets.SetAsync("B", "new", "ada", Cancel);
        await secrets.SetAsync("A", "", "ada", Cancel);
        Assert.Equal(2, await secrets.ChangeKeyAsync(Cancel));
        Assert.Equal("new", (await secrets.ReadAsync(["A", "B"], Cancel)).Value["B"]);
        Assert.Equal(["A", "B"], (await secrets.ListAsync("", 5, Cancel)).Select(secret => secret.Name), StringComparer.Ordinal);
        Assert.True(await secrets.RemoveAsync("A", Cancel));
    }
}
