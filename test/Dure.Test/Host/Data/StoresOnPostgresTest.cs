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

    [Fact]
    public async Task People_sessions_links_and_the_audit_trail_are_kept_in_PostgreSQL_too()
    {
        using var scratch = new Scratch();
        var address = cluster.Address(await cluster.CreateDatabaseAsync(Cancel));
        await using var database = (await PostgresDatabase.OpenAsync(address, Cancel)).Value;
        Assert.True((await Migrations.ApplyAsync(database, TimeProvider.System, Cancel)).Ok);
        var (live, time) = (new InProcessLive(), TimeProvider.System);

        using var people = await PeopleStore.OpenAsync(database, live, time, Cancel);
        Assert.True((await people.AddAsync(new Person("ada", "Ada", Role.Member, "ada@lab.example", false, null, null, default, null), "hash", Cancel)).Ok);
        Assert.Equal(SigninErrors.PersonExists, (await people.AddAsync(new Person("ada", "Ada", Role.Member, null, false, null, null, default, null), null, Cancel)).Problem!.Kind);
        Assert.Equal(SigninErrors.LastOwner, (await people.ChangeAsync("owner", new PersonChange(null, Role.Viewer, null, null), Cancel)).Problem!.Kind);
        var changed = (await people.ChangeAsync("ada", new PersonChange("Ada L.", Role.Owner, "", true), Cancel)).Value;
        Assert.Equal(("Ada L.", Role.Owner, (string?)null, true), (changed.DisplayName, changed.Role, changed.Email, changed.DisabledAt is not null));
        Assert.Null((await people.ChangeAsync("ada", new PersonChange(null, null, null, false), Cancel)).Value.DisabledAt);
        Assert.Equal(0, await people.SetPasswordAsync("ada", "better", "other", Cancel));
        Assert.Equal(1, await people.SetPasswordAsync("ada", "better", "hash", Cancel));
        Assert.Equal("better", await people.PasswordAsync("ada", Cancel));
        Assert.Equal(1, await people.BindAsync("ada", "lab", "1", Cancel));
        Assert.Equal("ada", people.FindBy("lab", "1")!.Name);

        using var sessions = await SessionStore.OpenAsync(database, live, time, Cancel);
        var session = await sessions.OpenSessionAsync("ada", "password", "::1", "test", TimeSpan.FromHours(1), Cancel);
        Assert.NotNull(await sessions.UseAsync(session.Id, Cancel));
        await sessions.AddLinkAsync([1, 2, 3], "ada", time.GetUtcNow().AddMinutes(1), Cancel);
        Assert.Equal("ada", await sessions.TakeLinkAsync([1, 2, 3], Cancel));
        Assert.Null(await sessions.TakeLinkAsync([1, 2, 3], Cancel));
        using (var stopped = new CancellationTokenSource())
        {
            await stopped.CancelAsync();
            await sessions.RunAsync(stopped.Token);
        }
        Assert.Equal(1, await sessions.EndAllAsync("ada", null, Cancel));

        var audit = new AuditTrail(database, time, Microsoft.Extensions.Logging.Abstractions.NullLogger<AuditTrail>.Instance);
        await audit.AddAsync(new AuditEntry("ada", "session:1", "::1", "POST /api/x", "it", 200));
        Assert.Equal("it", Assert.Single(await audit.ListAsync(new AuditFilter("ada", "API", null, null), null, 5, Cancel)).Subject);
        Assert.Equal(1, await audit.RemoveBeforeAsync(time.GetUtcNow().AddMinutes(1), Cancel));

        var secrets = SecretStore.Open(database, live, time, scratch.Path).Value;
        var keys = await SigninKeys.OpenAsync(database, secrets, Cancel);
        await secrets.ChangeKeyAsync(Cancel);
        Assert.Equal(keys.Tokens, (await SigninKeys.OpenAsync(database, secrets, Cancel)).Tokens);
        Assert.Null(await people.RemoveAsync("ada", Cancel));
    }
}
