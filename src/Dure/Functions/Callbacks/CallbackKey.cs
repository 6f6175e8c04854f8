using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dure.Host.Files;

namespace Dure.Functions.Callbacks;

/// <summary>
/// Signs callbacks, so that their receiver knows who sent them. The key is the text in <c>&lt;data&gt;/keys/callback.key</c>, made at first use;
/// to replace it, delete the file and restart.
/// </summary>
public sealed class CallbackKey
{
    private readonly byte[] _key;

    private CallbackKey(byte[] key) => _key = key;

    /// <summary>Where it is.</summary>
    public static string PathIn(string data) => Path.Combine(KeyFolder.PathIn(data), "callback.key");

    /// <summary>Reads the key; makes one when there is none.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static CallbackKey Open(string data)
    {
        var path = PathIn(data);
        if (KeyFolder.Read(path)?.Trim() is not { Length: > 0 } text)
        {
            text = RandomNumberGenerator.GetHexString(64, lowercase: true);
            KeyFolder.Write(path, Encoding.ASCII.GetBytes(text + "\n"));
        }
        return new CallbackKey(Encoding.ASCII.GetBytes(text));
    }

    /// <summary>The value of the header <c>Dure-Signature</c>.</summary>
    public string Sign(DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var seconds = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(Encoding.ASCII.GetBytes(seconds + "."));
        hash.AppendData(body);
        return $"t={seconds},v1={Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
