using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class OwnerTokenTest : IAsyncLifetime
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private StoredData _data = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Kept => OwnerToken.PathIn(_data.Folder);

    public async ValueTask InitializeAsync() => _data = await StoredData.OpenAsync();

    public ValueTask DisposeAsync() => _data.DisposeAsync();

    [Fact]
    public async Task The_first_start_makes_a_token_that_only_the_owner_can_read()
    {
        using var tokens = await StartAsync();
        Assert.Equal(new Caller("owner", Scopes.Admin) { How = "token:" + Assert.Single(tokens.List()).Id }, tokens.Authenticate(await TextAsync()));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Kept));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(Kept)!));
    }

    [Fact]
    public async Task Later_starts_keep_it_and_close_it_to_others()
    {
        (await StartAsync()).Dispose();
        var text = await TextAsync();
        File.SetUnixFileMode(Kept, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        await _data.RestartAsync();
        using var tokens = await StartAsync();
        Assert.Equal(text, await TextAsync());
        Assert.NotNull(tokens.Authenticate(text));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Kept));
        Assert.Single(tokens.List());
    }

    [Fact]
    public async Task Deleting_the_file_replaces_the_token_at_the_next_start()
    {
        (await StartAsync()).Dispose();
        var old = await TextAsync();
        File.Delete(Kept);
        using var tokens = await StartAsync();
        Assert.NotEqual(old, await TextAsync(), StringComparer.Ordinal);
        Assert.NotNull(tokens.Authenticate(await TextAsync()));
        Assert.Null(tokens.Authenticate(old));
        Assert.Single(tokens.List());
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish\n")]
    public async Task A_file_that_holds_no_token_is_replaced(string content)
    {
        (await StartAsync()).Dispose();
        var old = await TextAsync();
        await File.WriteAllTextAsync(Kept, content, Cancel);
        using var tokens = await StartAsync();
        Assert.NotNull(tokens.Authenticate(await TextAsync()));
        Assert.Null(tokens.Authenticate(old));
    }

    [Fact]
    public async Task A_token_that_was_revoked_is_replaced_also_when_its_file_is_there()
    {
        string old;
        using (var before = await StartAsync())
        {
            old = await TextAsync();
            await before.RevokeAsync(before.List().Single().Id, Cancel);
        }
        using var tokens = await StartAsync();
        Assert.Null(tokens.Authenticate(old));
        Assert.NotNull(tokens.Authenticate(await TextAsync()));
    }

    [Fact]
    public async Task The_file_outlives_a_lost_database()
    {
        (await StartAsync()).Dispose();
        var text = await TextAsync();
        await _data.LoseDatabaseAsync();
        using var tokens = await StartAsync();
        Assert.Equal(text, await TextAsync());
        Assert.NotNull(tokens.Authenticate(text));
    }

    private async Task<TokenStore> StartAsync()
    {
        var tokens = await TokenStore.OpenAsync(_data.Database, _data.Live, _data.Clock, Cancel);
        await OwnerToken.EnsureAsync(tokens, _data.Folder, Cancel);
        return tokens;
    }

    private async Task<string> TextAsync() => (await File.ReadAllTextAsync(Kept, Cancel)).Trim();
}
