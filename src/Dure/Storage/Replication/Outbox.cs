using System.Security.Cryptography;
using System.Text;
using Dure.Host.Data;

namespace Dure.Storage.Replication;

/// <summary>What a row of the outbox asks for.</summary>
public enum OutboxKind
{
    /// <summary>The provider gets the bytes of a digest, under <see cref="ReplicaKeys.Blob"/>.</summary>
    Blob = 0,

    /// <summary>The provider gets a small text under a name: what is needed to make an object, a version or a result again.</summary>
    Manifest = 1,

    /// <summary>The provider's text under a name is removed.</summary>
    RemoveManifest = 2,
}

/// <summary>Names of objects at a provider.</summary>
public static class ReplicaKeys
{
    /// <summary>Bytes by their SHA-256.</summary>
    public static string Blob(string digest) => $"blobs/{digest[..2]}/{digest}";

    private const int SegmentMost = 200;
    private const int SegmentHead = 100;

    /// <summary>
    /// One version of an object of a bucket. Keys are escaped, so that a name is one segment; of a long one only the beginning is there, because
    /// escaping may make three characters of each and providers take 1,024, folders 255. The manifest has it whole.
    /// </summary>
    /// <param name="id">See <see cref="Store.StoredObject.Id"/>.</param>
    public static string Version(string bucket, string key, long id) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"buckets/{bucket}/objects/{Segment(key)}/{id:d19}.json");

    /// <summary>The configuration of a bucket.</summary>
    public static string Bucket(string bucket) => $"buckets/{bucket}/bucket.json";

    /// <summary>The result of an invocation.</summary>
    public static string Result(string function, string invocation) => $"results/{function}/{invocation}.json";

    /// <summary>A version of a function.</summary>
    public static string Source(string function, string version) => $"sources/{function}/{version}.json";

    private static string Segment(string key)
    {
        var escaped = Uri.EscapeDataString(key);
        if (escaped.Length > SegmentMost)
            return $"{escaped[..SegmentHead]}~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}";
        // On the way to a provider, segments of dots would be taken for folders above.
        return escaped.AsSpan().ContainsAnyExcept('.') ? escaped : escaped.Replace(".", "%2E", StringComparison.Ordinal);
    }
}

/// <summary>One thing that one provider must get.</summary>
/// <param name="Name">Digest, or name of the manifest.</param>
/// <param name="Bytes">Length of what is sent.</param>
/// <param name="Body">The manifest; null otherwise.</param>
public sealed record OutboxEntry(OutboxKind Kind, string Provider, string Name, long Bytes, string? Body = null);

/// <summary>
/// What providers have not confirmed yet, in the database that holds what is to be copied: a row is written in the transaction that
/// keeps the original, and leaves when the provider has confirmed its copy. All SQL about it is in this folder.
/// </summary>
public static class Outbox
{
    /// <summary>Adds a row to the transaction of a write.</summary>
    /// <param name="now">Unix ms.</param>
    public static async ValueTask AddAsync(DbSession session, OutboxEntry entry, long now) => await session.ExecuteAsync(
        "INSERT INTO replication (kind, provider, name, bytes, body, created_at, next_at, tries) VALUES ($1, $2, $3, $4, $5, $6, $6, 0)",
        (long)entry.Kind, entry.Provider, entry.Name, entry.Bytes, entry.Body, now);

    /// <summary>Digests that wait for any provider: clean-up leaves what they name.</summary>
    public static ValueTask<List<string>> PendingDigestsAsync(DbSession session) =>
        session.QueryAsync("SELECT DISTINCT name FROM replication WHERE kind = 0", static row => row.GetString(0));
}
