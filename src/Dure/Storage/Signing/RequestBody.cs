using System.Globalization;
using Dure.Storage.Checksums;
using Dure.Storage.S3;
using Dure.Storage.Store;
using Microsoft.AspNetCore.Http.Features;

namespace Dure.Storage.Signing;

/// <summary>Reads the body of an upload: takes off aws-chunked, verifies chunk signatures and trailers, gathers what the client claims of it.</summary>
public static class RequestBody
{
    private const string DecodedLength = "x-amz-decoded-content-length";

    /// <summary>The body for the store, or what is wrong with the headers (InvalidDigest, InvalidRequest, MissingContentLength, EntityTooLarge...).</summary>
    /// <param name="also">A checksum to compute besides those that the client sent; null for none.</param>
    /// <param name="limit">Bytes at most.</param>
    /// <param name="orDefault">When no checksum was sent or asked for, CRC64NVME is computed, as S3 does.</param>
    public static (IncomingBody? Body, S3Error? Error) Open(HttpRequest request, VerifiedRequest verified, ChecksumKind? also, long limit, bool orDefault = true)
    {
        var (claims, error) = BodyClaims.Read(request);
        if (claims is null)
        {
            return (null, error);
        }
        var chunked = verified.Signing is BodySigning.Chunks or BodySigning.ChunksAndTrailer or BodySigning.UnsignedTrailer;
        (var length, error) = LengthOf(request, chunked);
        if (error is not null)
        {
            return (null, error);
        }
        if (length > limit)
        {
            return (null, SigningErrors.TooLarge(length.Value, limit));
        }
        if (!chunked && claims.Trailers.Count > 0)
        {
            return (null, SigningErrors.Invalid("The header x-amz-trailer needs a body with a trailer, as x-amz-content-sha256 announces it"));
        }
        if (verified.Signing == BodySigning.Chunks && claims.Trailers.Count > 0)
        {
            return (null, SigningErrors.Invalid("The header x-amz-trailer needs a body with a trailer, as x-amz-content-sha256 announces it"));
        }
        var compute = Kinds(claims.Kind, also, orDefault);
        if (!chunked)
        {
            var plain = length is null ? new LimitedBody(request.Body, limit) : request.Body;
            return (new IncomingBody(plain, length, claims.Md5, compute, computed => Check(computed, claims.Kind, claims.Value, verified.Sha256)), null);
        }
        var framed = new ChunkedBody(
            request.BodyReader,
            length!.Value,
            verified.ChunkSeed is { } seed ? new ChunkSignatures(seed) : null,
            verified.Signing == BodySigning.Chunks ? null : claims.Trailers,
            trailerSigned: verified.Signing == BodySigning.ChunksAndTrailer);
        request.HttpContext.Response.RegisterForDispose(framed);
        return (new IncomingBody(framed, length, claims.Md5, compute, computed => CheckChunked(framed, computed, claims)), null);
    }

    private static List<ChecksumKind> Kinds(ChecksumKind? claimed, ChecksumKind? also, bool orDefault)
    {
        var kinds = new List<ChecksumKind>(2);
        if (claimed is { } sent)
        {
            kinds.Add(sent);
        }
        if (also is { } asked && asked != claimed)
        {
            kinds.Add(asked);
        }
        if (kinds.Count == 0 && orDefault)
        {
            kinds.Add(ChecksumKind.Crc64Nvme);
        }
        return kinds;
    }

    private static (long? Length, S3Error? Error) LengthOf(HttpRequest request, bool chunked)
    {
        if (chunked)
        {
            var text = request.Headers[DecodedLength].ToString();
            return text.Length == 0 ? (null, SigningErrors.NoLength)
                : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var decoded) ? (decoded, null)
                : (null, SigningErrors.BadArgument($"The value of {DecodedLength} is no length.", DecodedLength, text));
        }
        if (request.ContentLength is { } length)
        {
            return (length, null);
        }
        // Without either there is no body in HTTP/1.1, and S3 wants it to be said.
        var comes = request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? request.Headers.TransferEncoding.Count > 0;
        return comes ? (null, null) : (null, SigningErrors.NoLength);
    }

    private static StoreFault? CheckChunked(ChunkedBody body, ComputedChecksums computed, BodyClaims claims)
    {
        if (!body.Ended)
        {
            return StoreFault.IncompleteBody;
        }
        var value = claims.Trailers.Count > 0 ? body.Trailer(claims.Trailers[0]) : claims.Value;
        return claims.Kind is { } kind && ChecksumNames.Decode(kind, value) is null ? StoreFault.MalformedTrailer : Check(computed, claims.Kind, value, sha256: null);
    }

    private static StoreFault? Check(ComputedChecksums computed, ChecksumKind? kind, string? value, string? sha256)
    {
        if (sha256 is not null && !Convert.FromHexString(sha256).AsSpan().SequenceEqual(computed.Sha256))
        {
            return StoreFault.Sha256Mismatch;
        }
        return kind is { } claimed && !(computed.Values.TryGetValue(claimed, out var made) && made == value) ? StoreFault.ChecksumMismatch : null;
    }
}
