using Dure.Host;

namespace Dure.Storage;

/// <summary>A stored blob.</summary>
/// <param name="Digest">SHA-256 of the content, 64 lower-case hex digits.</param>
/// <param name="Length">Bytes.</param>
public sealed record BlobInfo(string Digest, long Length);

/// <summary>
/// The Blobs seam: immutable content addressed by digest. What <see cref="PutAsync"/> returned survives a crash of the
/// process and of the machine; what is only half there is never seen. A text that is no digest names no blob. Every
/// promise is stated in <c>test/Dure.Test/Contracts/BlobsContract.cs</c>.
/// </summary>
public interface IBlobs
{
    /// <summary>Stores the content durably; storing the same content twice is one blob.</summary>
    /// <param name="maxLength">More bytes than this are refused and nothing is kept.</param>
    /// <returns>The blob, or a problem (too large, disk full). What reading <paramref name="content"/> throws is passed on.</returns>
    Task<Outcome<BlobInfo>> PutAsync(Stream content, long maxLength, CancellationToken cancel);

    /// <summary>
    /// Takes over a regular file: by rename when it lies on the store's file system, else by copying. The source is gone
    /// afterwards; on a problem it stays. The caller owns the file alone: what a sandbox can still reach may
    /// change after it was hashed, and is stored with <see cref="PutAsync"/> instead.
    /// </summary>
    /// <exception cref="IOException">There is no such file, or it is a link, a pipe, a folder or another thing that is no regular file.</exception>
    Task<Outcome<BlobInfo>> TakeFileAsync(string path, long maxLength, CancellationToken cancel);

    /// <summary>Opens for reading (seekable), or null when there is none. Stays readable while the blob is removed.</summary>
    Task<Stream?> OpenAsync(string digest, CancellationToken cancel);

    /// <summary>Whether it exists and how long it is; null when it does not.</summary>
    Task<BlobInfo?> HeadAsync(string digest, CancellationToken cancel);

    /// <summary>
    /// Makes the blob visible at a path as a read-only file (hard link where possible), in place of a file that is there.
    /// Not durable: a crash of the machine may forget the path.
    /// </summary>
    /// <returns>False when there is no such blob.</returns>
    /// <exception cref="IOException">The path's folder is missing, or its disk is full.</exception>
    Task<bool> LinkToAsync(string digest, string path, CancellationToken cancel);

    /// <summary>Removes it; removing what is not there is no error.</summary>
    Task DeleteAsync(string digest, CancellationToken cancel);

    /// <summary>
    /// Removes it unless it was put, for the first time or again, at or after a moment: the way to remove what no row
    /// refers to, because a row that is about to refer to it was preceded by a put.
    /// </summary>
    /// <returns>True when it was there and is gone.</returns>
    Task<bool> SweepAsync(string digest, DateTimeOffset unlessPutSince, CancellationToken cancel);

    /// <summary>Every blob, in digest order. One that comes or goes meanwhile may or may not be seen.</summary>
    IAsyncEnumerable<BlobInfo> ListAsync(CancellationToken cancel);
}
