using System.Security.Cryptography;
using System.Text;

namespace Dure.Host.Identity;

/// <summary>Random texts that let somebody in, and what is kept of them.</summary>
internal static class SecretText
{
    private const string IdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const string SecretAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>Characters of a secret of 256 random bits.</summary>
    public const int Length = 43;

    /// <summary>What a secret is called by, in Crockford's base 32; it may be shown.</summary>
    public static string NewId(int length) => RandomNumberGenerator.GetString(IdAlphabet, length);

    /// <summary>A secret in base 62, without a character that an address would change.</summary>
    public static string New(int length = Length) => RandomNumberGenerator.GetString(SecretAlphabet, length);

    /// <summary>SHA-256 of its characters: all that is kept.</summary>
    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
