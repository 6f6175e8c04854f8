using System.Buffers;
using System.Runtime.CompilerServices;
using Dure.Host;
using Dure.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage;

/// <summary>
/// Blobs in a local folder, <c>&lt;root&gt;/ab/cdef…</c>, written in <c>&lt;root&gt;/tmp</c> and renamed once they are on disk. One process writes at a
/// time; any number may read.
/// </summary>
public sealed class FolderBlobs : IBlobs
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode ReadOnlyMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string _root;
    private readonly string _temporary;
    private readonly TimeProvider _time;

    // A put that finds its content already stored and a sweep of that content must not interleave.
    private readonly Lock[] _shardLocks = [.. Enumerable.Range(0, 256).Select(_ => new Lock())];

    private FolderBlobs(string root, TimeProvider time) =>
        (_root, _temporary, _time) = (root, Path.Combine(root, "tmp"), time);

    /// <summary>Opens the store, makes its folders when they are missing and removes what a killed process left half written.</summary>
    /// <exception cref="IOException">The folders cannot be made.</exception>
    public static FolderBlobs Open(string root, TimeProvider time)
    {
        var blobs = new FolderBlobs(Path.GetFullPath(root), time);
        Directory.CreateDirectory(blobs._temporary, FolderMode);
        for (var shard = 0; shard < 256; shard++)
        {
            Directory.CreateDirectory(blobs.ShardFolder(shard), FolderMode);
        }
        DurableFile.FlushFolder(blobs._root);
        RemoveLeftovers(blobs._temporary);
        return blobs;
    }

    /// <inheritdoc/>
    public async Task<Outcome<BlobInfo>> PutAsync(Stream content, long maxLength, CancellationToken cancel)
    {
        var temporary = Path.Combine(_temporary, Path.GetRandomFileName());
        try
        {
            using var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            var copied = await Hashing.CopyAsync(content, file, maxLength, cancel);
            if (copied.Ok)
            {
                await Task.Run(() => Commit(file, temporary, copied.Value.Digest), CancellationToken.None);
            }
            return copied;
        }
        catch (IOException failure) when (DurableFile.IsNoRoom(failure))
        {
            return BlobErrors.NoRoom.With($"{_root}: {failure.Message}");
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <inheritdoc/>
    public async Task<Outcome<BlobInfo>> TakeFileAsync(string path, long maxLength, CancellationToken cancel)
    {
        var facts = FileFacts.Of(path) ?? throw new FileNotFoundException("There is no file to take.", path);
        if (!facts.Regular)
        {
            throw new IOException($"{path} is no regular file.");
        }
        Outcome<BlobInfo> taken;
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            var hashed = await Hashing.ReadAsync(file, maxLength, cancel);
            if (!hashed.Ok)
            {
                return hashed;
            }
            // Through another name the content could be changed after it was hashed.
            if (facts.Names == 1 && await Task.Run(() => TryTake(file, path, hashed.Value.Digest), CancellationToken.None))
            {
                return hashed;
            }
            await using var source = new FileStream(file, FileAccess.Read, bufferSize: 0);
            source.Position = 0;
            taken = await PutAsync(source, maxLength, cancel);
        }
        if (taken.Ok)
        {
            File.Delete(path);
        }
        return taken;
    }

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(string digest, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var options = new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        return Task.FromResult<Stream?>(Find(digest) is { } file ? OpenIfThere(file.FullName, options) : null);
    }

    /// <inheritdoc/>
    public Task<BlobInfo?> HeadAsync(string digest, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return Task.FromResult(Find(digest) is { Exists: true } file ? new BlobInfo(digest, file.Length) : null);
    }

    /// <inheritdoc/>
    public async Task<bool> LinkToAsync(string digest, string path, CancellationToken cancel)
    {
        if (Find(digest) is not { Exists: true } blob)
        {
            return false;
        }
        var beside = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            var error = DurableFile.Link(blob.FullName, beside);
            if (error is DurableFile.OtherDevice or DurableFile.NotPermitted or DurableFile.TooManyLinks)
            {
                await CopyToAsync(blob.FullName, beside, cancel);
            }
            else if (error == DurableFile.NoSuchEntry && !File.Exists(blob.FullName))
            {
                return false;
            }
            else if (error != 0)
            {
                throw DurableFile.Failure("link", path, error);
            }
            error = DurableFile.Rename(beside, path);
            return error == 0 ? true : throw DurableFile.Failure("rename", path, error);
        }
        finally
        {
            // Also after success: renaming one name of a file over another name of it does nothing.
            File.Delete(beside);
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string digest, CancellationToken cancel) => SweepAsync(digest, DateTimeOffset.MaxValue, cancel);

    /// <inheritdoc/>
    public Task<bool> SweepAsync(string digest, DateTimeOffset unlessPutSince, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (Find(digest) is not { } file)
        {
            return Task.FromResult(false);
        }
        lock (_shardLocks[ShardOf(digest)])
        {
            file.Refresh();
            if (!file.Exists || file.LastWriteTimeUtc >= unlessPutSince.UtcDateTime)
            {
                return Task.FromResult(false);
            }
            file.Delete();
            return Task.FromResult(true);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        for (var shard = 0; shard < 256; shard++)
        {
            cancel.ThrowIfCancellationRequested();
            var folder = new DirectoryInfo(ShardFolder(shard));
            foreach (var blob in await Task.Run(() => ListShard(folder), cancel))
            {
                yield return blob;
            }
        }
    }

    private static List<BlobInfo> ListShard(DirectoryInfo folder) =>
    [
        .. folder.EnumerateFiles()
            .Select(file => (Digest: folder.Name + file.Name, file.Exists, Length: file.Exists ? file.Length : 0))
            .Where(file => file.Exists && IsDigest(file.Digest))
            .OrderBy(file => file.Digest, StringComparer.Ordinal)
            .Select(file => new BlobInfo(file.Digest, file.Length)),
    ];

    private static FileStream? OpenIfThere(string path, FileStreamOptions options)
    {
        try
        {
            return new FileStream(path, options);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static async Task CopyToAsync(string source, string target, CancellationToken cancel)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = ReadOnlyMode,
            BufferSize = 0,
        };
        await using var from = File.OpenRead(source);
        await using var to = new FileStream(target, options);
        await from.CopyToAsync(to, cancel);
    }

    private static void RemoveLeftovers(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            try
            {
                // A writer that is alive holds the lock that FileShare.None takes.
                File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
                File.Delete(path);
            }
            catch (IOException)
            {
            }
        }
    }

    private static bool IsDigest(string text) => text.Length == 64 && !text.AsSpan().ContainsAnyExcept(HexDigits);

    private static int ShardOf(string digest) => Convert.FromHexString(digest.AsSpan(0, 2))[0];

    private void Commit(SafeFileHandle file, string temporary, string digest)
    {
        if (!PutInPlace(file, temporary, digest, out var error))
        {
            throw DurableFile.Failure("rename", temporary, error);
        }
    }

    private bool TryTake(SafeFileHandle file, string path, string digest)
    {
        if (!PutInPlace(file, path, digest, out var error))
        {
            return error == DurableFile.OtherDevice ? false : throw DurableFile.Failure("rename", path, error);
        }
        File.Delete(path);
        return true;
    }

    private bool PutInPlace(SafeFileHandle file, string source, string digest, out int error)
    {
        var target = Find(digest)!;
        File.SetUnixFileMode(file, ReadOnlyMode);
        RandomAccess.FlushToDisk(file);
        lock (_shardLocks[ShardOf(digest)])
        {
            var now = _time.GetUtcNow().UtcDateTime;
            target.Refresh();
            if (target.Exists && target.Length == RandomAccess.GetLength(file))
            {
                File.SetLastWriteTimeUtc(target.FullName, now);
                error = 0;
            }
            else
            {
                File.SetLastWriteTimeUtc(file, now);
                error = DurableFile.Rename(source, target.FullName);
            }
        }
        if (error == 0)
        {
            // Also when the blob was there already: whoever put it may not have come this far yet.
            DurableFile.FlushFolder(target.DirectoryName!);
        }
        return error == 0;
    }

    private FileInfo? Find(string digest) =>
        IsDigest(digest) ? new FileInfo(Path.Combine(_root, digest[..2], digest[2..])) : null;

    private string ShardFolder(int shard) => Path.Combine(_root, shard.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
}
