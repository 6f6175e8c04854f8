using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dure.Host.Identity;

/// <summary>What a session's cookie says.</summary>
/// <param name="Sid">The session's id.</param>
/// <param name="Sub">The account's name.</param>
/// <param name="Role">When it was made; what holds is the account's present one.</param>
/// <param name="Exp">Unix seconds.</param>
internal sealed record SessionClaims(string Sid, string Sub, string Role, long Exp);

/// <summary>
/// The value of the cookie: a JSON Web Token signed with HMAC-SHA256. Only the one header that is written here is read, so that no
/// token can choose how it is checked, and the signature is compared as text, so that it has one form only.
/// </summary>
internal static class SessionToken
{
    /// <summary>{"alg":"HS256","typ":"JWT"}.</summary>
    private const string Header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
    private const int LengthMax = 1024;

    /// <summary>Signs claims.</summary>
    public static string Make(SessionClaims claims, byte[] key)
    {
        var body = Header + "." + Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims, SessionTokenJson.Default.SessionClaims));
        return body + "." + Sign(body, key);
    }

    /// <summary>The claims of a token; null when it was not signed with this key, was changed, or has run out.</summary>
    public static SessionClaims? Read(string text, byte[] key, DateTimeOffset now)
    {
        if (text.Length > LengthMax || !text.StartsWith(Header + ".", StringComparison.Ordinal) || text.LastIndexOf('.') is var dot && dot <= Header.Length)
            return null;
        var expected = Sign(text[..dot], key);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(text[(dot + 1)..])))
            return null;
        try
        {
            var claims = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text.AsSpan(Header.Length + 1, dot - Header.Length - 1)), SessionTokenJson.Default.SessionClaims);
            return claims is { Sid: not null, Sub: not null } && claims.Exp > now.ToUnixTimeSeconds() ? claims : null;
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            return null;
        }
    }

    private static string Sign(string body, byte[] key) => Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(body)));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SessionClaims))]
internal sealed partial class SessionTokenJson : JsonSerializerContext;
