using System.Security.Cryptography;
using Dure.Host;
using Dure.Storage;

namespace Dure.Test.Storage;

/// <summary>Processes that write blobs and say what was acknowledged, for tests that kill them or let the disk run full.</summary>
internal static class BlobWriterProcess
{
    /// <summary>Writes blobs of all sizes, four at a time, and prints a digest when the store has answered.</summary>
    public static async Task<int> WriteForEverAsync(string[] args)
    {
        var blobs = FolderBlobs.Open(args[0], TimeProvider.System);
        var incoming = Directory.CreateDirectory(args[1]).FullName;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            while (true)
            {
                var content = RandomNumberGenerator.GetBytes(1 << RandomNumberGenerator.GetInt32(22));
                Say(worker < 3 ? await PutAsync(blobs, content) : await TakeAsync(blobs, incoming, content));
            }
        })));
        return 0;
    }

    /// <summary>
    /// Mounts a small file system of its own (it runs in a mount namespace), stores blobs until one is refused, and prints
    /// what was acknowledged, the problem, and then all that the store lists and its leftovers.
    /// </summary>
    public static async Task<int> FillDiskAsync(string[] args)
    {
        var blobs = FolderBlobs.Open(args[0], TimeProvider.System);
        Outcome<BlobInfo> put;
        while ((put = await PutAsync(blobs, RandomNumberGenerator.GetBytes(300_000))).Ok)
        {
            Console.WriteLine($"put {put.Value.Digest}");
        }
        Console.WriteLine($"problem {put.Problem.Kind.Id}");
        await foreach (var blob in blobs.ListAsync(CancellationToken.None))
        {
            await using var stream = await blobs.OpenAsync(blob.Digest, CancellationToken.None);
            Console.WriteLine($"listed {Convert.ToHexStringLower(await SHA256.HashDataAsync(stream!))}");
        }
        Console.WriteLine($"leftovers {Directory.GetFiles(Path.Combine(args[0], "tmp")).Length}");
        await foreach (var blob in blobs.ListAsync(CancellationToken.None))
        {
            await blobs.DeleteAsync(blob.Digest, CancellationToken.None);
        }
        put = await PutAsync(blobs, RandomNumberGenerator.GetBytes(300_000));
        Console.WriteLine($"after {put.Ok}");
        return 0;
    }

    private static Task<Outcome<BlobInfo>> PutAsync(FolderBlobs blobs, byte[] content) =>
        blobs.PutAsync(new MemoryStream(content), long.MaxValue, CancellationToken.None);

    private static async Task<Outcome<BlobInfo>> TakeAsync(FolderBlobs blobs, string folder, byte[] content)
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        await File.WriteAllBytesAsync(path, content);
        return await blobs.TakeFileAsync(path, long.MaxValue, CancellationToken.None);
    }

    private static void Say(Outcome<BlobInfo> put)
    {
        lock (Console.Out)
        {
            Console.WriteLine(put.Value.Digest);
        }
    }
}
