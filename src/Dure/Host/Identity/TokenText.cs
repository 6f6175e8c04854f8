using System.Security.Cryptography;
using System.Text;

namespace Dure.Host.Identity;

/// <summary>
/// The text of a token, <c>dure_ID_SECRET</c>: an id of 10 characters in Crockford's base 32, which may be shown, and a secret of 43
/// characters in base 62, 256 random bits, of which only the SHA-256 is kept.
/// </summary>
public static class TokenText
{
    internal const int IdLength = 10;
    internal const int SecretLength = SecretText.Length;
    private const string Start = "dure_";

    /// <summary>A new one that nobody can guess.</summary>
    public static string Make() => $"{Start}{SecretText.NewId(IdLength)}_{SecretText.New()}";

    /// <summary>Takes a token's text apart.</summary>
    /// <returns>False when it does not have the form of one.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out ReadOnlySpan<char> id, out ReadOnlySpan<char> secret)
    {
        const int Length = 5 + IdLength + 1 + SecretLength;
        if (text.Length != Length || !text.StartsWith(Start, StringComparison.Ordinal) || text[5 + IdLength] != '_')
        {
            id = secret = default;
            return false;
        }
        id = text.Slice(5, IdLength);
        secret = text[(5 + IdLength + 1)..];
        return true;
    }

    /// <summary>SHA-256 of the secret's characters.</summary>
    public static byte[] Hash(ReadOnlySpan<char> secret)
    {
        Span<byte> bytes = stackalloc byte[SecretLength];
        return SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(secret, bytes)]);
    }
}
