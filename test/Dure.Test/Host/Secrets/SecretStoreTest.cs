using Dure.Host;
using Dure.Host.Secrets;
using Dure.Test.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Secrets;

public sealed class SecretStoreTest : IAsyncLifetime
{
    private const string Value = "correct horse battery staple 두레";

    private StoredData _data = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string KeyFile => SecretKeys.PathIn(_data.Folder);

    public async ValueTask InitializeAsync() => _data = await StoredData.OpenAsync();

    public ValueTask DisposeAsync() => _data.DisposeAsync();

    [Fact]
    public async Task A_secret_is_given_back_also_after_a_restart_and_stands_in_no_file()
    {
        var set = await Open().SetAsync("API_KEY", Value, "ada", Cancel);
        Assert.Equal(new SecretView("API_KEY", _data.Clock.Now, "ada"), set.Value);
        await _data.RestartAsync();
        Assert.Equal(Value, await ReadAsync(Open(), "API_KEY"));
        Assert.True(_data.DatabaseHolds("API_KEY"));
        Assert.False(_data.DatabaseHolds(Value));
        Assert.False(_data.DatabaseHolds("battery"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
    }

    [Fact]
    public async Task Setting_it_again_replaces_it_and_the_same_value_looks_different()
    {
        var secrets = Open();
        await secrets.SetAsync("A", "one", "ada", Cancel);
        await secrets.SetAsync("B", "one", "ada", Cancel);
        Assert.Equal(2, (await _data.Database.ReadAsync(s => s.QueryAsync("SELECT sealed FROM secrets", r => Convert.ToHexString(r.GetFieldValue<byte[]>(0))), Cancel)).Distinct(StringComparer.Ordinal).Count());
        _data.Clock.Now += TimeSpan.FromHours(1);
        await secrets.SetAsync("A", "two", "bob", Cancel);
        Assert.Equal("two", await ReadAsync(secrets, "A"));
        Assert.Equal([new("A", _data.Clock.Now, "bob"), new("B", _data.Clock.Now.AddHours(-1), "ada")], await secrets.ListAsync("", 10, Cancel));
        Assert.True(await secrets.RemoveAsync("A", Cancel));
        Assert.False(await secrets.RemoveAsync("A", Cancel));
        Assert.Equal(["B"], (await secrets.ListAsync("", 10, Cancel)).Select(secret => secret.Name), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Every_secret_that_is_missing_is_named()
    {
        var secrets = Open();
        await secrets.SetAsync("HERE", "x", "ada", Cancel);
        var read = await secrets.ReadAsync(["GONE", "HERE", "NEVER"], Cancel);
        Assert.Equal(SecretErrors.NoSuchSecret, read.Problem?.Kind);
        Assert.Equal(["GONE", "NEVER"], read.Problem!.Faults.Select(fault => fault.Where), StringComparer.Ordinal);
        Assert.Empty((await secrets.ReadAsync([], Cancel)).Value);
    }

    [Theory]
    [InlineData("A", "", true)]
    [InlineData("_A1", " spaces and\nlines ", true)]
    [InlineData("", "x", false)]
    [InlineData("a", "x", false)]
    [InlineData("1A", "x", false)]
    [InlineData("A-B", "x", false)]
    [InlineData("A\n", "x", false)]
    [InlineData("É", "x", false)]
    [InlineData("A", "nul\0inside", false)]
    [InlineData("A", null, false)]
    public async Task A_name_or_value_that_cannot_be_a_variable_is_refused(string name, string? value, bool good)
    {
        var secrets = Open();
        var set = await secrets.SetAsync(name, value, "ada", Cancel);
        Assert.Equal(good, set.Ok);
        if (good)
        {
            Assert.Equal(value, await ReadAsync(secrets, name));
        }
        else
        {
            Assert.Equal(HostErrors.BadRequest, set.Problem?.Kind);
            Assert.Single(set.Problem!.Faults);
            Assert.Empty(await secrets.ListAsync("", 10, Cancel));
        }
    }

    [Fact]
    public async Task Half_a_character_is_refused()
    {
        // Not as inline data: attributes hold UTF-8, which cannot say it.
        var set = await Open().SetAsync("A", new string('\ud83d', 1), "ada", Cancel);
        Assert.Equal("value", set.Problem!.Faults.Single().Where);
    }

    [Fact]
    public async Task The_longest_name_and_value_are_taken_and_no_longer_ones()
    {
        var secrets = Open();
        var longest = new string('é', SecretStore.ValueBytesMax / 2);
        Assert.True((await secrets.SetAsync(new string('N', 64), longest, "ada", Cancel)).Ok);
        Assert.Equal(longest, await ReadAsync(secrets, new string('N', 64)));
        Assert.False((await secrets.SetAsync(new string('N', 65), "x", "ada", Cancel)).Ok);
        Assert.False((await secrets.SetAsync("N", longest + "x", "ada", Cancel)).Ok);
    }

    [Theory]
    [InlineData("UPDATE secrets SET name = 'B' WHERE name = 'A'", "B")]
    [InlineData("UPDATE secrets SET sealed = x'00' WHERE name = 'A'", "A")]
    [InlineData("UPDATE secrets SET tag = x'00' WHERE name = 'A'", "A")]
    [InlineData("UPDATE secrets SET nonce = tag WHERE name = 'A'", "A")]
    [InlineData("UPDATE secrets SET key_id = 'ffffffff' WHERE name = 'A'", "A")]
    public async Task A_row_that_was_changed_is_not_opened(string change, string name)
    {
        var secrets = Open();
        await secrets.SetAsync("A", "x", "ada", Cancel);
        await _data.Database.WriteAsync(s => s.ExecuteAsync(change), cancel: Cancel);
        var read = await secrets.ReadAsync([name], Cancel);
        Assert.Equal(SecretErrors.Unreadable, read.Problem?.Kind);
        Assert.Equal(name, read.Problem!.Faults.Single().Where);
    }

    [Fact]
    public async Task Without_its_key_a_secret_cannot_be_opened_and_can_be_set_anew()
    {
        await Open().SetAsync("A", "x", "ada", Cancel);
        File.Delete(KeyFile);
        var secrets = Open();
        Assert.Equal(SecretErrors.Unreadable, (await secrets.ReadAsync(["A"], Cancel)).Problem?.Kind);
        await secrets.SetAsync("A", "y", "ada", Cancel);
        Assert.Equal("y", await ReadAsync(secrets, "A"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("0123abcd c2hvcnQ=\n")]
    public async Task A_damaged_key_file_is_a_problem_and_is_left_alone(string content)
    {
        Open();
        await File.WriteAllTextAsync(KeyFile, content, Cancel);
        var opened = SecretStore.Open(_data.Database, _data.Live, _data.Clock, _data.Folder);
        Assert.Equal(SecretErrors.BadKeyFile, opened.Problem?.Kind);
        Assert.Equal(content, await File.ReadAllTextAsync(KeyFile, Cancel));
    }

    [Fact]
    public async Task Changing_the_key_seals_everything_anew_also_what_is_being_set()
    {
        var secrets = Open();
        var old = await File.ReadAllTextAsync(KeyFile, Cancel);
        for (var i = 0; i < 20; i++)
        {
            await secrets.SetAsync($"S{i}", $"value {i}", "ada", Cancel);
        }
        var setting = Task.WhenAll(Enumerable.Range(20, 30).Select(i => Task.Run(() => secrets.SetAsync($"S{i}", $"value {i}", "ada", Cancel).AsTask())));
        Assert.InRange(await secrets.ChangeKeyAsync(Cancel), 20, 50);
        await setting;
        Assert.NotEqual(old, await File.ReadAllTextAsync(KeyFile, Cancel), StringComparer.Ordinal);
        Assert.Single(await File.ReadAllLinesAsync(KeyFile, Cancel));
        var reopened = Open();
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal($"value {i}", await ReadAsync(reopened, $"S{i}"));
        }
    }

    [Fact]
    public async Task Old_keys_stay_while_something_may_need_them()
    {
        var secrets = Open();
        await secrets.SetAsync("A", "x", "ada", Cancel);
        await secrets.SetAsync("B", "y", "ada", Cancel);
        await _data.Database.WriteAsync(s => s.ExecuteAsync("UPDATE secrets SET tag = x'00' WHERE name = 'A'"), cancel: Cancel);
        Assert.Equal(1, await secrets.ChangeKeyAsync(Cancel));
        Assert.Equal(2, (await File.ReadAllLinesAsync(KeyFile, Cancel)).Length);
        Assert.Equal("y", await ReadAsync(Open(), "B"));
    }

    [Fact]
    public async Task Who_uses_a_secret_hears_that_it_was_set_or_removed()
    {
        using var heard = _data.Live.Subscribe(SecretStore.Channel);
        var secrets = Open();
        await secrets.SetAsync("A", "x", "ada", Cancel);
        Assert.Equal("A", await heard.NextAsync(TimeSpan.FromSeconds(5), Cancel));
        await secrets.RemoveAsync("A", Cancel);
        Assert.Equal("A", await heard.NextAsync(TimeSpan.FromSeconds(5), Cancel));
        await secrets.RemoveAsync("A", Cancel);
        Assert.Null(await heard.NextAsync(TimeSpan.FromMilliseconds(50), Cancel));
    }

    private SecretStore Open() => SecretStore.Open(_data.Database, _data.Live, _data.Clock, _data.Folder).Value;

    private static async Task<string> ReadAsync(SecretStore secrets, string name) => (await secrets.ReadAsync([name], Cancel)).Value[name];
}
