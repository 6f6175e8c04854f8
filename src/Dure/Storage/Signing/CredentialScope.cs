using System.Globalization;

namespace Dure.Storage.Signing;

/// <summary>A credential of Signature Version 4: <c>KEY/20261126/us-east-1/s3/aws4_request</c>.</summary>
internal sealed record CredentialScope(string KeyId, string Date, string Region)
{
    /// <summary>The algorithm that is understood.</summary>
    public const string Algorithm = "AWS4-HMAC-SHA256";

    private const string Long = "yyyyMMdd'T'HHmmss'Z'";
    private const string Service = "s3";
    private const string Terminal = "aws4_request";

    /// <summary>What follows the key.</summary>
    public string Scope => $"{Date}/{Region}/{Service}/{Terminal}";

    /// <summary>Reads a credential.</summary>
    /// <returns>It, or the part of S3's message that says what is wrong.</returns>
    public static (CredentialScope? Scope, string? Fault) Parse(string text)
    {
        // A key may hold slashes, what follows it does not.
        var parts = text.Split('/');
        if (parts.Length < 5 || !IsDate(parts[^4]))
        {
            return (null, "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
        }
        var id = string.Join('/', parts[..^4]);
        return id.Length == 0 ? (null, "a non-empty Access Key (AKID) must be provided in the credential.")
            : parts[^2] != Service ? (null, $"incorrect service \"{parts[^2]}\". This endpoint belongs to \"{Service}\".")
            : parts[^1] != Terminal ? (null, $"incorrect terminal \"{parts[^1]}\". This endpoint uses \"{Terminal}\".")
            : (new CredentialScope(id, parts[^4], parts[^3]), null);
    }

    /// <summary>Reads <c>20261126T101112Z</c>.</summary>
    public static bool TryParseTime(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, Long, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);

    /// <summary>Writes <c>20261126T101112Z</c>.</summary>
    public static string Timestamp(DateTimeOffset time) => time.UtcDateTime.ToString(Long, CultureInfo.InvariantCulture);

    /// <summary>Writes a time as S3 does in the details of errors.</summary>
    public static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static bool IsDate(string text) => text.Length == 8 && !text.AsSpan().ContainsAnyExceptInRange('0', '9');
}
