using Dure.Storage.S3;

namespace Dure.Storage.Signing;

/// <summary>How the body of a request is guarded, from <c>x-amz-content-sha256</c>.</summary>
public enum BodySigning
{
    /// <summary>Not signed (UNSIGNED-PAYLOAD, a pre-signed address, an anonymous request).</summary>
    None,

    /// <summary>The header holds the SHA-256 of the body.</summary>
    Sha256,

    /// <summary>STREAMING-AWS4-HMAC-SHA256-PAYLOAD: aws-chunked, every chunk signed.</summary>
    Chunks,

    /// <summary>STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER.</summary>
    ChunksAndTrailer,

    /// <summary>STREAMING-UNSIGNED-PAYLOAD-TRAILER: aws-chunked with a trailer, no signatures.</summary>
    UnsignedTrailer,
}

/// <summary>A request whose signature holds.</summary>
/// <param name="Key">Null for an anonymous request.</param>
/// <param name="Signing">How its body is guarded.</param>
/// <param name="ChunkSeed">What the chunk signatures start from; null when chunks are not signed.</param>
public sealed record VerifiedRequest(AccessKey? Key, BodySigning Signing, ChunkSeed? ChunkSeed);

/// <summary>The start of a chain of chunk signatures.</summary>
/// <param name="SigningKey">32 bytes, derived for the day, region and service.</param>
/// <param name="Signature">The request's own, hex.</param>
/// <param name="Timestamp"><c>20261126T101112Z</c>.</param>
/// <param name="Scope"><c>20261126/us-east-1/s3/aws4_request</c>.</param>
public sealed record ChunkSeed(byte[] SigningKey, string Signature, string Timestamp, string Scope);

/// <summary>Verifies signatures: AWS Signature Version 4 in the header and in the query, Version 2 in the query.</summary>
/// <param name="find">The key of an id; null when there is none.</param>
/// <param name="region">The store's region; <c>us-east-1</c> is accepted beside it.</param>
public sealed class RequestVerifier(Func<string, AccessKey?> find, string region, TimeProvider time)
{
    /// <summary>The verified request, or the error that S3 answers with. No signature at all is an anonymous request.</summary>
    public (VerifiedRequest? Request, S3Error? Error) Verify(HttpRequest request)
    {
        _ = (find, region, time, request);
        throw new NotSupportedException();
    }
}
