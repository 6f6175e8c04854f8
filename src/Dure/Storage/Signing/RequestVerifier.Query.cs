using System.Globalization;
using Dure.Storage.S3;

namespace Dure.Storage.Signing;

/// <content>Addresses that were signed in advance: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html.</content>
public sealed partial class RequestVerifier
{
    private const int ExpiresMaxSeconds = 7 * 24 * 60 * 60;

    private (VerifiedRequest? Request, S3Error? Error) VerifyQuery(HttpRequest request, RequestTarget target)
    {
        if (target.Find("X-Amz-Algorithm") is not { Length: > 0 } algorithm
            || target.Find("X-Amz-Credential") is not { Length: > 0 } credential
            || target.Find("X-Amz-Signature") is not { Length: > 0 } signature
            || target.Find("X-Amz-Date") is not { Length: > 0 } date
            || target.Find("X-Amz-SignedHeaders") is not { Length: > 0 } headers
            || target.Find("X-Amz-Expires") is not { Length: > 0 } expires)
        {
            return (null, SigningErrors.BadQuery("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."));
        }
        if (algorithm != CredentialScope.Algorithm)
        {
            return (null, SigningErrors.BadQuery($"X-Amz-Algorithm only supports \"{CredentialScope.Algorithm}\""));
        }
        var (scope, fault) = CredentialScope.Parse(credential);
        if (scope is null)
        {
            return (null, SigningErrors.BadQuery("Error parsing the X-Amz-Credential parameter; " + fault));
        }
        if (!IsRegion(scope.Region))
        {
            return (null, WrongRegion("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter; ", scope.Region));
        }
        if (CheckTimes(scope, date, expires) is { } error)
        {
            return (null, error);
        }
        if (FindKey(scope.KeyId) is not { } key)
        {
            return (null, SigningErrors.UnknownKey(scope.KeyId));
        }
        if (target.Find("X-Amz-Security-Token") is not null)
        {
            return (null, SigningErrors.OtherToken);
        }
        var signed = AuthorizationHeader.SplitHeaders(headers);
        if (NotSigned(request, signed, ContentSha256) is { Count: > 0 } missing)
        {
            return (null, SigningErrors.NotSigned(missing));
        }
        return CheckQuery(request, target, new(key, scope, date, signed, signature));
    }

    // The body is not signed, unless the query or a signed header says so; a header that is not signed guards it all the same.
    private (VerifiedRequest? Request, S3Error? Error) CheckQuery(HttpRequest request, RequestTarget target, SignatureV4 given)
    {
        var inHeader = request.Headers[ContentSha256].ToString();
        var inQuery = target.Find("X-Amz-Content-Sha256");
        var payload = inQuery ?? (inHeader.Length > 0 && given.SignedHeaders.Contains(ContentSha256, StringComparer.Ordinal) ? inHeader : "UNSIGNED-PAYLOAD");
        var guard = inQuery is null or "UNSIGNED-PAYLOAD" && inHeader.Length > 0 ? inHeader : payload;
        return SigningOf(guard) is { } signing ? Check(request, target, given, signing, payload, guard) : (null, BadContentSha256(guard));
    }

    private S3Error? CheckTimes(CredentialScope scope, string date, string expires)
    {
        if (!CredentialScope.TryParseTime(date, out var signedAt))
        {
            return SigningErrors.BadQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
        }
        if (date[..8] != scope.Date)
        {
            return SigningErrors.BadQuery($"Invalid credential date \"{scope.Date}\". This date is not the same as X-Amz-Date: \"{date[..8]}\".");
        }
        if (!long.TryParse(expires, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            return SigningErrors.BadQuery("X-Amz-Expires should be a number");
        }
        if (seconds is < 1 or > ExpiresMaxSeconds)
        {
            return SigningErrors.BadQuery(seconds < 0 ? "X-Amz-Expires must be non-negative"
                : seconds == 0 ? "X-Amz-Expires must be at least 1 second"
                : "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds");
        }
        var now = time.GetUtcNow();
        if (signedAt - now > SkewMax)
        {
            return SigningErrors.Denied("Request is not yet valid", ("ServerTime", CredentialScope.Iso(now)), ("X-Amz-Date", date));
        }
        var end = signedAt.AddSeconds(seconds);
        return now > end
            ? SigningErrors.Denied("Request has expired", ("X-Amz-Expires", expires), ("Expires", CredentialScope.Iso(end)), ("ServerTime", CredentialScope.Iso(now)))
            : null;
    }

    private (VerifiedRequest? Request, S3Error? Error) VerifyQueryV2(HttpRequest request, RequestTarget target)
    {
        if (target.Find("AWSAccessKeyId") is not { Length: > 0 } id
            || target.Find("Signature") is not { Length: > 0 } signature
            || target.Find("Expires") is not { Length: > 0 } expires)
        {
            return (null, SigningErrors.Denied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"));
        }
        if (!long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
        {
            return (null, SigningErrors.Denied($"Invalid date (should be seconds since epoch): {expires}"));
        }
        var (now, end) = (time.GetUtcNow(), DateTimeOffset.FromUnixTimeSeconds(seconds));
        if (now > end)
        {
            return (null, SigningErrors.Denied("Request has expired", ("Expires", CredentialScope.Iso(end)), ("ServerTime", CredentialScope.Iso(now))));
        }
        if (FindKey(id) is not { } key)
        {
            return (null, SigningErrors.UnknownKey(id));
        }
        var text = SignatureV2.StringToSign(request, target, expires, virtualBucket?.Invoke(request));
        // Base 64 that was not encoded has lost its plus signs.
        if (!SigningKeys.AreEqual(SignatureV2.Sign(key.Secret, text), signature.Replace(' ', '+')))
        {
            return (null, SigningErrors.Mismatch(id, signature, text, canonicalRequest: null));
        }
        var (body, error) = VerifyAnonymous(request);
        return body is null ? (null, error) : (body with { Key = key }, null);
    }
}
