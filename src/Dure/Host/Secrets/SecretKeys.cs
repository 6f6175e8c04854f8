using System.Security.Cryptography;
using System.Text;
using Dure.Host.Files;

namespace Dure.Host.Secrets;

/// <summary>
/// The keys that seal secrets, in <c>&lt;data&gt;/keys/secrets.key</c>: one a line, an id and 256 bits in base 64. The first seals; the others
/// open what was sealed before the keys were last changed.
/// </summary>
internal sealed class SecretKeys
{
    private const int KeyBytes = 32;
    private const int IdBytes = 4;

    private readonly IReadOnlyList<(string Id, byte[] Key)> _keys;

    private SecretKeys(IReadOnlyList<(string Id, byte[] Key)> keys) => _keys = keys;

    /// <summary>The key that seals.</summary>
    public (string Id, byte[] Key) Current => _keys[0];

    /// <summary>Where they are.</summary>
    public static string PathIn(string data) => Path.Combine(KeyFolder.PathIn(data), "secrets.key");

    /// <summary>Reads the file; makes it with a new key when there is none.</summary>
    public static Outcome<SecretKeys> Open(string data)
    {
        var path = PathIn(data);
        if (KeyFolder.Read(path) is not { } text)
        {
            var made = new SecretKeys([MakeKey()]);
            made.Write(data);
            return made;
        }
        var keys = new List<(string, byte[])>();
        foreach (var (at, line) in text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Index())
        {
            var key = new byte[KeyBytes];
            if (line.Split(' ') is not [{ Length: 2 * IdBytes } id, var coded] || !Convert.TryFromBase64String(coded, key, out var length) || length != KeyBytes)
            {
                return SecretErrors.BadKeyFile.With($"{path}: line {at + 1} is no key.");
            }
            keys.Add((id, key));
        }
        return keys.Count > 0 ? new SecretKeys(keys) : SecretErrors.BadKeyFile.With($"{path} is empty.");
    }

    /// <summary>The key of an id; null when it is not there.</summary>
    public byte[]? Find(string id) => _keys.FirstOrDefault(key => key.Id == id).Key;

    /// <summary>These, after a new one.</summary>
    public SecretKeys WithNew() => new([MakeKey(), .. _keys]);

    /// <summary>The newest only.</summary>
    public SecretKeys WithoutOld() => new([Current]);

    /// <summary>Puts the file in place, durably.</summary>
    public void Write(string data)
    {
        var text = string.Concat(_keys.Select(key => $"{key.Id} {Convert.ToBase64String(key.Key)}\n"));
        KeyFolder.Write(PathIn(data), Encoding.ASCII.GetBytes(text));
    }

    private static (string Id, byte[] Key) MakeKey() =>
        (RandomNumberGenerator.GetHexString(2 * IdBytes, lowercase: true), RandomNumberGenerator.GetBytes(KeyBytes));
}
