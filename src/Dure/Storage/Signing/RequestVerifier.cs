using System.Globalization;
using Dure.Storage.S3;
using Microsoft.Extensions.Primitives;

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
/// <param name="Sha256">Of the body as the client claims it, hex; null when it does not.</param>
public sealed record VerifiedRequest(AccessKey? Key, BodySigning Signing, ChunkSeed? ChunkSeed, string? Sha256 = null);

/// <summary>The start of a chain of chunk signatures.</summary>
/// <param name="SigningKey">32 bytes, derived for the day, region and service.</param>
/// <param name="Signature">The request's own, hex.</param>
/// <param name="Timestamp"><c>20261126T101112Z</c>.</param>
/// <param name="Scope"><c>20261126/us-east-1/s3/aws4_request</c>.</param>
public sealed record ChunkSeed(byte[] SigningKey, string Signature, string Timestamp, string Scope);

/// <summary>Verifies signatures: AWS Signature Version 4 in the header and in the query, Version 2 in the query.</summary>
/// <param name="find">The key of an id; null when there is none.</param>
/// <param name="region">The store's region; <c>us-east-1</c> is accepted beside it.</param>
/// <param name="virtualBucket">The bucket that the host names; null when it names none. Version 2 signs it.</param>
public sealed partial class RequestVerifier(Func<string, AccessKey?> find, string region, TimeProvider time, Func<HttpRequest, string?>? virtualBucket = null)
{
    private const string ContentSha256 = "x-amz-content-sha256";
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(15);

    private readonly SigningKeys _keys = new();

    /// <summary>The verified request, or the error that S3 answers with. No signature at all is an anonymous request.</summary>
    public (VerifiedRequest? Request, S3Error? Error) Verify(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var target = RequestTarget.Of(request);
        var inQuery = target.Pairs.Any(pair => pair.Name is "X-Amz-Algorithm" or "X-Amz-Signature" or "X-Amz-Credential");
        var inQueryV2 = !inQuery && target.Pairs.Any(pair => pair.Name is "AWSAccessKeyId" or "Signature");
        if (header.Length > 0 && (inQuery || inQueryV2))
        {
            return (null, SigningErrors.TwoMechanisms);
        }
        return header.Length > 0 ? VerifyHeader(request, header, target)
            : inQuery ? VerifyQuery(request, target)
            : inQueryV2 ? VerifyQueryV2(request, target)
            : VerifyAnonymous(request);
    }

    private static (VerifiedRequest? Request, S3Error? Error) VerifyAnonymous(HttpRequest request)
    {
        var payload = request.Headers[ContentSha256].ToString();
        return payload.Length == 0 ? (new VerifiedRequest(null, BodySigning.None, null), null)
            : SigningOf(payload) is not { } signing ? (null, BadContentSha256(payload))
            : signing is BodySigning.Chunks or BodySigning.ChunksAndTrailer ? (null, SigningErrors.Invalid("Chunks can only be signed in a signed request."))
            : (new VerifiedRequest(null, signing, null, signing == BodySigning.Sha256 ? payload : null), null);
    }

    private (VerifiedRequest? Request, S3Error? Error) VerifyHeader(HttpRequest request, string header, RequestTarget target)
    {
        var (authorization, error) = AuthorizationHeader.Parse(header);
        if (authorization is null)
        {
            return (null, error);
        }
        var (scope, fault) = CredentialScope.Parse(authorization.Credential);
        if (scope is null)
        {
            return (null, SigningErrors.Malformed(fault!));
        }
        if (!IsRegion(scope.Region))
        {
            return (null, WrongRegion("AuthorizationHeaderMalformed", "The authorization header is malformed; ", scope.Region));
        }
        if (FindKey(scope.KeyId) is not { } key)
        {
            return (null, SigningErrors.UnknownKey(scope.KeyId));
        }
        if (request.Headers.ContainsKey("x-amz-security-token"))
        {
            return (null, SigningErrors.OtherToken);
        }
        if (TimeOf(request) is not { } signedAt)
        {
            return (null, SigningErrors.NoDate);
        }
        var timestamp = CredentialScope.Timestamp(signedAt);
        var now = time.GetUtcNow();
        if ((now - signedAt).Duration() > SkewMax)
        {
            return (null, SigningErrors.Skewed(timestamp, now, SkewMax));
        }
        if (timestamp[..8] != scope.Date)
        {
            return (null, SigningErrors.Malformed($"Invalid credential date \"{scope.Date}\". This date is not the same as X-Amz-Date: \"{timestamp[..8]}\"."));
        }
        if (NotSigned(request, authorization.SignedHeaders, "") is { Count: > 0 } missing)
        {
            return (null, SigningErrors.NotSigned(missing));
        }
        var payload = request.Headers[ContentSha256].ToString();
        return payload.Length == 0 ? (null, SigningErrors.NoContentSha256)
            : SigningOf(payload) is { } signing ? Check(request, target, new(key, scope, timestamp, authorization.SignedHeaders, authorization.Signature), signing, payload, payload)
            : (null, BadContentSha256(payload));
    }

    private (VerifiedRequest? Request, S3Error? Error) Check(HttpRequest request, RequestTarget target, SignatureV4 given, BodySigning signing, string payload, string guard)
    {
        var canonical = CanonicalRequest.Make(request.Method, target, given.SignedHeaders, name => HeaderOf(request, name), payload);
        var text = SigningKeys.StringToSign(given.Timestamp, given.Scope.Scope, canonical);
        var signingKey = _keys.Find(given.Key.Secret, given.Scope.Date, given.Scope.Region);
        if (!SigningKeys.AreEqual(SigningKeys.Sign(signingKey, text), given.Signature))
        {
            return (null, SigningErrors.Mismatch(given.Key.Id, given.Signature, text, canonical));
        }
        var seed = signing is BodySigning.Chunks or BodySigning.ChunksAndTrailer
            ? new ChunkSeed(signingKey, given.Signature, given.Timestamp, given.Scope.Scope)
            : null;
        return (new VerifiedRequest(given.Key, signing, seed, signing == BodySigning.Sha256 ? guard : null), null);
    }

    private AccessKey? FindKey(string id) => find(id) is { } key && !(key.ExpiresAt <= time.GetUtcNow()) ? key : null;

    private bool IsRegion(string name) => name == region || name == "us-east-1";

    private S3Error WrongRegion(string code, string start, string name) => new(
        code, 400, $"{start}the region '{name}' is wrong; expecting '{region}'", new Dictionary<string, string>(StringComparer.Ordinal) { ["Region"] = region });

    // The host and every x-amz- header must be signed: who changes one on the way changes what is done.
    private static List<string> NotSigned(HttpRequest request, IReadOnlyList<string> signed, string but)
    {
        var missing = new List<string>();
        if (!signed.Contains("host", StringComparer.Ordinal))
        {
            missing.Add("host");
        }
        foreach (var header in request.Headers)
        {
            if (header.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase)
                && !header.Key.Equals(but, StringComparison.OrdinalIgnoreCase)
                && !signed.Contains(header.Key.ToLowerInvariant(), StringComparer.Ordinal))
            {
                missing.Add(header.Key.ToLowerInvariant());
            }
        }
        return missing;
    }

    private static StringValues HeaderOf(HttpRequest request, string name) =>
        name == "host" && StringValues.IsNullOrEmpty(request.Headers.Host) ? request.Host.Value : request.Headers[name];

    private static DateTimeOffset? TimeOf(HttpRequest request)
    {
        if (request.Headers.TryGetValue("x-amz-date", out var given))
        {
            return CredentialScope.TryParseTime(given, out var at) ? at : null;
        }
        var date = request.Headers.Date.ToString();
        return CredentialScope.TryParseTime(date, out var exact) ? exact
            : DateTimeOffset.TryParseExact(date, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var web) ? web
            : null;
    }

    private static BodySigning? SigningOf(string payload) => payload switch
    {
        "UNSIGNED-PAYLOAD" => BodySigning.None,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => BodySigning.Chunks,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => BodySigning.ChunksAndTrailer,
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => BodySigning.UnsignedTrailer,
        { Length: 64 } when payload.All(char.IsAsciiHexDigit) => BodySigning.Sha256,
        _ => null,
    };

    private static S3Error BadContentSha256(string payload) => SigningErrors.BadArgument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
            + "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        ContentSha256,
        payload);

    // What a client says that it signed, and with which key.
    private sealed record SignatureV4(AccessKey Key, CredentialScope Scope, string Timestamp, IReadOnlyList<string> SignedHeaders, string Signature);
}
