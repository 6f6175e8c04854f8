using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Dure.Host.Identity;

/// <summary>A token as it is stored.</summary>
/// <param name="Id">10 characters; part of the token's text, no secret.</param>
/// <param name="Name">Who or what it is for, chosen by whoever made it.</param>
/// <param name="Hash">SHA-256 of the secret part.</param>
/// <param name="Owner">The name that things made with it get.</param>
/// <param name="ExpiresAt">Null for never.</param>
public sealed record Token(
    string Id,
    string Name,
    byte[] Hash,
    Scopes Scopes,
    string Owner,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? ExpiresAt)
{
    /// <summary>The account that it belongs to, whose rights bound what it may; null for a token of nobody in particular.</summary>
    public string? Person { get; init; }
}

/// <summary>A token in memory, ready to be compared.</summary>
internal sealed class KnownToken(Token token)
{
    private readonly long _expiresAt = token.ExpiresAt?.ToUnixTimeMilliseconds() ?? long.MaxValue;
    private readonly Caller _caller = new(token.Owner, token.Scopes) { Person = token.Person, How = "token:" + token.Id };

    // Set once the secret was seen and its hash was right: hashing takes longer than all else that a request needs.
    private char[]? _secret;
    private long _usedAt = token.LastUsedAt?.ToUnixTimeMilliseconds() ?? 0;

    public Token Token => token;

    /// <summary>Unix milliseconds; 0 when it was never used.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>The use that is in the database, Unix milliseconds; written by one task only.</summary>
    public long WrittenUse { get; set; } = token.LastUsedAt?.ToUnixTimeMilliseconds() ?? 0;

    /// <summary>The caller, when the secret is right and the token has not run out.</summary>
    public Caller? Check(ReadOnlySpan<char> secret, long now)
    {
        var expected = Volatile.Read(ref _secret);
        if (expected is not null)
        {
            if (!CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(secret), MemoryMarshal.AsBytes<char>(expected)))
            {
                return null;
            }
        }
        else if (CryptographicOperations.FixedTimeEquals(TokenText.Hash(secret), token.Hash))
        {
            Volatile.Write(ref _secret, secret.ToArray());
        }
        else
        {
            return null;
        }
        if (now >= _expiresAt)
        {
            return null;
        }
        Use(now);
        return _caller;
    }

    /// <summary>Another server may have seen it later than we did.</summary>
    public KnownToken Seen(DateTimeOffset? lastUse)
    {
        Use(lastUse?.ToUnixTimeMilliseconds() ?? 0);
        return this;
    }

    private void Use(long at)
    {
        if (at > UsedAt)
        {
            Volatile.Write(ref _usedAt, at);
        }
    }
}
