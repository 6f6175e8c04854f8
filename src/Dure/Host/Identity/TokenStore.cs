using System.Data.Common;
using Dure.Host.Data;
using Dure.Host.Live;

namespace Dure.Host.Identity;

/// <summary>
/// Tokens: all SQL about them, and the valid ones in memory, so that a request is checked without the database (a stranger
/// costs one look-up). Other servers on the same database hear of changes through Live and look for themselves every few seconds.
/// </summary>
public sealed class TokenStore : IDisposable
{
    private const string Channel = "tokens";
    private const string Scheme = "Bearer ";
    private static readonly TimeSpan WriteUseEvery = TimeSpan.FromMinutes(1);

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly FreshCopy _fresh;
    private volatile Memory _memory = new([]);

    private TokenStore(Database database, ILive live, TimeProvider time)
    {
        (_database, _time) = (database, time);
        _fresh = new FreshCopy(database, live, Channel, LoadAsync);
    }

    /// <summary>Loads the valid tokens.</summary>
    public static async ValueTask<TokenStore> OpenAsync(Database database, ILive live, TimeProvider time, CancellationToken cancel)
    {
        var store = new TokenStore(database, live, time);
        await store._fresh.LoadAsync(cancel);
        return store;
    }

    /// <summary>Who sent a request; null when it has no valid token.</summary>
    public Caller? Authenticate(HttpContext http)
    {
        // ToString joins several headers, which then is no token.
        var header = http.Request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? Authenticate(header.AsSpan(Scheme.Length)) : null;
    }

    /// <summary>Whose token a text is; null when it is not valid (any more).</summary>
    public Caller? Authenticate(ReadOnlySpan<char> text) =>
        TokenText.TryParse(text, out var id, out var secret) && _memory.ById.TryGetValue(id, out var known)
            ? known.Check(secret, _time.GetUtcNow().ToUnixTimeMilliseconds())
            : null;

    /// <summary>The valid tokens, oldest first. When they were last used is known to the minute after a restart.</summary>
    public IReadOnlyList<Token> List() =>
    [
        .. _memory.Tokens.Values
            .Select(known => known.Token with { LastUsedAt = known.UsedAt == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(known.UsedAt) })
            .Where(token => !(token.ExpiresAt <= _time.GetUtcNow()))
            .OrderBy(token => token.CreatedAt).ThenBy(token => token.Id, StringComparer.Ordinal),
    ];

    /// <summary>Makes a token.</summary>
    /// <param name="owner">The name that things made with it get.</param>
    /// <param name="person">The account that it belongs to.</param>
    /// <returns>Its text, which is known only now, and what is stored of it.</returns>
    public async ValueTask<(string Text, Token Token)> CreateAsync(string name, Scopes scopes, string owner, TimeSpan? expiresIn, CancellationToken cancel, string? person = null)
    {
        var text = TokenText.Make();
        return (text, await AddAsync(text, name, scopes, owner, expiresIn, replaces: null, cancel, person));
    }

    /// <summary>Ends every token that belongs to an account.</summary>
    public ValueTask<int> RevokeOfAsync(string person, CancellationToken cancel)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _fresh.ChangeAsync(s => s.ExecuteAsync("UPDATE tokens SET revoked_at = $1 WHERE person = $2 AND revoked_at IS NULL", now, person), cancel);
    }

    /// <summary>Ends a token at once.</summary>
    /// <returns>False when no valid token has that id.</returns>
    public async ValueTask<bool> RevokeAsync(string id, CancellationToken cancel)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return await _fresh.ChangeAsync(
            s => s.ExecuteAsync("UPDATE tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL", now, id),
            cancel) > 0;
    }

    /// <summary>Keeps the memory fresh and writes down, once a minute, which tokens were used. Ends when cancelled, after the last writing.</summary>
    public Task RunAsync(CancellationToken cancel) => _fresh.RunAsync(_time, WriteUseEvery, WriteUseAsync, cancel);

    /// <inheritdoc/>
    public void Dispose() => _fresh.Dispose();

    /// <summary>Adds a token whose text exists already, in place of those of a name.</summary>
    internal async ValueTask<Token> AddAsync(
        string text,
        string name,
        Scopes scopes,
        string owner,
        TimeSpan? expiresIn,
        string? replaces,
        CancellationToken cancel,
        string? person = null)
    {
        if (!TokenText.TryParse(text, out var id, out var secret))
        {
            throw new ArgumentException("This is not the text of a token.", nameof(text));
        }
        var now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var token = new Token(id.ToString(), name, TokenText.Hash(secret), scopes, owner, now, LastUsedAt: null, now + expiresIn) { Person = person };
        await _fresh.ChangeAsync(
            async s =>
            {
                if (replaces is not null)
                {
                    await s.ExecuteAsync("UPDATE tokens SET revoked_at = $1 WHERE name = $2 AND revoked_at IS NULL", now.ToUnixTimeMilliseconds(), replaces);
                }
                return await s.ExecuteAsync(
                    "INSERT INTO tokens (id, name, hash, scopes, owner, created_at, expires_at, person) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    token.Id, token.Name, token.Hash, (long)token.Scopes, token.Owner, now.ToUnixTimeMilliseconds(), token.ExpiresAt?.ToUnixTimeMilliseconds(), person);
            },
            cancel);
        return token;
    }

    /// <summary>Whether a token of this id was ever made, valid or not.</summary>
    internal ValueTask<bool> ExistedAsync(string id, CancellationToken cancel) =>
        _database.ReadAsync(async s => await s.ScalarAsync<long>("SELECT COUNT(*) FROM tokens WHERE id = $1", id) > 0, cancel);

    private async ValueTask LoadAsync(CancellationToken cancel)
    {
        var tokens = await _database.ReadAsync(
            static s => s.QueryAsync("SELECT id, name, hash, scopes, owner, created_at, last_used_at, expires_at, person FROM tokens WHERE revoked_at IS NULL", Read),
            cancel);
        var before = _memory.Tokens;
        _memory = new Memory(tokens.Select(token => before.TryGetValue(token.Id, out var known) ? known.Seen(token.LastUsedAt) : new KnownToken(token)));
    }

    private async ValueTask WriteUseAsync()
    {
        var used = _memory.Tokens.Values
            .Where(known => known.UsedAt > known.WrittenUse)
            .Select(known => (Known: known, At: known.UsedAt))
            .ToList();
        if (used.Count == 0)
        {
            return;
        }
        await _database.WriteAsync(async s =>
        {
            foreach (var (known, at) in used)
            {
                await s.ExecuteAsync("UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)", at, known.Token.Id);
            }
            return used.Count;
        });
        foreach (var (known, at) in used)
        {
            known.WrittenUse = at;
        }
    }

    private static Token Read(DbDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetFieldValue<byte[]>(2),
        (Scopes)row.GetInt64(3),
        row.GetString(4),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        row.IsDBNull(6) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
        row.IsDBNull(7) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)))
    {
        Person = row.IsDBNull(8) ? null : row.GetString(8),
    };

    private sealed class Memory
    {
        public Memory(IEnumerable<KnownToken> tokens)
        {
            Tokens = tokens.ToDictionary(known => known.Token.Id, StringComparer.Ordinal);
            ById = Tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public Dictionary<string, KnownToken> Tokens { get; }

        public Dictionary<string, KnownToken>.AlternateLookup<ReadOnlySpan<char>> ById { get; }
    }
}
