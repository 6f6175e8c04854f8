using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>What is wrong with one thing.</summary>
public enum FindingKind
{
    /// <summary>The provider does not have it.</summary>
    Missing,

    /// <summary>The provider has something else under its name.</summary>
    Wrong,

    /// <summary>The provider's bytes are others, though it says they are not.</summary>
    Damaged,

    /// <summary>This machine does not have its bytes.</summary>
    MissingHere,

    /// <summary>This machine's bytes are others.</summary>
    DamagedHere,
}

/// <summary>One fault that a comparison found.</summary>
internal sealed record Finding(FindingKind Kind, Originals Originals, OutboxEntry Entry);

/// <summary>
/// Compares a provider's listing with what the databases say should be there, and reads a sample, or all, of the bytes at both ends.
/// </summary>
/// <param name="full">Read all bytes, there and here, instead of a sample there.</param>
internal sealed class Comparison(ReplicationService service, ReplicaTarget target, bool full, StorageLines lines, TimeProvider time)
{
    private const double Sample = 0.01;
    private const int SampleLeast = 20;
    private const int TellEvery = 1000;
    private static readonly string[] Prefixes = ["blobs/", "buckets/", "results/", "sources/"];

    private readonly ReplicaReader _reader = new(target.Objects, time);
    private readonly Dictionary<UInt128, long> _there = [];
    private readonly HashSet<UInt128> _seen = [];
    private readonly Counts _counts = new();
    private double _share;

    /// <summary>Compares.</summary>
    /// <param name="found">Told every fault as it is found; of one thing, those of this machine come first.</param>
    public async Task<Outcome<VerifyReport>> RunAsync(Func<Finding, Task> found, CancellationToken cancel)
    {
        var begun = time.GetTimestamp();
        foreach (var prefix in Prefixes)
        {
            var problem = await _reader.ListAsync(prefix, facts =>
            {
                _there[Short(facts.Key)] = facts.Length;
                return default;
            }, cancel);
            if (problem is not null)
                return problem;
            await lines.SayAsync($"{target.Name}: {_there.Count} objects listed");
        }
        _share = full ? 1 : Math.Max(Sample, SampleLeast / Math.Max(1.0, _there.Count));
        foreach (var originals in service.Originals)
        {
            await foreach (var entry in originals.WantedAsync(target.Name, cancel))
            {
                if (await CompareAsync(originals, entry, found, cancel) is { } problem)
                    return problem;
            }
        }
        return new VerifyReport(target.Name, time.GetUtcNow(), full, _counts.Objects, _counts.Bytes, _counts.Missing, _counts.Wrong, _counts.Damaged, _counts.MissingHere, _counts.DamagedHere,
            _counts.Pending, _counts.Read, _counts.ReadBytes, (long)time.GetElapsedTime(begun).TotalMilliseconds);
    }

    private async Task<Problem?> CompareAsync(Originals originals, OutboxEntry entry, Func<Finding, Task> found, CancellationToken cancel)
    {
        var isBlob = entry.Kind == OutboxKind.Blob;
        var key = isBlob ? ReplicaKeys.Blob(entry.Name) : entry.Name;
        var id = Short(key);
        if (!_seen.Add(id))
            return null;
        _counts.Objects++;
        _counts.Bytes += entry.Bytes;
        if (_counts.Objects % TellEvery == 0)
            await lines.SayAsync($"{target.Name}: {_counts.Objects} compared");
        if (isBlob && await LookHereAsync(originals, entry, cancel) is { } here)
        {
            _ = here == FindingKind.MissingHere ? _counts.MissingHere++ : _counts.DamagedHere++;
            await found(new Finding(here, originals, entry));
        }
        if (!_there.TryGetValue(id, out var length) || length != entry.Bytes)
        {
            if (await originals.Outbox.IsPendingAsync(target.Name, entry.Kind, entry.Name, cancel))
            {
                _counts.Pending++;
                return null;
            }
            // It may have come since the listing.
            var now = await target.Objects.HeadAsync(key, cancel);
            if (now.Ok && now.Value.Length == entry.Bytes)
                return null;
            if (!now.Ok && now.Problem.Kind != Providers.ProviderErrors.NoSuchObject)
                return now.Problem;
            var kind = now.Ok ? FindingKind.Wrong : FindingKind.Missing;
            _ = kind == FindingKind.Wrong ? _counts.Wrong++ : _counts.Missing++;
            await found(new Finding(kind, originals, entry));
            return null;
        }
        if (_share < 1 && Random.Shared.NextDouble() >= _share)
            return null;
        return await ReadAsync(originals, entry, key, found, cancel);
    }

    private async Task<Problem?> ReadAsync(Originals originals, OutboxEntry entry, string key, Func<Finding, Task> found, CancellationToken cancel)
    {
        _counts.Read++;
        _counts.ReadBytes += entry.Bytes;
        bool same;
        if (entry.Kind == OutboxKind.Blob)
        {
            var problem = await _reader.CheckBlobAsync(entry.Name, entry.Bytes, cancel);
            if (problem is not null && problem.Kind != ReplicationErrors.Mismatch)
                return problem;
            same = problem is null;
        }
        else
        {
            var text = await _reader.ReadManifestAsync(key, cancel);
            if (!text.Ok && text.Problem.Kind != ReplicationErrors.Unreadable)
                return text.Problem;
            // What was changed meanwhile waits to be sent.
            same = text.Ok && text.Value == entry.Body || await originals.Outbox.IsPendingAsync(target.Name, entry.Kind, entry.Name, cancel);
        }
        if (!same)
        {
            _counts.Damaged++;
            await found(new Finding(FindingKind.Damaged, originals, entry));
        }
        return null;
    }

    private async ValueTask<FindingKind?> LookHereAsync(Originals originals, OutboxEntry entry, CancellationToken cancel)
    {
        if (await originals.OpenAsync(entry.Name, cancel) is not { } stream)
            return FindingKind.MissingHere;
        await using (stream)
        {
            if (stream.CanSeek && stream.Length != entry.Bytes)
                return FindingKind.DamagedHere;
        }
        return full && !await IsWholeHereAsync(originals, entry, cancel) ? FindingKind.DamagedHere : null;
    }

    /// <summary>Whether this machine has the bytes of a digest, read to the end.</summary>
    internal static async Task<bool> IsWholeHereAsync(Originals originals, OutboxEntry entry, CancellationToken cancel)
    {
        if (await originals.OpenAsync(entry.Name, cancel) is not { } stream)
            return false;
        await using var verified = new VerifiedStream(stream, entry.Name, entry.Bytes);
        try
        {
            await verified.CopyToAsync(Stream.Null, 128 * 1024, cancel);
            return true;
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return false;
        }
    }

    // Half of a digest of the key: a million keys take 48 MB instead of several times that.
    private static UInt128 Short(string key)
    {
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    private sealed class Counts
    {
        public long Objects, Bytes, Missing, Wrong, Damaged, MissingHere, DamagedHere, Pending, Read, ReadBytes;
    }
}
