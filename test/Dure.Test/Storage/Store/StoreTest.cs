using System.IO.Pipelines;
using System.Security.Cryptography;
using Dure.Storage.Checksums;
using Dure.Storage.Store;
using Dure.Test.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Storage.Store;

/// <summary>A store in a folder of its own, and short words for what tests do with it.</summary>
public abstract class StoreTest : IAsyncLifetime
{
    internal const string B = "bucket";

    internal Scratch Folder { get; } = new();

    internal ObjectStore Store { get; private set; } = null!;

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal bool Refuses { get; set; }

    public async ValueTask InitializeAsync()
    {
        await OpenAsync();
        Assert.Null((await Store.CreateBucketAsync(B, "ada", CannedAcl.Private, Cancel)).Fault);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    internal async Task OpenAsync()
    {
        var opened = await OpenStoreAsync(Folder["store"], () => Refuses);
        Store = opened;
    }

    internal static async Task<ObjectStore> OpenStoreAsync(string folder, Func<bool> refuses, long part = 5 << 20, TimeProvider? time = null) =>
        (await ObjectStore.OpenAsync(new StoreOptions(folder, 32 * 1024, TimeSpan.FromDays(7), refuses) { PartBytesLeast = part }, time ?? TimeProvider.System, NullLogger.Instance, CancellationToken.None)).Value;

    internal static NewObject New(string key, WriteConditions? conditions = null) =>
        new(key, "ada", ObjectHeaders.None, CannedAcl.Private, new Dictionary<string, string>(), conditions ?? WriteConditions.None);

    internal static IncomingBody Body(byte[] bytes, params ChecksumKind[] compute) => new(new MemoryStream(bytes), bytes.Length, null, compute, static _ => null);

    internal ValueTask<Stored<StoredObject>> TryPutAsync(string key, byte[] bytes, WriteConditions? conditions = null) => Store.PutAsync(B, New(key, conditions), Body(bytes), Cancel);

    internal async Task<StoredObject> PutAsync(string key, byte[] bytes)
    {
        var put = await TryPutAsync(key, bytes);
        Assert.Null(put.Fault);
        return put.Value!;
    }

    internal Task<StoredObject> PutAsync(string key, string text = "x") => PutAsync(key, System.Text.Encoding.UTF8.GetBytes(text));

    internal async Task<StoredObject?> FindAsync(string key, string? version = null) => (await Store.FindAsync(B, key, version, Cancel)).Value;

    internal async Task<byte[]?> ReadAsync(string key, string? version = null) => await FindAsync(key, version) is { } found ? await ReadAsync(Store, found) : null;

    internal static async Task<byte[]?> ReadAsync(ObjectStore store, StoredObject what, long offset = 0, long? length = null)
    {
        var opened = await store.OpenAsync(what, offset, length ?? what.Size - offset, Cancel);
        Assert.Null(opened.Fault);
        await using var reader = opened.Value!;
        return await ReadAsync(reader);
    }

    internal static async Task<byte[]?> ReadAsync(ObjectReader reader)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var whole = await reader.CopyToAsync(pipe.Writer, Cancel);
        await pipe.Writer.CompleteAsync();
        var copy = new MemoryStream();
        await pipe.Reader.CopyToAsync(copy, Cancel);
        return whole ? copy.ToArray() : null;
    }

    internal async Task ChangeAsync(BucketChange change) => Assert.Null(await Store.ChangeBucketAsync(B, change, Cancel));

    internal Task VersionAsync(Versioning versioning) => ChangeAsync(new BucketChange { Versioning = versioning });

    internal async Task<Deleted> DeleteAsync(string key, string? version = null)
    {
        var deleted = await Store.DeleteAsync(B, key, version, WriteConditions.None, Cancel);
        Assert.Null(deleted.Fault);
        return deleted.Value!;
    }

    internal async Task<Bucket> BucketAsync() => (await Store.FindBucketAsync(B, Cancel))!;

    internal static byte[] Bytes(int length) => RandomNumberGenerator.GetBytes(length);

    internal string[] Files() => Directory.GetFiles(Folder["store", "data"], "*", SearchOption.AllDirectories);
}
