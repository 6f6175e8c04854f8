using System.Security.Cryptography;
using System.Text;
using Dure.Host;
using Dure.Host.Data;
using Dure.Storage;
using Dure.Storage.Replication;
using Dure.Test.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dure.Test.Storage.Replication;

/// <summary>A database with its outbox, a blob folder and a provider, all real.</summary>
internal sealed class Bench : IAsyncDisposable
{
    public static readonly ReplicatorOptions Quick = new(4, TimeSpan.FromMilliseconds(50));

    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private Bench(SqliteDatabase database, Scratch scratch)
    {
        (Scratch, Database) = (scratch, database);
        Blobs = FolderBlobs.Open(scratch["blobs"], TimeProvider.System);
        Folder = new PlainFolder("second", scratch["second"]);
        Second = new FaultyObjects(Folder);
        Outbox = new OutboxStore(database, TimeProvider.System);
        Target = new ReplicaTarget(Second, new ProviderHealth(TimeProvider.System), Functions: true, Both: false);
        Service = new ReplicationService([Target], Outbox, Quick, TimeProvider.System, NullLogger<ReplicationService>.Instance);
        Originals = new Listed(this);
        Service.Add(Originals);
    }

    public Scratch Scratch { get; }

    public SqliteDatabase Database { get; }

    public FolderBlobs Blobs { get; }

    public PlainFolder Folder { get; }

    public FaultyObjects Second { get; }

    public OutboxStore Outbox { get; }

    public ReplicaTarget Target { get; }

    public ReplicationService Service { get; }

    public Listed Originals { get; }

    /// <summary>What should be at the provider.</summary>
    public List<OutboxEntry> Wanted { get; } = [];

    public static async Task<Bench> OpenAsync(CancellationToken cancel)
    {
        var scratch = new Scratch();
        var database = await SqliteDatabase.OpenAsync(scratch["dure.db"], cancel);
        await Migrations.ApplyAsync(database, TimeProvider.System, cancel);
        return new Bench(database, scratch);
    }

    /// <summary>Keeps bytes and what they need to be copied.</summary>
    public async Task<OutboxEntry> KeepAsync(byte[] content, bool enqueue = true)
    {
        var blob = (await Blobs.PutAsync(new MemoryStream(content), long.MaxValue, CancellationToken.None)).Value;
        var entry = new OutboxEntry(OutboxKind.Blob, "second", blob.Digest, blob.Length);
        await AddAsync(enqueue, entry);
        return entry;
    }

    /// <summary>Keeps a manifest that needs bytes.</summary>
    public async Task<OutboxEntry> DescribeAsync(string name, string digest, bool enqueue = true)
    {
        var body = $"{{\"sha256\":\"{digest}\"}}";
        var entry = new OutboxEntry(OutboxKind.Manifest, "second", name, Encoding.UTF8.GetByteCount(body), body);
        await AddAsync(enqueue, entry);
        return entry;
    }

    public async Task AddAsync(bool enqueue, params OutboxEntry[] entries)
    {
        Wanted.AddRange(entries);
        if (!enqueue)
            return;
        await Database.WriteAsync(async s =>
        {
            foreach (var entry in entries)
                await Dure.Storage.Replication.Outbox.AddAsync(s, entry, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
            return 0;
        });
        Service.Wake();
    }

    public void Run() => _running = Service.RunAsync(_stop.Token);

    /// <summary>Waits until nothing waits.</summary>
    public async Task EmptyAsync(CancellationToken cancel)
    {
        while (await RowsAsync(cancel) > 0)
            await Task.Delay(10, cancel);
    }

    public ValueTask<long> RowsAsync(CancellationToken cancel) => Database.ReadAsync(static s => s.ScalarAsync<long>("SELECT COUNT(*) FROM replication"), cancel);

    public static async Task<(T? Report, List<string> Faults, Problem? Problem)> TellAsync<T>(Func<StorageLines, Task<Problem?>> work, Func<StorageLine, T?> pick)
        where T : class
    {
        var lines = new List<StorageLine>();
        var problem = await work(new StorageLines(line =>
        {
            lines.Add(line);
            return default;
        }));
        return (lines.Select(pick).OfType<T>().FirstOrDefault(), [.. lines.Select(line => line.Fault).OfType<string>()], problem);
    }

    public string BlobPath(string digest) => Scratch["blobs", digest[..2], digest[2..]];

    /// <summary>Changes one byte of a file and nothing that is known of it.</summary>
    public static async Task FlipAsync(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
    }

    public static byte[] Some(int bytes) => RandomNumberGenerator.GetBytes(bytes);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Service.Dispose();
        _stop.Dispose();
        await Database.DisposeAsync();
        Scratch.Dispose();
    }

    /// <summary>Blobs, and a list of what should be at the provider.</summary>
    internal sealed class Listed(Bench bench) : Originals("blobs", bench.Outbox)
    {
        public override async ValueTask<Stream?> OpenAsync(string digest, CancellationToken cancel) => await bench.Blobs.OpenAsync(digest, cancel);

        public override async IAsyncEnumerable<OutboxEntry> WantedAsync(string provider, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
        {
            await Task.Yield();
            foreach (var entry in bench.Wanted)
                yield return entry;
        }

        public override async Task<Problem?> MendAsync(string path, string digest, CancellationToken cancel)
        {
            await bench.Blobs.DeleteAsync(digest, cancel);
            return (await bench.Blobs.TakeFileAsync(path, long.MaxValue, cancel)).Problem;
        }

        public override Task RestoreAsync(Restoration from, CancellationToken cancel) => Task.CompletedTask;
    }
}
