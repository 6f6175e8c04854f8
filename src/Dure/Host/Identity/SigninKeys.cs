using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dure.Host.Data;
using Dure.Host.Secrets;

namespace Dure.Host.Identity;

/// <summary>
/// The key of sessions: 32 random bytes, kept in the database sealed as secrets are, so that every server on the database checks what
/// any of them signed. What it is used for gets keys of its own, derived from it.
/// </summary>
internal sealed class SigninKeys
{
    private const string Id = "session";
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const string Columns = "SELECT key_id, nonce, tag, sealed FROM signin_keys WHERE id = $1";

    // A name that no secret can have.
    private const string SealedName = "signin-key/" + Id;

    private readonly byte[] _csrf;
    private readonly byte[] _cookies;

    /// <summary>From the key itself.</summary>
    public SigninKeys(byte[] key) => (Tokens, Visits, _csrf, _cookies) =
        (Derive(key, "dure session token"), Derive(key, "dure visit of an app"), Derive(key, "dure csrf"), Derive(key, "dure sealed cookie"));

    /// <summary>Signs sessions' tokens.</summary>
    public byte[] Tokens { get; }

    /// <summary>Signs the cookies of visitors of apps; none of them opens anything else.</summary>
    public byte[] Visits { get; }

    /// <summary>Reads the key; makes it at first start, and anew when it cannot be opened: then everyone signs in again.</summary>
    public static async ValueTask<SigninKeys> OpenAsync(Database database, SecretStore secrets, CancellationToken cancel)
    {
        secrets.AlsoReseal(c => ResealAsync(database, secrets, c));
        var fresh = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
        var text = await database.WriteAsync(
            async s =>
            {
                if (await s.FirstAsync(Columns, Read, Id) is { } there && secrets.Open(there) is { } known)
                    return known;
                await PutAsync(s, secrets, fresh);
                return fresh;
            },
            cancel: cancel);
        return new SigninKeys(Convert.FromBase64String(text));
    }

    /// <summary>What a page of this session must send with each change.</summary>
    public string Csrf(string session) => Base64Url.EncodeToString(HMACSHA256.HashData(_csrf, Encoding.UTF8.GetBytes(session)));

    /// <summary>Encrypts a short text for a cookie.</summary>
    public string Seal(string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var made = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(made.AsSpan(0, NonceBytes));
        using var cipher = new AesGcm(_cookies, TagBytes);
        cipher.Encrypt(made.AsSpan(0, NonceBytes), plain, made.AsSpan(NonceBytes + TagBytes), made.AsSpan(NonceBytes, TagBytes));
        return Base64Url.EncodeToString(made);
    }

    /// <summary>What <see cref="Seal"/> was given; null when the text is not from there.</summary>
    public string? Unseal(string text)
    {
        try
        {
            var made = Base64Url.DecodeFromChars(text);
            if (made.Length < NonceBytes + TagBytes)
                return null;
            var plain = new byte[made.Length - NonceBytes - TagBytes];
            using var cipher = new AesGcm(_cookies, TagBytes);
            cipher.Decrypt(made.AsSpan(0, NonceBytes), made.AsSpan(NonceBytes + TagBytes), made.AsSpan(NonceBytes, TagBytes), plain);
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception error) when (error is FormatException or CryptographicException)
        {
            return null;
        }
    }

    private static byte[] Derive(byte[] key, string use) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, KeyBytes, info: Encoding.UTF8.GetBytes(use));

    private static async ValueTask<bool> ResealAsync(Database database, SecretStore secrets, CancellationToken cancel) => await database.WriteAsync(
        async s =>
        {
            if (await s.FirstAsync(Columns, Read, Id) is not { } old || old.KeyId == secrets.KeyId)
                return true;
            if (secrets.Open(old) is not { } text)
                return false;
            await PutAsync(s, secrets, text);
            return true;
        },
        cancel: cancel);

    private static ValueTask<int> PutAsync(DbSession s, SecretStore secrets, string text)
    {
        var made = secrets.Seal(SealedName, text);
        return s.ExecuteAsync(
            """
            INSERT INTO signin_keys (id, key_id, nonce, tag, sealed) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, nonce = excluded.nonce, tag = excluded.tag, sealed = excluded.sealed
            """,
            Id, made.KeyId, made.Nonce, made.Tag, made.Content);
    }

    private static SealedSecret Read(System.Data.Common.DbDataReader row) =>
        new(SealedName, row.GetString(0), row.GetFieldValue<byte[]>(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3));
}
