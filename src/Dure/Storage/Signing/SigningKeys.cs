using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Storage.Signing;

/// <summary>Derives the keys of a day, region and service, and remembers them: four HMACs saved on each request.</summary>
internal sealed class SigningKeys
{
    private const int KeptMax = 1024;

    private readonly ConcurrentDictionary<(string Secret, string Date, string Region), byte[]> _kept = new();

    /// <summary>The key of a secret; 32 bytes that nobody may change.</summary>
    /// <param name="date"><c>20261126</c>.</param>
    public byte[] Find(string secret, string date, string region)
    {
        if (_kept.TryGetValue((secret, date, region), out var key))
        {
            return key;
        }
        key = Derive(secret, date, region);
        if (_kept.Count >= KeptMax)
        {
            // Days pass and keys go; what is still in use comes back at once.
            _kept.Clear();
        }
        _kept[(secret, date, region)] = key;
        return key;
    }

    /// <summary>Derives the key.</summary>
    public static byte[] Derive(string secret, string date, string region)
    {
        var key = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(date));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(region));
        key = HMACSHA256.HashData(key, "s3"u8);
        return HMACSHA256.HashData(key, "aws4_request"u8);
    }

    /// <summary>Signs a text; hex.</summary>
    public static string Sign(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));

    /// <summary>The text that is signed for a request.</summary>
    /// <param name="timestamp"><c>20261126T101112Z</c>.</param>
    public static string StringToSign(string timestamp, string scope, string canonicalRequest) =>
        $"{CredentialScope.Algorithm}\n{timestamp}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)))}";

    /// <summary>Compares in a time that does not tell where they differ.</summary>
    public static bool AreEqual(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right));
}
