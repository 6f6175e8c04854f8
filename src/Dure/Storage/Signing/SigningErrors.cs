using System.Globalization;
using System.Text;
using Dure.Storage.S3;

namespace Dure.Storage.Signing;

/// <summary>S3's answers to requests whose signature or body headers are wrong, in its own codes and words.</summary>
internal static class SigningErrors
{
    public static readonly S3Error NoDate = new("AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header");

    public static readonly S3Error OtherMechanism = new("InvalidRequest", 400,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");

    public static readonly S3Error TwoMechanisms = new("InvalidArgument", 400,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified");

    public static readonly S3Error NoContentSha256 = new("InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256");

    public static readonly S3Error OtherToken = new("InvalidToken", 400, "The provided token is malformed or otherwise invalid.");

    public static readonly S3Error NoLength = new("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");

    public static readonly S3Error BadMd5 = new("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");

    public static S3Error UnknownKey(string id) => new("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.", Details(("AWSAccessKeyId", id)));

    public static S3Error Malformed(string fault) => new("AuthorizationHeaderMalformed", 400, "The authorization header is malformed; " + fault);

    public static S3Error BadQuery(string message) => new("AuthorizationQueryParametersError", 400, message);

    public static S3Error Denied(string message, params ReadOnlySpan<(string, string)> details) => new("AccessDenied", 403, message, Details(details));

    public static S3Error Invalid(string message) => new("InvalidRequest", 400, message);

    public static S3Error BadArgument(string message, string name, string value) =>
        new("InvalidArgument", 400, message, Details(("ArgumentName", name), ("ArgumentValue", value)));

    public static S3Error TooLarge(long length, long limit) => new("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size",
        Details(("ProposedSize", Text(length)), ("MaxSizeAllowed", Text(limit))));

    public static S3Error NotSigned(IEnumerable<string> headers) => Denied(
        "There were headers present in the request which were not signed", ("HeadersNotSigned", string.Join(", ", headers)));

    public static S3Error Skewed(string requestTime, DateTimeOffset now, TimeSpan most) => new("RequestTimeTooSkewed", 403,
        "The difference between the request time and the current time is too large.",
        Details(("RequestTime", requestTime), ("ServerTime", CredentialScope.Iso(now)), ("MaxAllowedSkewMilliseconds", Text((long)most.TotalMilliseconds))));

    /// <summary>Tells what was signed here, so that the client's author finds the difference. None of it is secret: it follows from the request.</summary>
    public static S3Error Mismatch(string keyId, string provided, string stringToSign, string? canonicalRequest)
    {
        var details = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AWSAccessKeyId"] = keyId,
            ["StringToSign"] = stringToSign,
            ["SignatureProvided"] = provided,
            ["StringToSignBytes"] = Bytes(stringToSign),
        };
        if (canonicalRequest is not null)
        {
            details["CanonicalRequest"] = canonicalRequest;
            details["CanonicalRequestBytes"] = Bytes(canonicalRequest);
        }
        return new S3Error("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.", details);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Bytes(string text) => BitConverter.ToString(Encoding.UTF8.GetBytes(text)).Replace('-', ' ').ToLowerInvariant();

    private static Dictionary<string, string> Details(params ReadOnlySpan<(string Name, string Value)> details)
    {
        var made = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in details)
        {
            made[name] = value;
        }
        return made;
    }
}
