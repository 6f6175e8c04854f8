using System.Text;
using Dure.Host;
using Dure.Storage.Providers;

namespace Dure.Storage.Replication;

/// <summary>Reads copies back from a provider, and tries a few times what fails on the way.</summary>
internal sealed class ReplicaReader(IObjects provider, TimeProvider time)
{
    private const int Tries = 4;
    private const int PageMost = 1000;
    private const int ManifestBytesMost = 64 << 20;

    /// <summary>Tells every object whose key begins with a prefix, until one answer is a problem.</summary>
    public async Task<Problem?> ListAsync(string prefix, Func<ObjectFacts, ValueTask<Problem?>> each, CancellationToken cancel)
    {
        string? next = null;
        do
        {
            var page = await AgainAsync(c => provider.ListAsync(prefix, next, PageMost, c), cancel);
            if (!page.Ok)
                return page.Problem;
            foreach (var facts in page.Value.Objects)
            {
                if (await each(facts) is { } problem)
                    return problem;
            }
            next = page.Value.Next;
        }
        while (next is not null);
        return null;
    }

    /// <summary>Opens the copy of a digest; its last read throws <see cref="InvalidDataException"/> when the bytes are others.</summary>
    /// <param name="bytes">As they should be; null asks the provider.</param>
    public async Task<Outcome<Stream>> OpenBlobAsync(string digest, long? bytes, CancellationToken cancel)
    {
        var key = ReplicaKeys.Blob(digest);
        if (bytes is null)
        {
            var known = await AgainAsync(c => provider.HeadAsync(key, c), cancel);
            if (!known.Ok)
                return known.Problem;
            bytes = known.Value.Length;
        }
        var opened = await AgainAsync(c => provider.GetAsync(key, 0, null, c), cancel);
        return opened.Ok ? new Outcome<Stream>(new VerifiedStream(opened.Value, digest, bytes.Value)) : opened.Problem;
    }

    /// <summary>Reads a manifest.</summary>
    public async Task<Outcome<string>> ReadManifestAsync(string key, CancellationToken cancel)
    {
        var opened = await AgainAsync(c => provider.GetAsync(key, 0, null, c), cancel);
        if (!opened.Ok)
            return opened.Problem;
        await using var stream = opened.Value;
        using var kept = new MemoryStream();
        try
        {
            var buffer = new byte[16 * 1024];
            while (await stream.ReadAsync(buffer, cancel) is var read and > 0)
            {
                await kept.WriteAsync(buffer.AsMemory(0, read), cancel);
                if (kept.Length > ManifestBytesMost)
                    return ReplicationErrors.Unreadable.With($"{provider.Name}: {key} has more than {ManifestBytesMost} bytes.");
            }
        }
        catch (Exception error) when (error is IOException or InvalidDataException or HttpRequestException)
        {
            return ReplicationErrors.Unreadable.With($"{provider.Name}: {key}: {error.Message}");
        }
        return Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    /// <summary>Reads a copy to its end.</summary>
    /// <returns>Null when its bytes are those of the digest; SourceDamaged when they are others.</returns>
    public async Task<Problem?> CheckBlobAsync(string digest, long bytes, CancellationToken cancel)
    {
        var opened = await OpenBlobAsync(digest, bytes, cancel);
        return opened.Ok ? await PassAsync(opened.Value, Stream.Null, digest, cancel) : opened.Problem;
    }

    /// <summary>Brings a copy into a file; what is left of one that failed is removed.</summary>
    public async Task<Problem?> FetchAsync(string digest, long bytes, string path, CancellationToken cancel)
    {
        Problem? problem = null;
        for (var tries = 0; tries < Tries; tries++)
        {
            var opened = await OpenBlobAsync(digest, bytes, cancel);
            if (!opened.Ok)
                return opened.Problem;
            await using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true))
                problem = await PassAsync(opened.Value, file, digest, cancel);
            if (problem is null)
                return null;
            File.Delete(path);
        }
        return problem;
    }

    private async Task<Problem?> PassAsync(Stream from, Stream to, string digest, CancellationToken cancel)
    {
        await using (from)
        {
            try
            {
                await from.CopyToAsync(to, 128 * 1024, cancel);
                return null;
            }
            catch (InvalidDataException)
            {
                return ReplicationErrors.Mismatch.With($"{provider.Name}: the bytes of {ReplicaKeys.Blob(digest)} are others.");
            }
            catch (Exception error) when (error is IOException or HttpRequestException)
            {
                return ProviderErrors.Unreachable.With($"{provider.Name}: {error.Message}");
            }
        }
    }

    private async Task<Outcome<T>> AgainAsync<T>(Func<CancellationToken, Task<Outcome<T>>> ask, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            var answer = await ask(cancel);
            if (answer.Ok || answer.Problem.Kind != ProviderErrors.Unreachable || tries == Tries)
                return answer;
            await Task.Delay(Backoff.Wait(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5), tries - 1, Random.Shared.NextDouble()), time, cancel);
        }
    }
}
