using System.Security.Cryptography;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Files;

namespace Dure.Storage.Providers;

/// <summary>
/// Objects in a folder: another disk, an NFS mount. Each is one file (<see cref="FolderFile"/>), written beside, flushed, put in place by its name, and its
/// folder flushed. The folder itself is never made: one that is missing is a mount that is missing.
/// </summary>
public sealed class FolderObjects : IObjects
{
    private const string Temporary = "%t";
    private const int BufferBytes = 128 << 10;

    private readonly string _root;
    private readonly string _temporary;
    private readonly string _prefix;
    private readonly TimeProvider _time;

    /// <summary>Looks at nothing yet; a folder that is missing is told by each call.</summary>
    public FolderObjects(ProviderOptions options, TimeProvider time)
    {
        (Name, _prefix, _time) = (options.Name, options.Prefix, time);
        _root = Path.GetFullPath(options.Path!);
        _temporary = Path.Combine(_root, Temporary);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel)
    {
        if (ObjectKey.Check(Name, what.Key, _prefix) is { } wrong)
        {
            return wrong;
        }

        var temporary = Path.Combine(_temporary, Path.GetRandomFileName());
        try
        {
            if (!Directory.Exists(_root))
            {
                return Missing();
            }

            Directory.CreateDirectory(_temporary);
            FolderFile written;
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 }))
            {
                var copied = await WriteAsync(what, file, cancel);
                if (!copied.Ok)
                {
                    return copied.Problem;
                }

                written = copied.Value;
                await Task.Run(() => file.Flush(flushToDisk: true), cancel);
            }

            cancel.ThrowIfCancellationRequested();
            return await Task.Run(() => PutInPlace(temporary, PathOf(what.Key), what.OnlyIfAbsent), CancellationToken.None)
                ? written.Facts(what.Key)
                : ProviderErrors.Exists.With($"{Name}: {what.Key}");
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            return Failed(failure);
        }
        finally
        {
            Remove(temporary);
        }
    }

    /// <inheritdoc/>
    public Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var opened = Open(key);
        if (!opened.Ok)
        {
            return Task.FromResult<Outcome<Stream>>(opened.Problem);
        }

        var (file, facts) = opened.Value;
        var from = Math.Min(offset, facts.Length);
        var count = Math.Min(length ?? long.MaxValue, facts.Length - from);
        file.Position = from;
        var isWhole = from == 0 && count == facts.Length;
        return Task.FromResult(new Outcome<Stream>(new ReceivedStream(new FirstBytes(file, count), $"{Name}: {key}", count, isWhole ? facts.Sha256 : null, null, default)));
    }

    /// <inheritdoc/>
    public Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var opened = Open(key);
        if (!opened.Ok)
        {
            return Task.FromResult<Outcome<ObjectFacts>>(opened.Problem);
        }

        opened.Value.File.Dispose();
        return Task.FromResult<Outcome<ObjectFacts>>(opened.Value.Facts.Facts(key));
    }

    /// <inheritdoc/>
    public Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel) => Task.Run<Outcome<ObjectsPage>>(
        () =>
        {
            if (!Directory.Exists(_root))
            {
                return Missing();
            }

            try
            {
                var found = new List<ObjectFacts>();
                foreach (var (key, path) in new FolderListing(_root, _prefix + prefix, next ?? "").Files())
                {
                    cancel.ThrowIfCancellationRequested();
                    if (found.Count == limit)
                    {
                        return new ObjectsPage(found, _prefix + found[^1].Key);
                    }

                    if (Known(path) is { } facts)
                    {
                        found.Add(facts.Facts(key[_prefix.Length..]));
                    }
                }

                return new ObjectsPage(found, null);
            }
            catch (Exception failure) when (IsExpected(failure))
            {
                return Failed(failure);
            }
        },
        cancel);

    /// <inheritdoc/>
    public Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel) => Task.Run<Outcome<bool>>(
        () =>
        {
            if (!Directory.Exists(_root))
            {
                return Missing();
            }

            try
            {
                foreach (var key in keys)
                {
                    cancel.ThrowIfCancellationRequested();
                    Delete(PathOf(key));
                }

                return true;
            }
            catch (Exception failure) when (IsExpected(failure))
            {
                return Failed(failure);
            }
        },
        cancel);

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel)
    {
        var opened = Open(from);
        if (!opened.Ok)
        {
            return opened.Problem;
        }

        var (file, facts) = opened.Value;
        await using var content = new FirstBytes(file, facts.Length);
        return await PutAsync(new PutObject(to, content, facts.Length, facts.Sha256, facts.ContentType, facts.Metadata), cancel);
    }

    /// <inheritdoc/>
    public Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null) => null;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static bool IsExpected(Exception failure) => failure is (IOException and not EndOfStreamException) or UnauthorizedAccessException;

    private async Task<Outcome<FolderFile>> WriteAsync(PutObject what, FileStream file, CancellationToken cancel)
    {
        using var reader = new PieceReader(Name, what, BufferBytes);
        var length = 0L;
        while (!reader.Ended)
        {
            var piece = await ReadAsync(reader, cancel);
            if (!piece.Ok)
            {
                return piece.Problem;
            }

            using var content = piece.Value;
            await file.WriteAsync(content.Buffer.AsMemory(0, content.Count), cancel);
            length += content.Count;
        }

        var written = new FolderFile
        {
            Key = _prefix + what.Key,
            Length = length,
            Sha256 = reader.Sha256!,
            ModifiedMs = _time.GetUtcNow().ToUnixTimeMilliseconds(),
            ContentType = what.ContentType,
            Metadata = MetadataText.Of(what, reader.Sha256),
        };
        await file.WriteAsync(written.Ending(), cancel);
        return written;
    }

    // A caller's stream that fails is the caller's to explain, not this folder's.
    private static async ValueTask<Outcome<Piece>> ReadAsync(PieceReader reader, CancellationToken cancel)
    {
        try
        {
            return await reader.NextAsync(cancel);
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            throw new InvalidDataException("The content could not be read to its end: " + failure.Message, failure);
        }
    }

    private Outcome<(FileStream File, FolderFile Facts)> Open(string key)
    {
        if (ObjectKey.Check(Name, key, _prefix) is { } wrong)
        {
            return wrong;
        }

        try
        {
            var file = new FileStream(PathOf(key), new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.Asynchronous });
            if (FolderFile.Read(file.SafeFileHandle) is { } facts && facts.Key == _prefix + key)
            {
                return (file, facts);
            }

            file.Dispose();
            return ProviderErrors.Refused.With($"{Name}: {key} is damaged: what should stand at the end of {PathOf(key)} is not there.");
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return Directory.Exists(_root) ? ProviderErrors.NoSuchObject.With($"{Name}: {key}") : Missing();
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            return Failed(failure);
        }
    }

    private static FolderFile? Known(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return FolderFile.Read(file);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <returns>False when it may not replace what is there.</returns>
    private bool PutInPlace(string temporary, string path, bool onlyIfAbsent)
    {
        var folder = Path.GetDirectoryName(path)!;
        while (true)
        {
            MakeFolders(folder);
            var error = onlyIfAbsent ? DurableFile.Link(temporary, path) : DurableFile.Rename(temporary, path);
            switch (error)
            {
                case 0:
                    DurableFile.FlushFolder(folder);
                    return true;
                case DurableFile.Exists:
                    return false;
                case DurableFile.NoSuchEntry when File.Exists(temporary):
                    // A delete found the folder empty and removed it.
                    continue;
                default:
                    throw DurableFile.Failure("rename", path, error);
            }
        }
    }

    private void MakeFolders(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        var above = Path.GetDirectoryName(folder)!;
        if (folder.Length > _root.Length)
        {
            MakeFolders(above);
        }

        Directory.CreateDirectory(folder);
        if (Directory.Exists(above))
        {
            DurableFile.FlushFolder(above);
        }
    }

    private void Delete(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (!File.Exists(path))
        {
            return;
        }

        File.Delete(path);
        DurableFile.FlushFolder(folder);
        try
        {
            for (; folder.Length > _root.Length && !Directory.EnumerateFileSystemEntries(folder).Any(); folder = Path.GetDirectoryName(folder)!)
            {
                Directory.Delete(folder);
            }
        }
        catch (IOException)
        {
            // Somebody put something there in the meantime, or was faster.
        }
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The mount is gone, and the file with it; it is told already.
        }
    }

    private string PathOf(string key) => Path.Combine(_root, FolderPath.Of(_prefix + key));

    private Problem Missing() => ProviderErrors.Unreachable.With($"{Name}: the folder {_root} is not there; is it mounted?");

    private Problem Failed(Exception failure) => failure is UnauthorizedAccessException
        ? ProviderErrors.Refused.With($"{Name}: {failure.Message}")
        : ProviderErrors.Unreachable.With($"{Name}: {failure.Message}");
}
