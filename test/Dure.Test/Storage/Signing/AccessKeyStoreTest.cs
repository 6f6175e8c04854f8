using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dure.Host.Identity;
using Dure.Host.Secrets;
using Dure.Storage.Signing;
using Dure.Test.Host.Identity;
using Xunit;

namespace Dure.Test.Storage.Signing;

public sealed class AccessKeyStoreTest : IAsyncLifetime
{
    private StoredData _data = null!;
    private SecretStore _secrets = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _data = await StoredData.OpenAsync();
        _secrets = SecretStore.Open(_data.Database, _data.Live, _data.Clock, _data.Folder).Value;
    }

    public ValueTask DisposeAsync() => _data.DisposeAsync();

    [Fact]
    public async Task A_key_survives_a_restart_and_its_secret_is_nowhere_in_the_clear()
    {
        using var keys = await OpenAsync();
        var made = await keys.CreateAsync("ada", KeyScopes.Read | KeyScopes.Write, ["pics", "models"], TimeSpan.FromDays(1), Cancel);
        Assert.Equal((20, 40), (made.Id.Length, made.Secret.Length));
        Assert.StartsWith("DURE", made.Id, StringComparison.Ordinal);
        Assert.False(_data.DatabaseHolds(made.Secret));
        await _data.RestartAsync();
        _secrets = SecretStore.Open(_data.Database, _data.Live, _data.Clock, _data.Folder).Value;
        using var again = await OpenAsync();
        var found = again.Find(made.Id)!;
        Assert.Equal((made.Secret, "ada", made.Scopes, made.ExpiresAt), (found.Secret, found.User, found.Scopes, found.ExpiresAt));
        Assert.Equal(["pics", "models"], found.Buckets);
    }

    [Fact]
    public async Task A_key_ends_when_it_expires_or_is_revoked()
    {
        using var keys = await OpenAsync();
        var made = await keys.CreateAsync("ada", KeyScopes.Read, [], TimeSpan.FromDays(1), Cancel);
        var other = await keys.CreateAsync("ada", KeyScopes.Read, [], null, Cancel);
        _data.Clock.Now += TimeSpan.FromDays(1);
        Assert.Null(keys.Find(made.Id));
        Assert.NotNull(keys.Find(other.Id));
        Assert.True(await keys.RevokeAsync(other.Id, Cancel));
        Assert.Null(keys.Find(other.Id));
        Assert.False(await keys.RevokeAsync(other.Id, Cancel));
        Assert.Null(keys.Find("nobody"));
    }

    [Fact]
    public async Task A_change_of_the_secrets_keys_seals_access_keys_anew()
    {
        using var keys = await OpenAsync();
        var made = await keys.CreateAsync("ada", KeyScopes.Read, [], null, Cancel);
        var file = Path.Combine(_data.Folder, "keys", "secrets.key");
        var before = await File.ReadAllTextAsync(file, Cancel);
        await _secrets.ChangeKeyAsync(Cancel);
        Assert.Single(await File.ReadAllLinesAsync(file, Cancel));
        Assert.NotEqual(before, await File.ReadAllTextAsync(file, Cancel), StringComparer.Ordinal);
        _secrets = SecretStore.Open(_data.Database, _data.Live, _data.Clock, _data.Folder).Value;
        using var again = await OpenAsync();
        Assert.Equal(made.Secret, again.Find(made.Id)!.Secret);
    }

    [Fact]
    public async Task A_key_that_cannot_be_opened_keeps_the_old_keys_and_allows_nothing()
    {
        using var keys = await OpenAsync();
        var made = await keys.CreateAsync("ada", KeyScopes.Admin, [], null, Cancel);
        await _data.Database.WriteAsync(s => s.ExecuteAsync("UPDATE access_keys SET tag = x'00'"), cancel: Cancel);
        await _secrets.ChangeKeyAsync(Cancel);
        Assert.Equal(2, (await File.ReadAllLinesAsync(Path.Combine(_data.Folder, "keys", "secrets.key"), Cancel)).Length);
        using var again = await OpenAsync();
        Assert.Equal(KeyScopes.None, again.Find(made.Id)!.Scopes);
        Assert.Single(again.List());
    }

    [Fact]
    public async Task A_session_ends_after_half_a_day_and_is_not_stored()
    {
        using var keys = await OpenAsync();
        var made = keys.CreateSession("ada", KeyScopes.Read);
        Assert.Equal(made, keys.Find(made.Id));
        Assert.Empty(keys.List());
        _data.Clock.Now += AccessKeyStore.SessionLength;
        Assert.Null(keys.Find(made.Id));
    }

    [Fact]
    public async Task Keys_are_made_listed_and_revoked_by_admins()
    {
        using var keys = await OpenAsync();
        var caller = new Caller("root", Scopes.Admin);
        await using var server = await ApiServer.StartAsync(_ => caller, gate => KeysApi.Map(gate, keys, () => "http://store", "us-east-1"));
        var client = server.Client("unused");
        using var created = await client.PostAsJsonAsync("/api/storage/keys", new { user = "ada", scopes = new[] { "read", "write" }, buckets = new[] { "pics" } }, Cancel);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var made = JsonNode.Parse(await created.Content.ReadAsStringAsync(Cancel))!;
        var id = (string)made["access_key_id"]!;
        Assert.Equal(keys.Find(id)!.Secret, (string)made["secret_access_key"]!);
        Assert.Equal("http://store us-east-1", $"{made["endpoint"]} {made["region"]}");
        var list = await client.GetStringAsync("/api/storage/keys", Cancel);
        Assert.Contains(id, list, StringComparison.Ordinal);
        Assert.DoesNotContain(keys.Find(id)!.Secret, list, StringComparison.Ordinal);
        using var wrong = await client.PostAsJsonAsync("/api/storage/keys", new { user = "", scopes = new[] { "all" }, buckets = new[] { "A B" }, expires_in_days = 0 }, Cancel);
        Assert.Equal(4, JsonNode.Parse(await wrong.Content.ReadAsStringAsync(Cancel))!["faults"]!.AsArray().Count);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/api/storage/keys/" + id, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.DeleteAsync("/api/storage/keys/" + id, Cancel)).StatusCode);
        caller = new Caller("ada", Scopes.Read | Scopes.Deploy | Scopes.Invoke);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/storage/keys", Cancel)).StatusCode);
    }

    [Theory]
    [InlineData(Scopes.Read, KeyScopes.Read)]
    [InlineData(Scopes.Deploy, KeyScopes.Read | KeyScopes.Write | KeyScopes.Buckets)]
    [InlineData(Scopes.Invoke, null)]
    [InlineData(Scopes.Admin, KeyScopes.Read | KeyScopes.Write | KeyScopes.Buckets | KeyScopes.Admin)]
    public async Task A_session_allows_what_the_token_allows(Scopes scopes, KeyScopes? expected)
    {
        using var keys = await OpenAsync();
        await using var server = await ApiServer.StartAsync(_ => new Caller("ada", scopes), gate => KeysApi.Map(gate, keys, () => "http://store", "us-east-1"));
        using var answer = await server.Client("unused").PostAsync(new Uri("/api/storage/session", UriKind.Relative), null, Cancel);
        Assert.Equal(expected is null ? HttpStatusCode.Forbidden : HttpStatusCode.Created, answer.StatusCode);
        if (expected is not null)
        {
            var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
            var key = keys.Find((string)made["access_key_id"]!)!;
            Assert.Equal(("ada", expected), (key.User, key.Scopes));
        }
    }

    private ValueTask<AccessKeyStore> OpenAsync() => AccessKeyStore.OpenAsync(_data.Database, _secrets, _data.Live, _data.Clock, Cancel);
}
