using System.Security.Cryptography;
using Dure.Storage.Checksums;
using Dure.Storage.Store;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class UploadsTest : StoreTest
{
    private const int Least = 5 << 20;

    [Theory]
    [InlineData(ChecksumKind.Crc32)]
    [InlineData(ChecksumKind.Crc32C)]
    [InlineData(ChecksumKind.Crc64Nvme)]
    public async Task Parts_become_an_object_without_a_copy(ChecksumKind kind)
    {
        byte[][] parts = [Bytes(Least), Bytes(Least + 7), Bytes(11)];
        var upload = await BeginAsync("k", kind, ChecksumType.FullObject);
        await PutPartAsync(upload, 2, parts[0], kind);
        List<UploadedPart> put = [await PutPartAsync(upload, 1, parts[0], kind), await PutPartAsync(upload, 2, parts[1], kind), await PutPartAsync(upload, 7, parts[2], kind)];
        await PutPartAsync(upload, 9, Bytes(100_000), kind);
        byte[] all = [.. parts.SelectMany(part => part)];
        Assert.Equal([1, 2, 7, 9], (await Store.ListPartsAsync(B, "k", upload.Id, 0, 10, Cancel)).Value!.Select(part => part.Number));
        Assert.Equal([7], (await Store.ListPartsAsync(B, "k", upload.Id, 2, 1, Cancel)).Value!.Select(part => part.Number));
        Assert.Equal(all.Length + 100_000, (await BucketAsync()).UsedBytes);
        var done = (await CompleteAsync(upload, put)).Value!;
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData([.. parts.SelectMany(MD5.HashData)])) + "-3", done.ETag);
        Assert.Equal(await WholeAsync(all, kind), Assert.Single(done.Checksums).Value);
        var found = (await FindAsync("k"))!;
        Assert.Equal(all, await ReadAsync(Store, found));
        Assert.Equal([1, 2, 7], found.Parts.Select(part => part.Number));
        Assert.Equal(all[(Least - 3)..(Least + 5)], await ReadAsync(Store, found, Least - 3, 8));
        Assert.Equal(all[^20..], await ReadAsync(Store, found, all.Length - 20));
        Assert.Equal((all.Length, 1), ((await BucketAsync()).UsedBytes, (await BucketAsync()).Objects));
        Assert.Equal(StoreFault.NoSuchUpload, (await Store.FindUploadAsync(B, "k", upload.Id, Cancel)).Fault);
        Assert.Equal(done.Id, (await CompleteAsync(upload, put)).Value!.Id);
        Assert.Equal(StoreFault.NoSuchUpload, (await CompleteAsync(upload, put[..2])).Fault);
        await Store.CollectAsync(TimeSpan.Zero, Cancel);
        Assert.Equal(2, Files().Length);
        await DeleteAsync("k");
        await Store.CollectAsync(TimeSpan.Zero, Cancel);
        Assert.Empty(Files());
        Assert.Equal(StoreFault.NoSuchUpload, (await CompleteAsync(upload, put)).Fault);
    }

    [Fact]
    public async Task A_composite_checksum_is_of_the_checksums_of_the_parts()
    {
        byte[][] parts = [Bytes(Least), Bytes(1)];
        var upload = await BeginAsync("k", ChecksumKind.Sha256, null);
        List<UploadedPart> put = [await PutPartAsync(upload, 1, parts[0], ChecksumKind.Sha256), await PutPartAsync(upload, 2, parts[1], ChecksumKind.Sha256)];
        var done = (await CompleteAsync(upload, put)).Value!;
        Assert.Equal(new ObjectChecksum(ChecksumKind.Sha256, ChecksumType.Composite, Convert.ToBase64String(SHA256.HashData([.. parts.SelectMany(SHA256.HashData)])) + "-2"), Assert.Single(done.Checksums));
    }

    [Fact]
    public async Task A_completion_that_does_not_fit_the_parts_is_refused()
    {
        var upload = await BeginAsync("k", ChecksumKind.Crc32, null);
        var (one, two) = (await PutPartAsync(upload, 1, Bytes(10), ChecksumKind.Crc32), await PutPartAsync(upload, 2, Bytes(10), ChecksumKind.Crc32));
        Assert.Equal(StoreFault.PartTooSmall, (await CompleteAsync(upload, [one, two])).Fault);
        Assert.Equal(StoreFault.InvalidPartOrder, (await CompleteAsync(upload, [two, one])).Fault);
        Assert.Equal(StoreFault.InvalidPart, (await CompleteAsync(upload, [])).Fault);
        Assert.Equal(StoreFault.InvalidPart, (await CompleteAsync(upload, [one with { ETag = two.ETag }])).Fault);
        Assert.Equal(StoreFault.InvalidPart, (await CompleteAsync(upload, [one with { Number = 3 }])).Fault);
        Assert.Equal(StoreFault.InvalidPart, (await Store.CompleteAsync(B, "k", upload.Id, [new NamedPart(1, one.ETag, [(ChecksumKind.Crc32, "AAAAAA==")])], null, WriteConditions.None, Cancel)).Fault);
        Assert.Equal(StoreFault.ChecksumMismatch, (await Store.CompleteAsync(B, "k", upload.Id, [new NamedPart(1, one.ETag, [])],
            new ObjectChecksum(ChecksumKind.Crc32, ChecksumType.FullObject, "AAAAAA=="), WriteConditions.None, Cancel)).Fault);
        Assert.Equal(StoreFault.NoSuchUpload, (await Store.CompleteAsync(B, "other", upload.Id, [new NamedPart(1, one.ETag, [])], null, WriteConditions.None, Cancel)).Fault);
        await PutAsync("k");
        Assert.Equal(StoreFault.PreconditionFailed, (await Store.CompleteAsync(B, "k", upload.Id, [new NamedPart(1, one.ETag, [])], null, new WriteConditions(IfNoneMatch: "*"), Cancel)).Fault);
        Assert.Null((await CompleteAsync(upload, [one])).Fault);
        Assert.Equal(10, (await BucketAsync()).UsedBytes);
    }

    [Fact]
    public async Task An_upload_that_is_aborted_leaves_nothing()
    {
        var upload = await BeginAsync("k", null, null);
        await PutPartAsync(upload, 1, Bytes(100_000));
        using var held = new HeldStream();
        var late = Store.PutPartAsync(B, "k", upload.Id, 2, new IncomingBody(held, null, null, [], static _ => null), Cancel).AsTask();
        await held.Reached;
        Assert.Null(await Store.AbortAsync(B, "k", upload.Id, Cancel));
        held.LetGo();
        Assert.Equal(StoreFault.NoSuchUpload, (await late).Fault);
        Assert.Equal(StoreFault.NoSuchUpload, await Store.AbortAsync(B, "k", upload.Id, Cancel));
        Assert.Equal(0, (await BucketAsync()).UsedBytes);
        await Store.CollectAsync(TimeSpan.Zero, Cancel);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task An_upload_that_nobody_touched_for_a_week_is_removed()
    {
        using var folder = new Scratch();
        var clock = new SetClock();
        await using var store = await OpenStoreAsync(folder["s"], static () => false, time: clock);
        await store.CreateBucketAsync(B, "ada", CannedAcl.Private, Cancel);
        var upload = (await store.BeginUploadAsync(B, New("k"), null, null, Cancel)).Value!;
        clock.Now += TimeSpan.FromDays(6);
        await store.PutPartAsync(B, "k", upload.Id, 1, Body(Bytes(100_000)), Cancel);
        clock.Now += TimeSpan.FromDays(6);
        await store.SweepAsync(Cancel);
        var usage = await store.UsageAsync(Cancel);
        Assert.Equal((1, upload.StartedAt), (usage.Uploads, usage.OldestUpload));
        clock.Now += TimeSpan.FromDays(2);
        await store.SweepAsync(Cancel);
        Assert.Equal((0, 0), ((await store.UsageAsync(Cancel)).Uploads, (await store.UsageAsync(Cancel)).Bytes));
    }

    [Fact]
    public async Task Part_numbers_and_quotas_are_looked_at()
    {
        var upload = await BeginAsync("k", null, null);
        Assert.Equal(StoreFault.InvalidPart, (await Store.PutPartAsync(B, "k", upload.Id, 0, Body([1]), Cancel)).Fault);
        Assert.Equal(StoreFault.InvalidPart, (await Store.PutPartAsync(B, "k", upload.Id, 10_001, Body([1]), Cancel)).Fault);
        await ChangeAsync(new BucketChange { QuotaBytes = 1000 });
        await PutPartAsync(upload, 1, Bytes(800));
        Assert.Equal(StoreFault.QuotaExceeded, (await Store.PutPartAsync(B, "k", upload.Id, 2, Body(Bytes(300)), Cancel)).Fault);
        await PutPartAsync(upload, 1, Bytes(1000));
    }

    [Fact]
    public async Task A_part_may_be_copied_from_an_object()
    {
        var bytes = Bytes(400_000);
        var source = await PutAsync("source", bytes);
        var upload = await BeginAsync("k", ChecksumKind.Crc32C, ChecksumType.FullObject);
        var part = (await Store.CopyPartAsync(source, 1000, 300_000, B, "k", upload.Id, 1, Cancel)).Value!;
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(bytes.AsSpan(1000, 300_000))), part.ETag);
        await CompleteAsync(upload, [part]);
        Assert.Equal(bytes[1000..301_000], await ReadAsync("k"));
    }

    [Fact]
    public async Task Uploads_are_listed_by_key_and_start_and_paged()
    {
        List<Upload> uploads = [];
        foreach (var key in new[] { "b", "a", "b", "d/1", "d/2" })
        {
            uploads.Add(await BeginAsync(key, null, null));
        }
        string[] expected = [uploads[1].Id, uploads[0].Id, uploads[2].Id, uploads[3].Id, uploads[4].Id];
        List<string> seen = [];
        var (key2, id) = ("", "");
        while (true)
        {
            var page = (await Store.ListUploadsAsync(B, new ListUploads("", "", key2, id, 2), Cancel)).Value!;
            seen.AddRange(page.Uploads.Select(upload => upload.Id));
            if (page.NextKey is null)
            {
                break;
            }
            (key2, id) = (page.NextKey, page.NextUpload!);
        }
        Assert.Equal(expected, seen, StringComparer.Ordinal);
        var grouped = (await Store.ListUploadsAsync(B, new ListUploads("", "/", "", "", 10), Cancel)).Value!;
        Assert.Equal((3, "d/"), (grouped.Uploads.Count, Assert.Single(grouped.CommonPrefixes)));
    }

    private async Task<Upload> BeginAsync(string key, ChecksumKind? kind, ChecksumType? type) => (await Store.BeginUploadAsync(B, New(key), kind, type, Cancel)).Value!;

    private async Task<UploadedPart> PutPartAsync(Upload upload, int number, byte[] bytes, params ChecksumKind[] kinds)
    {
        var put = await Store.PutPartAsync(B, upload.Key, upload.Id, number, Body(bytes, kinds), Cancel);
        Assert.Null(put.Fault);
        return put.Value!;
    }

    private ValueTask<Stored<StoredObject>> CompleteAsync(Upload upload, IReadOnlyList<UploadedPart> parts) =>
        Store.CompleteAsync(B, upload.Key, upload.Id, [.. parts.Select(part => new NamedPart(part.Number, part.ETag, []))], null, WriteConditions.None, Cancel);

    private async Task<string> WholeAsync(byte[] all, ChecksumKind kind) =>
        (await Store.PutAsync(B, New("whole"), Body(all, kind), Cancel)).Value!.Checksums.Single().Value is var value && await DeleteAsync("whole") is not null ? value : "";
}
