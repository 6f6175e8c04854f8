using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dure.Host.Identity.Oidc;

/// <summary>What an identity provider says of somebody.</summary>
/// <param name="EmailVerified">Only then is the address believed.</param>
internal sealed record OidcClaims(string Subject, string? Email, bool EmailVerified, string? Name, string? Username);

/// <summary>What an identity token must agree with.</summary>
internal sealed record IdTokenChecks(string Issuer, string ClientId, string Nonce, DateTimeOffset Now);

/// <summary>Checks identity tokens: signature by one of the provider's keys (RS256, ES256), issuer, audience, lifetime, nonce.</summary>
internal static class IdToken
{
    private const int RsaBitsLeast = 2048;
    private const int LengthMax = 64 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>The id of the key that signed it; empty when it names none, null when this is no token.</summary>
    public static string? KeyIdOf(string token) => Part(token, 0) is { } header ? Text(header, "kid") ?? "" : null;

    /// <summary>What the token says, or which check it fails.</summary>
    public static (OidcClaims? Claims, string? Wrong) Check(string token, IReadOnlyList<JsonElement> keys, IdTokenChecks checks)
    {
        if (Part(token, 0) is not { } header || Part(token, 1) is not { } claims || token.Split('.') is not [var first, var second, var signed])
            return (null, "this is no JSON Web Token");
        var (algorithm, id) = (Text(header, "alg"), Text(header, "kid"));
        if (algorithm is not ("RS256" or "ES256") || header.TryGetProperty("crit", out _))
            return (null, $"it is signed with {algorithm ?? "nothing"}; RS256 and ES256 are accepted");
        var signature = Decode(signed);
        var content = Encoding.ASCII.GetBytes($"{first}.{second}");
        if (signature is null || !keys.Where(key => id is null || Text(key, "kid") == id).Any(key => Verify(algorithm, key, content, signature)))
            return (null, "none of the provider's keys signed it");
        return Wrong(claims, checks) is { } wrong ? (null, wrong) : (ClaimsOf(claims), null);
    }

    /// <summary>What claims say, of a token or of the provider's answer about somebody.</summary>
    public static OidcClaims ClaimsOf(JsonElement claims) => new(
        Text(claims, "sub")!,
        Text(claims, "email"),
        claims.TryGetProperty("email_verified", out var verified) && (verified.ValueKind == JsonValueKind.True || (verified.ValueKind == JsonValueKind.String && verified.GetString() == "true")),
        Text(claims, "name"),
        Text(claims, "preferred_username"));

    /// <summary>A text of an object; null when it is missing or something else.</summary>
    public static string? Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Wrong(JsonElement claims, IdTokenChecks checks)
    {
        if (Text(claims, "iss") != checks.Issuer)
            return $"its issuer is '{Text(claims, "iss")}'";
        var audience = Audience(claims);
        if (!audience.Contains(checks.ClientId, StringComparer.Ordinal))
            return "it is meant for another client";
        if ((audience.Count > 1 || claims.TryGetProperty("azp", out _)) && Text(claims, "azp") != checks.ClientId)
            return "another client asked for it";
        if (Seconds(claims, "exp") is not { } expires || expires + Skew < checks.Now)
            return "it has expired";
        if (Seconds(claims, "nbf") is { } begins && begins - Skew > checks.Now)
            return "it is not valid yet";
        if (Text(claims, "nonce") is not { } nonce || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(checks.Nonce)))
            return "it was made for another sign-in (nonce)";
        return Text(claims, "sub") is { Length: > 0 and <= 255 } ? null : "it names nobody";
    }

    private static List<string> Audience(JsonElement claims) => !claims.TryGetProperty("aud", out var audience) ? []
        : audience.ValueKind == JsonValueKind.String ? [audience.GetString()!]
        : audience.ValueKind == JsonValueKind.Array ? [.. audience.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)] : [];

    private static DateTimeOffset? Seconds(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000)) : null;

    private static bool Verify(string algorithm, JsonElement key, byte[] content, byte[] signature)
    {
        try
        {
            if (Text(key, "use") is not (null or "sig") || Text(key, "alg") is { } meant && meant != algorithm)
                return false;
            if (algorithm == "RS256" && Text(key, "kty") == "RSA" && Decode(Text(key, "n")) is { } modulus && Decode(Text(key, "e")) is { } exponent)
            {
                using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
                return rsa.KeySize >= RsaBitsLeast && rsa.VerifyData(content, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }
            if (algorithm == "ES256" && Text(key, "kty") == "EC" && Text(key, "crv") == "P-256" && Decode(Text(key, "x")) is { } x && Decode(Text(key, "y")) is { } y)
            {
                using var curve = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
                return curve.VerifyData(content, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            }
            return false;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static JsonElement? Part(string token, int at)
    {
        if (token.Length > LengthMax || token.Split('.') is not { Length: 3 } parts || Decode(parts[at]) is not { } json)
            return null;
        try
        {
            using var read = JsonDocument.Parse(json);
            return read.RootElement.ValueKind == JsonValueKind.Object ? read.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[]? Decode(string? text)
    {
        try
        {
            return text is null ? null : Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
