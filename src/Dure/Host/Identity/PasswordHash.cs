using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Host.Identity;

/// <summary>
/// Hashes of passwords, as text that says how each was made: argon2id of the system's libargon2, else PBKDF2-SHA256, both with
/// OWASP's figures. They take tens of milliseconds and much memory on purpose: see <see cref="PasswordWork"/>.
/// </summary>
internal static partial class PasswordHash
{
    private const uint MemoryKiB = 19 * 1024;
    private const uint Passes = 2;
    private const uint Lanes = 1;
    private const int Iterations = 600_000;
    private const int SaltBytes = 16;
    private const int HashBytes = 32;
    private const int EncodedMax = 128;
    private const string Library = "libargon2.so.1";
    private const string Argon = "$argon2id$";
    private const string Pbkdf2 = "$pbkdf2-sha256$";
    private static readonly string Current = string.Create(CultureInfo.InvariantCulture, $"{Argon}v=19$m={MemoryKiB},t={Passes},p={Lanes}$");

    private static readonly Lazy<bool> Found = new(() => NativeLibrary.TryLoad(Library, typeof(PasswordHash).Assembly, null, out _));

    /// <summary>Whether the system has libargon2.</summary>
    public static bool HasArgon => Found.Value;

    /// <summary>Hashes a password in the best way that this machine has.</summary>
    public static string Make(string password) => HasArgon ? MakeArgon(password) : MakePbkdf2(password);

    /// <summary>Hashes with PBKDF2, which every machine has.</summary>
    public static string MakePbkdf2(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, HashBytes);
        return string.Create(CultureInfo.InvariantCulture, $"{Pbkdf2}i={Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
    }

    /// <summary>Whether a password is the one that was hashed; null when this machine cannot tell.</summary>
    public static bool? Verify(string encoded, string password)
    {
        if (encoded.StartsWith(Argon, StringComparison.Ordinal))
            return HasArgon ? VerifyArgon(encoded, password) : null;
        if (encoded.Split('$') is not ["", "pbkdf2-sha256", ['i', '=', .. var rounds], var salt, var hash] || !int.TryParse(rounds, CultureInfo.InvariantCulture, out var iterations))
            return false;
        var expected = Convert.FromBase64String(hash);
        return CryptographicOperations.FixedTimeEquals(
            Rfc2898DeriveBytes.Pbkdf2(password, Convert.FromBase64String(salt), iterations, HashAlgorithmName.SHA256, expected.Length), expected);
    }

    /// <summary>Whether a hash was made in a weaker way than one would be now.</summary>
    public static bool IsWeak(string encoded) => HasArgon
        ? !encoded.StartsWith(Current, StringComparison.Ordinal)
        : !encoded.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{Pbkdf2}i={Iterations}$"), StringComparison.Ordinal);

    private static unsafe string MakeArgon(string password)
    {
        var secret = Encoding.UTF8.GetBytes(password);
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        Span<byte> encoded = stackalloc byte[EncodedMax];
        encoded.Clear();
        int code;
        fixed (byte* secretAt = secret, saltAt = salt, encodedAt = encoded)
            code = HashEncoded(Passes, MemoryKiB, Lanes, secretAt, (nuint)secret.Length, saltAt, SaltBytes, HashBytes, encodedAt, EncodedMax);
        CryptographicOperations.ZeroMemory(secret);
        return code == 0 ? Encoding.ASCII.GetString(encoded[..encoded.IndexOf((byte)0)]) : throw new CryptographicException($"argon2id failed with {code}.");
    }

    private static unsafe bool VerifyArgon(string encoded, string password)
    {
        var secret = Encoding.UTF8.GetBytes(password);
        fixed (byte* secretAt = secret)
        {
            var code = VerifyEncoded(encoded, secretAt, (nuint)secret.Length);
            CryptographicOperations.ZeroMemory(secret);
            return code == 0;
        }
    }

    [LibraryImport(Library, EntryPoint = "argon2id_hash_encoded")]
    private static unsafe partial int HashEncoded(uint passes, uint memory, uint lanes, byte* password, nuint passwordLength, byte* salt, nuint saltLength, nuint hashLength, byte* encoded, nuint encodedLength);

    [LibraryImport(Library, EntryPoint = "argon2id_verify", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int VerifyEncoded(string encoded, byte* password, nuint passwordLength);
}

/// <summary>Does the hashing: away from the threads that read requests, two at once, and only so many that wait.</summary>
internal sealed class PasswordWork : IDisposable
{
    private const int AtOnce = 2;
    private const int WaitingMost = 16;

    // Compared with where there is no password to compare with, so that both cost the same time.
    private static readonly Lazy<string> Nobodys = new(() => PasswordHash.Make(Convert.ToBase64String(RandomNumberGenerator.GetBytes(24))));

    private readonly SemaphoreSlim _turn = new(AtOnce);
    private int _waiting;

    /// <summary>Whether a password is right.</summary>
    /// <param name="encoded">Null for somebody without a password, or nobody: then the answer is no, after as long.</param>
    public Task<Outcome<bool>> VerifyAsync(string? encoded, string password, CancellationToken cancel) => TurnAsync(
        () => PasswordHash.Verify(encoded ?? Nobodys.Value, password) switch
        {
            null => SigninErrors.NoHashing.With("The account's password was hashed with argon2id, and libargon2.so.1 is not on this machine."),
            var right => new Outcome<bool>(right.Value && encoded is not null),
        },
        cancel);

    /// <summary>Hashes a password.</summary>
    public Task<Outcome<string>> HashAsync(string password, CancellationToken cancel) => TurnAsync(() => new Outcome<string>(PasswordHash.Make(password)), cancel);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<Outcome<T>> TurnAsync<T>(Func<Outcome<T>> work, CancellationToken cancel)
    {
        if (Interlocked.Increment(ref _waiting) > AtOnce + WaitingMost)
        {
            Interlocked.Decrement(ref _waiting);
            return SigninErrors.TooManyTries.With("Many people sign in at this moment.");
        }
        try
        {
            await _turn.WaitAsync(cancel);
            try
            {
                return await Task.Run(work, cancel);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
