using Dure.Storage.S3;

namespace Dure.Storage.Signing;

/// <summary>The Authorization header of Signature Version 4, taken apart.</summary>
internal sealed record AuthorizationHeader(string Credential, IReadOnlyList<string> SignedHeaders, string Signature)
{
    private const string Three = "the authorization header requires three components: Credential, SignedHeaders, and Signature.";

    /// <summary>Reads the header.</summary>
    /// <returns>It, or S3's answer to what is wrong with it.</returns>
    public static (AuthorizationHeader? Header, S3Error? Error) Parse(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var mechanism = space < 0 ? text : text[..space];
        if (mechanism is "AWS" || mechanism.StartsWith("AWS4-", StringComparison.Ordinal) && mechanism != CredentialScope.Algorithm)
        {
            return (null, SigningErrors.OtherMechanism);
        }
        if (mechanism != CredentialScope.Algorithm)
        {
            return (null, SigningErrors.BadArgument("Unsupported Authorization Type", "Authorization", mechanism));
        }
        string? credential = null, headers = null, signature = null;
        foreach (var piece in text[mechanism.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = piece.IndexOf('=', StringComparison.Ordinal);
            var value = piece[(equals + 1)..];
            switch (equals < 0 ? "" : piece[..equals])
            {
                case "Credential":
                    credential = value;
                    break;
                case "SignedHeaders":
                    headers = value;
                    break;
                case "Signature":
                    signature = value;
                    break;
                default:
                    return (null, SigningErrors.Malformed(Three));
            }
        }
        return string.IsNullOrEmpty(credential) || string.IsNullOrEmpty(headers) || string.IsNullOrEmpty(signature)
            ? (null, SigningErrors.Malformed(Three))
            : (new AuthorizationHeader(credential, SplitHeaders(headers), signature), null);
    }

    /// <summary>Takes a list of signed headers apart; names in lower case.</summary>
    public static IReadOnlyList<string> SplitHeaders(string text) => text.ToLowerInvariant().Split(';', StringSplitOptions.RemoveEmptyEntries);
}
