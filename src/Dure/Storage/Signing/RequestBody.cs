using Dure.Storage.Checksums;
using Dure.Storage.S3;
using Dure.Storage.Store;

namespace Dure.Storage.Signing;

/// <summary>Reads the body of an upload: takes off aws-chunked, verifies chunk signatures and trailers, gathers what the client claims of it.</summary>
public static class RequestBody
{
    /// <summary>The body for the store, or what is wrong with the headers (InvalidDigest, InvalidRequest, MissingContentLength, EntityTooLarge...).</summary>
    /// <param name="also">A checksum to compute besides those that the client sent; null for none.</param>
    /// <param name="limit">Bytes at most.</param>
    public static (IncomingBody? Body, S3Error? Error) Open(HttpRequest request, VerifiedRequest verified, ChecksumKind? also, long limit)
    {
        _ = (request, verified, also, limit);
        throw new NotSupportedException();
    }
}
