using System.Diagnostics;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class ListingTest : StoreTest
{
    [Fact]
    public async Task Keys_come_in_the_order_of_their_bytes()
    {
        string[] keys = ["b", "a/2", "a", "a/1", "😀", "￿", "ü", "B", "a//", "a\u0001"];
        foreach (var key in keys)
        {
            await PutAsync(key);
        }
        var expected = keys.OrderBy(key => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(key)), StringComparer.Ordinal).ToList();
        for (var limit = 1; limit <= keys.Length; limit++)
        {
            Assert.Equal(expected, (await AllAsync("", "", limit)).Keys, StringComparer.Ordinal);
        }
        Assert.Equal(["a", "a\u0001", "a//", "a/1", "a/2"], (await AllAsync("a", "", 2)).Keys, StringComparer.Ordinal);
        Assert.Equal(["￿", "😀"], (await Store.ListAsync(B, new ListKeys("", "", "ü", 10), Cancel)).Value!.Objects.Select(found => found.Key), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_lies_below_a_delimiter_is_one_common_prefix()
    {
        foreach (var key in new[] { "a/1", "a/2/x", "a/2/y", "a/3", "b", "c/1", "c/2", "d" })
        {
            await PutAsync(key);
        }
        for (var limit = 1; limit < 6; limit++)
        {
            var (keys, prefixes) = await AllAsync("", "/", limit);
            Assert.Equal(["b", "d"], keys, StringComparer.Ordinal);
            Assert.Equal(["a/", "c/"], prefixes, StringComparer.Ordinal);
            (keys, prefixes) = await AllAsync("a/", "/", limit);
            Assert.Equal(["a/1", "a/3"], keys, StringComparer.Ordinal);
            Assert.Equal(["a/2/"], prefixes, StringComparer.Ordinal);
        }
        var none = (await Store.ListAsync(B, new ListKeys("", "/", "", 0), Cancel)).Value!;
        Assert.Equal((0, 0, null), (none.Objects.Count, none.CommonPrefixes.Count, none.Next));
        Assert.Null((await Store.ListAsync(B, new ListKeys("", "/", "", 4), Cancel)).Value!.Next);
    }

    [Fact]
    public async Task Versions_come_by_key_and_then_the_newest_first_and_are_paged()
    {
        await VersionAsync(Versioning.Enabled);
        var expected = new List<string>();
        foreach (var key in new[] { "a", "b", "c/1" })
        {
            List<string> own = [];
            for (var i = 0; i < 5; i++)
            {
                own.Insert(0, i == 3 ? (await DeleteAsync(key)).VersionId! : (await PutAsync(key)).VersionId);
            }
            expected.AddRange(own);
        }
        for (var limit = 1; limit <= 15; limit++)
        {
            List<string> seen = [];
            var (key, version) = ("", "");
            while (true)
            {
                var page = (await Store.ListVersionsAsync(B, new ListVersions("", "", key, version, limit), Cancel)).Value!;
                seen.AddRange(page.Versions.Select(found => found.VersionId));
                if (page.NextKey is null)
                {
                    break;
                }
                (key, version) = (page.NextKey, page.NextVersion!);
            }
            Assert.Equal(expected, seen, StringComparer.Ordinal);
        }
        Assert.Equal(expected[5..], (await Store.ListVersionsAsync(B, new ListVersions("", "", "a", "", 100), Cancel)).Value!.Versions.Select(found => found.VersionId), StringComparer.Ordinal);
        var grouped = (await Store.ListVersionsAsync(B, new ListVersions("", "/", "", "", 10), Cancel)).Value!;
        Assert.Equal((10, "c/"), (grouped.Versions.Count, Assert.Single((await Store.ListVersionsAsync(B, new ListVersions("", "/", "", "", 11), Cancel)).Value!.CommonPrefixes)));
        Assert.Equal("b", grouped.NextKey);
    }

    [Fact]
    public async Task A_hundred_thousand_keys_are_listed_quickly_and_common_prefixes_are_not_walked_through()
    {
        await FillAsync(100_000);
        var begun = Stopwatch.GetTimestamp();
        Assert.Equal(100_000, (await AllAsync("", "", 1000)).Keys.Count);
        var all = Stopwatch.GetElapsedTime(begun);
        begun = Stopwatch.GetTimestamp();
        Assert.Equal(10, (await AllAsync("", "/", 1000)).Prefixes.Count);
        var tops = Stopwatch.GetElapsedTime(begun);
        TestContext.Current.SendDiagnosticMessage($"100,000 keys {all.TotalMilliseconds:F0} ms, 10 prefixes {tops.TotalMilliseconds:F1} ms");
        Assert.True(all < TimeSpan.FromSeconds(6), $"{all}");
        Assert.True(tops < TimeSpan.FromMilliseconds(300), $"{tops}");
    }

    // Rows alone: what is listed is what is in the table.
    private async Task FillAsync(int count)
    {
        var bucket = (await BucketAsync()).Id;
        await Store.Database.WriteAsync(async s =>
        {
            for (var i = 0; i < count; i++)
            {
                await s.ExecuteAsync("INSERT INTO objects (id, bucket_id, key, version_id, is_latest, is_marker, size, etag, sha256, modified_at, owner, acl, group_id, parts) " +
                    "VALUES ($1, $2, $3, 'null', 1, 0, 0, 'e', 's', 0, 'ada', 0, $1, 0)", i + 1L, bucket, $"folder-{i / 10_000}/sub-{i % 100}/{i}");
            }
            return 0;
        }, cancel: Cancel);
    }

    private async Task<(List<string> Keys, List<string> Prefixes)> AllAsync(string prefix, string delimiter, int limit)
    {
        List<string> keys = [], prefixes = [];
        string? after = "";
        while (after is not null)
        {
            var page = (await Store.ListAsync(B, new ListKeys(prefix, delimiter, after, limit), Cancel)).Value!;
            keys.AddRange(page.Objects.Select(found => found.Key));
            prefixes.AddRange(page.CommonPrefixes);
            Assert.InRange(page.Objects.Count + page.CommonPrefixes.Count, 0, limit);
            after = page.Next;
        }
        return (keys, prefixes);
    }
}
