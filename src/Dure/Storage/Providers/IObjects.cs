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

    /// <summary>Begins an upload whose parts others put with <see cref="PresignPart"/>.</summary>
    /// <returns>The upload's id, or <see cref="ProviderErrors.NotSupported"/>.</returns>
    Task<Outcome<string>> BeginPartsAsync(PutObject what, CancellationToken cancel) => Task.FromResult<Outcome<string>>(NoParts());

    /// <summary>An address where anyone may PUT one part until it expires; null when the provider has none.</summary>
    /// <param name="part">1 to 10,000.</param>
    Uri? PresignPart(string key, string upload, int part, TimeSpan valid) => null;

    /// <summary>Makes an object of the parts that were put.</summary>
    /// <param name="etags">As the provider answered for parts 1, 2, 3, ...</param>
    Task<Outcome<ObjectFacts>> CompletePartsAsync(PutObject what, string upload, IReadOnlyList<string> etags, CancellationToken cancel) =>
        Task.FromResult<Outcome<ObjectFacts>>(NoParts());

    /// <summary>Drops the parts of an upload that is given up; what is not there is no error.</summary>
    Task<Outcome<bool>> AbortPartsAsync(string key, string upload, CancellationToken cancel) => Task.FromResult<Outcome<bool>>(true);

    /// <summary>Which pages of the web may use the bucket; <see cref="ProviderErrors.NotSupported"/> where there are no such rules that Dure can read.</summary>
    Task<Outcome<IReadOnlyList<BucketCors>>> GetCorsAsync(CancellationToken cancel) => Task.FromResult<Outcome<IReadOnlyList<BucketCors>>>(NoRules());

    /// <summary>Replaces the rules; <see cref="ProviderErrors.NotSupported"/> where there are none that Dure can set.</summary>
    Task<Outcome<bool>> SetCorsAsync(IReadOnlyList<BucketCors> rules, CancellationToken cancel) => Task.FromResult<Outcome<bool>>(NoRules());

    private Problem NoParts() => ProviderErrors.NotSupported.With($"{Name}: parts that are put elsewhere.");

    private Problem NoRules() => ProviderErrors.NotSupported.With($"{Name}: Dure cannot read or set rules about pages of the web here.");
}

/// <summary>One rule of who on the web may use a bucket.</summary>
/// <param name="MaxAgeSeconds">How long a browser may remember the answer; null leaves it to the browser.</param>
public sealed record BucketCors(IReadOnlyList<string> Origins, IReadOnlyList<string> Methods, IReadOnlyList<string> AllowedHeaders, IReadOnlyList<string> ExposeHeaders, int? MaxAgeSeconds);
