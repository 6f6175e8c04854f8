using System.Security.Cryptography;
using System.Text;

namespace Dure.Apps.Access;

/// <summary>A link that leads into an app that is not for everybody. Its secret is known to whoever has it; here only its hash.</summary>
/// <param name="Note">What whoever made it wrote beside it.</param>
public sealed record AppLink(string Id, string App, string Owner, string Note, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt, long Visits)
{
    private const int IdLength = 8;
    private const int SecretLength = 43;
    private const string IdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const string SecretAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string NewId() => RandomNumberGenerator.GetString(IdAlphabet, IdLength);

    /// <summary>256 random bits that nobody can guess, without a character that an address would change.</summary>
    public static string NewSecret() => RandomNumberGenerator.GetString(SecretAlphabet, SecretLength);

    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Takes the text of a link's key apart: <c>ID.SECRET</c>.</summary>
    public static (string Id, string Secret)? Parse(string? key) =>
        key is { Length: IdLength + 1 + SecretLength } && key[IdLength] == '.' && !key.Any(char.IsControl) ? (key[..IdLength], key[(IdLength + 1)..]) : null;
}
