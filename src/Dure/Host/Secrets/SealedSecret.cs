using System.Security.Cryptography;
using System.Text;

namespace Dure.Host.Secrets;

/// <summary>A secret's value as it is stored: AES-256-GCM, bound to its name so that no row's value can stand in for another's.</summary>
/// <param name="KeyId">Which of <see cref="SecretKeys"/> sealed it.</param>
/// <param name="Nonce">12 bytes, random.</param>
/// <param name="Tag">16 bytes.</param>
/// <param name="Content">The encrypted value.</param>
internal sealed record SealedSecret(string Name, string KeyId, byte[] Nonce, byte[] Tag, byte[] Content)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Seals a value with the current key.</summary>
    public static SealedSecret Seal(string name, string value, SecretKeys keys)
    {
        var (id, key) = keys.Current;
        var plain = Encoding.UTF8.GetBytes(value);
        var made = new SealedSecret(name, id, RandomNumberGenerator.GetBytes(NonceBytes), new byte[TagBytes], new byte[plain.Length]);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(made.Nonce, plain, made.Content, made.Tag, Encoding.UTF8.GetBytes(name));
        CryptographicOperations.ZeroMemory(plain);
        return made;
    }

    /// <summary>Opens it; null when its key is missing or it was changed.</summary>
    public string? Open(SecretKeys keys)
    {
        if (keys.Find(KeyId) is not { } key || Nonce.Length != NonceBytes || Tag.Length != TagBytes)
        {
            return null;
        }
        var plain = new byte[Content.Length];
        try
        {
            using var cipher = new AesGcm(key, TagBytes);
            cipher.Decrypt(Nonce, Content, Tag, plain, Encoding.UTF8.GetBytes(Name));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }
}
