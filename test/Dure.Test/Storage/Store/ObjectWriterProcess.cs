using System.Security.Cryptography;
using Dure.Storage.Store;

namespace Dure.Test.Storage.Store;

/// <summary>Processes that write objects and say what was acknowledged, for tests that kill them or let the disk run full.</summary>
internal static class ObjectWriterProcess
{
    /// <summary>Writes, replaces and deletes objects of all sizes and multipart objects, four at a time, and prints key and SHA-256 (or a dash) when the store has answered.</summary>
    public static async Task<int> WriteForEverAsync(string[] args)
    {
        await using var store = await StoreTest.OpenStoreAsync(args[0], static () => false, part: 1);
        await store.CreateBucketAsync(StoreTest.B, "ada", CannedAcl.Private, CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; ; i++)
            {
                var key = $"{args[1]}-{worker}-{i % 20}";
                var bytes = RandomNumberGenerator.GetBytes(1 << RandomNumberGenerator.GetInt32(21));
                // Said before it is done: what a kill interrupts may be the old or the new.
                Say($"try {key} {(i % 7 == 6 ? "-" : Digest(bytes))}");
                if (i % 7 == 6)
                    await store.DeleteAsync(StoreTest.B, key, null, WriteConditions.None, CancellationToken.None);
                else if (i % 7 == 5)
                    await PutInPartsAsync(store, key, bytes);
                else
                    await store.PutAsync(StoreTest.B, StoreTest.New(key), StoreTest.Body(bytes), CancellationToken.None);
                Say($"did {key} {(i % 7 == 6 ? "-" : Digest(bytes))}");
            }
        })));
        return 0;
    }

    /// <summary>Puts objects until the disk is full, prints what was acknowledged and what can be read then, deletes all and puts one more.</summary>
    public static async Task<int> FillDiskAsync(string[] args)
    {
        await using var store = await StoreTest.OpenStoreAsync(args[0], static () => false);
        await store.CreateBucketAsync(StoreTest.B, "ada", CannedAcl.Private, CancellationToken.None);
        var length = int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture);
        var count = 0;
        Stored<StoredObject> put;
        while ((put = await PutAsync(store, count, length)).Fault is null)
            count++;
        Console.WriteLine($"fault {put.Fault}");
        Console.WriteLine($"put {count}");
        var good = 0;
        for (var i = 0; i < count; i++)
        {
            var found = (await store.FindAsync(StoreTest.B, $"{i}", null, CancellationToken.None)).Value!;
            if (await StoreTest.ReadAsync(store, found) is { } bytes && Digest(bytes) == found.Sha256)
                good++;
        }
        Console.WriteLine($"good {good}");
        Console.WriteLine($"files {Directory.GetFiles(Path.Combine(args[0], "data"), "*", SearchOption.AllDirectories).Length}");
        for (var i = 0; i < count; i++)
            await store.DeleteAsync(StoreTest.B, $"{i}", null, WriteConditions.None, CancellationToken.None);
        await store.CollectAsync(TimeSpan.Zero, CancellationToken.None);
        Console.WriteLine($"after {(await PutAsync(store, 0, length)).Fault is null}");
        return 0;
    }

    internal static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static ValueTask<Stored<StoredObject>> PutAsync(ObjectStore store, int number, int length) =>
        store.PutAsync(StoreTest.B, StoreTest.New($"{number}"), StoreTest.Body(RandomNumberGenerator.GetBytes(length)), CancellationToken.None);

    private static async Task PutInPartsAsync(ObjectStore store, string key, byte[] bytes)
    {
        var upload = (await store.BeginUploadAsync(StoreTest.B, StoreTest.New(key), null, null, CancellationToken.None)).Value!;
        List<NamedPart> parts = [];
        foreach (var piece in bytes.Chunk(bytes.Length / 2 + 1))
        {
            var part = (await store.PutPartAsync(StoreTest.B, key, upload.Id, parts.Count + 1, StoreTest.Body(piece), CancellationToken.None)).Value!;
            parts.Add(new NamedPart(part.Number, part.ETag, []));
        }
        await store.CompleteAsync(StoreTest.B, key, upload.Id, parts, null, WriteConditions.None, CancellationToken.None);
    }

    private static void Say(string line)
    {
        lock (Console.Out)
        {
            Console.WriteLine(line);
        }
    }
}
