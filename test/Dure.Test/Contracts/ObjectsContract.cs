using System.Security.Cryptography;
using System.Text;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Storage.Providers;
using Xunit;

namespace Dure.Test.Contracts;

/// <summary>Every promise of <see cref="IObjects"/>, run against each implementation.</summary>
public abstract partial class ObjectsContract
{
    protected const int PartBytes = 5 << 20;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens the provider in a place of this test's own.</summary>
    internal abstract IObjects Open(Func<ProviderOptions, ProviderOptions>? change = null);

    /// <summary>The provider with credentials that it does not know; null when it has none.</summary>
    internal virtual IObjects? OpenAsStranger() => null;

    /// <summary>Damages a byte of an object's content where it is kept; false when the test cannot reach it.</summary>
    internal virtual bool Damage(string key) => false;

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(70_000, false)]
    [InlineData(PartBytes, true)]
    [InlineData(PartBytes, false)]
    [InlineData(PartBytes + 1, true)]
    [InlineData(PartBytes + 1, false)]
    [InlineData((4 * PartBytes) + 12345, true)]
    [InlineData((4 * PartBytes) + 12345, false)]
    public async Task Content_comes_back_as_it_was_put(int length, bool isKnown)
    {
        await using var objects = Open();
        var content = RandomNumberGenerator.GetBytes(length);
        var put = Good(await objects.PutAsync(new PutObject("a/b", new MemoryStream(content), isKnown ? length : null), Cancel));
        Assert.Equal(("a/b", length), (put.Key, put.Length));
        Assert.Equal(length, Good(await objects.HeadAsync("a/b", Cancel)).Length);
        Same(content, await ReadAsync(objects, "a/b"));
    }

    [Fact]
    public async Task A_stream_that_cannot_be_wound_back_is_put_in_parts()
    {
        await using var objects = Open();
        var content = RandomNumberGenerator.GetBytes((2 * PartBytes) + 3);
        var digest = Convert.ToHexStringLower(SHA256.HashData(content));
        Good(await objects.PutAsync(new PutObject("stream", new FirstBytes(new MemoryStream(content), content.Length), null, digest), Cancel));
        Same(content, await ReadAsync(objects, "stream"));
        Assert.Equal(digest, Good(await objects.HeadAsync("stream", Cancel)).Metadata["sha256"]);
    }

    [Fact]
    public async Task A_range_is_exactly_what_was_asked_for()
    {
        await using var objects = Open();
        var content = RandomNumberGenerator.GetBytes(1000);
        await PutAsync(objects, "r", content);
        foreach (var (offset, length, expected) in new (long, long?, Range)[]
        {
            (0, 1, ..1), (10, 20, 10..30), (999, 1, 999..), (990, 500, 990..), (500, null, 500..), (0, 1000, ..), (0, long.MaxValue, ..), (3, 0, 3..3), (1000, null, 1000..), (5000, 10, 1000..),
        })
        {
            Same(content[expected], await ReadAsync(objects, "r", offset, length));
        }
    }

    [Fact]
    public async Task Metadata_and_type_come_back()
    {
        await using var objects = Open();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["run"] = "17", ["lab-name"] = "Zellbiologie Süd", ["a_b"] = "x=y; z" };
        var content = "hello"u8.ToArray();
        Good(await objects.PutAsync(new PutObject("m", new MemoryStream(content), 5, null, "text/plain; charset=utf-8", metadata), Cancel));
        var head = Good(await objects.HeadAsync("m", Cancel));
        Assert.Equal("text/plain; charset=utf-8", head.ContentType);
        Assert.Equal([.. metadata, new("sha256", Convert.ToHexStringLower(SHA256.HashData(content)))], head.Metadata.OrderBy(pair => metadata.ContainsKey(pair.Key) ? metadata.Keys.ToList().IndexOf(pair.Key) : 9));
        Assert.InRange(head.ModifiedAt, TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow().AddMinutes(5));
    }

    [Fact]
    public async Task A_list_has_every_key_of_the_prefix_once_in_order_page_by_page()
    {
        await using var objects = Open();
        string[] keys = ["a", "a-1", "a.b", "a/b", "a/b/c", "a/bc", "a0", "b", "ä", "日本", "a/" + new string('x', 79), "a/" + new string('x', 80), "a/" + new string('x', 81), "a/" + new string('x', 80) + "/y"];
        foreach (var key in keys)
        {
            await PutAsync(objects, key, Encoding.UTF8.GetBytes(key));
        }

        var all = await ListAsync(objects, "", 4);
        Assert.Equal(keys.Order(Comparer<string>.Create(ObjectKey.Compare)), all.Select(one => one.Key));
        Assert.All(all, one => Assert.Equal(Encoding.UTF8.GetByteCount(one.Key), one.Length));
        Assert.Equal(keys.Where(key => key.StartsWith("a/b", StringComparison.Ordinal)).Order(StringComparer.Ordinal), (await ListAsync(objects, "a/b", 2)).Select(one => one.Key));
        Assert.Equal(["日本"], (await ListAsync(objects, "日", 1)).Select(one => one.Key));
        Assert.Empty(await ListAsync(objects, "nothing", 10));
    }

    [Fact]
    public async Task What_is_not_there_is_told_and_deleting_it_is_no_error()
    {
        await using var objects = Open();
        Assert.Equal(ProviderErrors.NoSuchObject, (await objects.HeadAsync("no", Cancel)).Problem?.Kind);
        Assert.Equal(ProviderErrors.NoSuchObject, (await objects.GetAsync("no", 0, null, Cancel)).Problem?.Kind);
        Assert.Equal(ProviderErrors.NoSuchObject, (await objects.CopyAsync("no", "yes", Cancel)).Problem?.Kind);
        Assert.True(Good(await objects.DeleteAsync(["no", "neither/this"], Cancel)));
        Assert.True(Good(await objects.DeleteAsync([], Cancel)));
    }

    [Fact]
    public async Task Many_are_deleted_and_the_others_stay()
    {
        await using var objects = Open();
        var keys = Enumerable.Range(0, 12).Select(number => $"d/{number:D2}").ToList();
        foreach (var key in keys)
        {
            await PutAsync(objects, key, [1]);
        }

        Assert.True(Good(await objects.DeleteAsync([.. keys.Skip(1), "d/none"], Cancel)));
        Assert.Equal(["d/00"], (await ListAsync(objects, "", 100)).Select(one => one.Key));
    }

    [Fact]
    public async Task A_put_replaces_as_a_whole()
    {
        await using var objects = Open();
        await PutAsync(objects, "k", new byte[1000]);
        await PutAsync(objects, "k", [7]);
        Assert.Equal([7], await ReadAsync(objects, "k"));
    }

    [Fact]
    public async Task A_copy_has_content_type_and_metadata_of_its_source()
    {
        await using var objects = Open();
        var content = RandomNumberGenerator.GetBytes(3000);
        Good(await objects.PutAsync(new PutObject("from here", new MemoryStream(content), 3000, null, "image/png", new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" }), Cancel));
        var copy = Good(await objects.CopyAsync("from here", "to/there+é", Cancel));
        Assert.Equal((3000, "image/png", "b"), (copy.Length, copy.ContentType, copy.Metadata["a"]));
        Assert.Equal(content, await ReadAsync(objects, "to/there+é"));
    }

    [Fact]
    public async Task Of_many_who_put_only_if_absent_exactly_one_wins()
    {
        await using var objects = Open();
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(() =>
            objects.PutAsync(new PutObject("once", new MemoryStream([(byte)number]), 1, OnlyIfAbsent: true), Cancel))));
        Assert.Equal([7], all.Where(put => !put.Ok).CountBy(put => put.Problem!.Kind == ProviderErrors.Exists).Where(count => count.Key).Select(count => count.Value));
        Assert.Equal([(byte)Array.FindIndex(all, put => put.Ok)], await ReadAsync(objects, "once"));
    }

    [Fact]
    public async Task A_large_put_only_if_absent_does_not_replace()
    {
        await using var objects = Open();
        await PutAsync(objects, "once", [1]);
        var second = await objects.PutAsync(new PutObject("once", new MemoryStream(new byte[PartBytes + 5]), null, OnlyIfAbsent: true), Cancel);
        Assert.Equal(ProviderErrors.Exists, second.Problem?.Kind);
        Assert.Equal([1], await ReadAsync(objects, "once"));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("./a/.")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("with space + plus & more=?#%41\"'<>")]
    [InlineData("Übung/日本語/😀")]
    [InlineData("a\u0301 is not á")]
    [InlineData("%t/x")]
    public async Task A_key_is_a_name_and_nothing_else(string key)
    {
        await using var objects = Open();
        await PutAsync(objects, key, [1, 2]);
        await PutAsync(objects, key + "x", [3]);
        Assert.Equal([1, 2], await ReadAsync(objects, key));
        Assert.Equal(key, (await ListAsync(objects, "", 1)).Select(one => one.Key).Order(StringComparer.Ordinal).First());
        Assert.True(Good(await objects.DeleteAsync([key], Cancel)));
        Assert.Equal([key + "x"], (await ListAsync(objects, "", 10)).Select(one => one.Key));
    }

    [Theory]
    [InlineData(900, 'k')]
    [InlineData(290, '日')]
    public async Task A_key_may_be_long(int letters, char letter)
    {
        await using var objects = Open();
        var key = new string(letter, letters);
        await PutAsync(objects, key, [9]);
        Assert.Equal([9], await ReadAsync(objects, key));
        Assert.Equal([key], (await ListAsync(objects, key, 10)).Select(one => one.Key));
    }

    [Fact]
    public async Task A_backslash_stays_one_or_is_refused()
    {
        await using var objects = Open();
        var put = await objects.PutAsync(new PutObject("a\\b", new MemoryStream([1]), 1), Cancel);
        Assert.Equal(put.Ok ? ["a\\b"] : [], (await ListAsync(objects, "", 10)).Select(one => one.Key));
        Assert.True(put.Ok || put.Problem!.Kind == ProviderErrors.BadKey);
    }

    [Fact]
    public async Task Half_a_letter_cannot_be_a_key()
    {
        await using var objects = Open();
        Assert.Equal(ProviderErrors.BadKey, (await objects.PutAsync(new PutObject("half \ud800 pair", new MemoryStream([1]), 1), Cancel)).Problem?.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("line\nbreak")]
    public async Task What_cannot_be_a_key_is_refused(string key)
    {
        await using var objects = Open();
        Assert.Equal(ProviderErrors.BadKey, (await objects.PutAsync(new PutObject(key, new MemoryStream([1]), 1), Cancel)).Problem?.Kind);
        Assert.Equal(ProviderErrors.BadKey, (await objects.HeadAsync(new string('x', 1025), Cancel)).Problem?.Kind);
    }

    [Fact]
    public async Task A_damaged_byte_is_found_at_the_end_of_a_whole_read()
    {
        await using var objects = Open();
        await PutAsync(objects, "good", RandomNumberGenerator.GetBytes(100_000));
        if (Damage("good"))
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(objects, "good"));
            Assert.Equal(100, (await ReadAsync(objects, "good", 0, 100)).Length);
        }
        else
        {
            await PutWithOtherDigestAsync(objects, "good");
            await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(objects, "good"));
        }
    }

    [Theory]
    [InlineData(10, 11, false)]
    [InlineData(10, 9, false)]
    [InlineData(10, 10, true)]
    [InlineData(PartBytes + 10, PartBytes + 11, false)]
    [InlineData(PartBytes + 10, PartBytes + 9, false)]
    [InlineData(PartBytes + 10, PartBytes + 10, true)]
    public async Task Content_that_is_not_as_announced_is_not_put(int length, int announced, bool isOtherDigest)
    {
        await using var objects = Open();
        var put = await objects.PutAsync(new PutObject("lie", new MemoryStream(new byte[length]), announced, isOtherDigest ? new string('a', 64) : null), Cancel);
        Assert.Equal(ProviderErrors.BadContent, put.Problem?.Kind);
        Assert.Empty(await ListAsync(objects, "", 10));
    }

    [Theory]
    [InlineData(100)]
    [InlineData((2 * PartBytes) + 100)]
    public async Task A_put_that_is_cancelled_leaves_nothing(int before)
    {
        await using var objects = Open();
        using var stop = new CancellationTokenSource();
        var content = new BrokenStream(before, () =>
        {
            stop.Cancel();
            return new OperationCanceledException(stop.Token);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => objects.PutAsync(new PutObject("gone", content, null), stop.Token));
        Assert.Empty(await ListAsync(objects, "", 10));
    }

    [Fact]
    public async Task Content_that_breaks_off_is_the_callers_failure_and_leaves_nothing()
    {
        await using var objects = Open();
        var content = new BrokenStream(PartBytes + 100, () => new InvalidDataException("cut off"));
        await Assert.ThrowsAsync<InvalidDataException>(() => objects.PutAsync(new PutObject("gone", content, null), Cancel));
        Assert.Empty(await ListAsync(objects, "", 10));
    }

    // Quicker than comparing as collections, and silent about megabytes.
    protected static void Same(byte[] expected, byte[] actual) => Assert.True(expected.AsSpan().SequenceEqual(actual), $"{actual.Length} bytes are not the {expected.Length} that were put");

    /// <summary>The value, or a failure that tells the problem.</summary>
    internal static T Good<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Ok, $"{outcome.Problem?.Kind.Id}: {outcome.Problem?.Detail}");
        return outcome.Value;
    }

    internal static async Task PutAsync(IObjects objects, string key, byte[] content) =>
        Good(await objects.PutAsync(new PutObject(key, new MemoryStream(content), content.Length), Cancel));

    internal static async Task<byte[]> ReadAsync(IObjects objects, string key, long offset = 0, long? length = null)
    {
        await using var stream = Good(await objects.GetAsync(key, offset, length, Cancel));
        var content = new MemoryStream();
        await stream.CopyToAsync(content, Cancel);
        return content.ToArray();
    }

    internal static async Task<List<ObjectFacts>> ListAsync(IObjects objects, string prefix, int limit)
    {
        var (found, next) = (new List<ObjectFacts>(), (string?)null);
        do
        {
            var page = Good(await objects.ListAsync(prefix, next, limit, Cancel));
            Assert.InRange(page.Objects.Count, 0, limit);
            found.AddRange(page.Objects);
            next = page.Next;
        }
        while (next is not null);
        return found;
    }
}
