using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>What is known of an object at a provider.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Metadata">Lower-case names; <c>sha256</c> is the digest that was given when it was put.</param>
public sealed record ObjectFacts(string Key, long Length, string? ETag, DateTimeOffset ModifiedAt, string? ContentType, IReadOnlyDictionary<string, string> Metadata);

/// <summary>What to put.</summary>
/// <param name="Length">Bytes of the content; null when unknown, which is sent in parts.</param>
/// <param name="Sha256">Of the content, 64 hex digits, kept as metadata and compared when it is read whole; null computes it where that is possible.</param>
/// <param name="OnlyIfAbsent">Fail with <see cref="ProviderErrors.Exists"/> instead of replacing.</param>
public sealed record PutObject(string Key, Stream Content, long? Length, string? Sha256 = null, string? ContentType = null,
    IReadOnlyDictionary<string, string>? Metadata = null, bool OnlyIfAbsent = false);

/// <summary>A page of a listing, in the order of keys.</summary>
/// <param name="Next">Continues; null at the end.</param>
public sealed record ObjectsPage(IReadOnlyList<ObjectFacts> Objects, string? Next);

/// <summary>
/// Objects at a provider: a folder (another disk, an NFS mount), an S3-compatible store, Azure Blob. The keyed side of the Blobs seam.
/// Expected failures are problems that name the provider; every promise is stated in <c>test/Dure.Test/Contracts/ObjectsContract.cs</c>.
/// </summary>
public interface IObjects : IAsyncDisposable
{
    /// <summary>The provider's name in the configuration.</summary>
    string Name { get; }

    /// <summary>Puts an object, whole or not at all; large or of unknown length in parts. The bytes are guarded by a checksum on the way.</summary>
    Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel);

    /// <summary>Opens an object, or a range of it. A whole read whose bytes do not match the SHA-256 in the metadata throws <see cref="InvalidDataException"/> at its end.</summary>
    Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel);

    /// <summary>What is known of it, or <see cref="ProviderErrors.NoSuchObject"/>.</summary>
    Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel);

    /// <summary>Lists keys that begin with a prefix; metadata is not filled in.</summary>
    Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel);

    /// <summary>Deletes; what is not there is no error.</summary>
    Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel);

    /// <summary>Copies within the provider.</summary>
    Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel);

    /// <summary>An address that anyone may GET or PUT until it expires; null when the provider has none (a folder).</summary>
    Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null);
}
