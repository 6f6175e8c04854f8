using System.Collections.Concurrent;
using System.Data.Common;
using System.Security.Cryptography;
using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Live;
using Dure.Host.Secrets;

namespace Dure.Storage.Signing;

/// <summary>An access key as it is stored, without its secret.</summary>
public sealed record AccessKeyFacts(string Id, string User, KeyScopes Scopes, IReadOnlyList<string> Buckets, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>
/// Access keys of the embedded store: all SQL about them, and the valid ones in memory, so that a signature is checked without the
/// database. Secrets are sealed at rest by the keys of <see cref="SecretStore"/>. Keys of sessions are in memory only.
/// </summary>
public sealed class AccessKeyStore : IDisposable
{
    /// <summary>How long the key of a session is valid.</summary>
    public static readonly TimeSpan SessionLength = TimeSpan.FromHours(12);

    private const string Channel = "access-keys";
    private const string IdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int SessionsMax = 4096;
    private const string Select = "SELECT id, key_id, nonce, tag, sealed, user_name, scopes, buckets, created_at, expires_at FROM access_keys";

    private readonly Database _database;
    private readonly SecretStore _secrets;
    private readonly TimeProvider _time;
    private readonly FreshCopy _fresh;
    private readonly ConcurrentDictionary<string, AccessKey> _sessions = new(StringComparer.Ordinal);
    private volatile Dictionary<string, (AccessKey Key, AccessKeyFacts Facts)> _kept = new(StringComparer.Ordinal);

    private AccessKeyStore(Database database, SecretStore secrets, ILive live, TimeProvider time)
    {
        (_database, _secrets, _time) = (database, secrets, time);
        _fresh = new FreshCopy(database, live, Channel, LoadAsync);
    }

    /// <summary>Loads the keys. Also where the store is off, or a change of the secrets' keys would leave these behind.</summary>
    public static async ValueTask<AccessKeyStore> OpenAsync(Database database, SecretStore secrets, ILive live, TimeProvider time, CancellationToken cancel)
    {
        var store = new AccessKeyStore(database, secrets, live, time);
        secrets.AlsoReseal(store.ResealAsync);
        await store._fresh.LoadAsync(cancel);
        return store;
    }

    /// <summary>The key of an id; null when there is none or it has expired.</summary>
    public AccessKey? Find(string id)
    {
        var key = _kept.TryGetValue(id, out var kept) ? kept.Key : _sessions.GetValueOrDefault(id);
        return key is null || key.ExpiresAt <= _time.GetUtcNow() ? null : key;
    }

    /// <summary>The keys, oldest first, those that expired included.</summary>
    public IReadOnlyList<AccessKeyFacts> List() => [.. _kept.Values.Select(kept => kept.Facts).OrderBy(facts => facts.CreatedAt).ThenBy(facts => facts.Id, StringComparer.Ordinal)];

    /// <summary>Makes a key, durably. Its secret is shown by whoever calls this, once.</summary>
    /// <param name="buckets">The only buckets it may touch; empty for no such limit.</param>
    public async ValueTask<AccessKey> CreateAsync(string user, KeyScopes scopes, IReadOnlyList<string> buckets, TimeSpan? expiresIn, CancellationToken cancel)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var key = MakeKey(user, scopes, buckets, now + expiresIn);
        await _fresh.ChangeAsync(
            s =>
            {
                var made = _secrets.Seal(NameOf(key.Id), key.Secret);
                return s.ExecuteAsync(
                    "INSERT INTO access_keys (id, key_id, nonce, tag, sealed, user_name, scopes, buckets, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    key.Id, made.KeyId, made.Nonce, made.Tag, made.Content, user, (long)scopes, string.Join(' ', buckets),
                    now.ToUnixTimeMilliseconds(), key.ExpiresAt?.ToUnixTimeMilliseconds());
            },
            cancel);
        return key;
    }

    /// <summary>Ends a key at once.</summary>
    /// <returns>False when there is none of that id.</returns>
    public async ValueTask<bool> RevokeAsync(string id, CancellationToken cancel) =>
        _sessions.TryRemove(id, out _) || await _fresh.ChangeAsync(s => s.ExecuteAsync("DELETE FROM access_keys WHERE id = $1", id), cancel) > 0;

    /// <summary>Makes the key of a session, which ends after <see cref="SessionLength"/> or with the server.</summary>
    public AccessKey CreateSession(string user, KeyScopes scopes)
    {
        var now = _time.GetUtcNow();
        if (_sessions.Count >= SessionsMax)
        {
            foreach (var old in _sessions.Values.OrderBy(key => key.ExpiresAt).Take(SessionsMax / 4))
            {
                _sessions.TryRemove(old.Id, out _);
            }
        }
        var made = MakeKey(user, scopes, [], now + SessionLength);
        _sessions[made.Id] = made;
        return made;
    }

    /// <summary>Keeps the memory fresh where other servers share the database. Ends when cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => _fresh.RunAsync(cancel);

    /// <inheritdoc/>
    public void Dispose() => _fresh.Dispose();

    // A name that no secret can have.
    private static string NameOf(string id) => "access-key/" + id;

    private static AccessKey MakeKey(string user, KeyScopes scopes, IReadOnlyList<string> buckets, DateTimeOffset? expiresAt) =>
        new("DURE" + RandomNumberGenerator.GetString(IdAlphabet, 16), SecretText.New(40), user, scopes, buckets, expiresAt);

    private async ValueTask LoadAsync(CancellationToken cancel)
    {
        var rows = await _database.ReadAsync(static s => s.QueryAsync(Select, Read), cancel);
        var kept = new Dictionary<string, (AccessKey, AccessKeyFacts)>(StringComparer.Ordinal);
        foreach (var (made, facts) in rows)
        {
            // One that cannot be opened is listed and signs nothing: no request has an empty secret's signature by chance.
            var secret = _secrets.Open(made);
            var key = new AccessKey(facts.Id, secret ?? RandomNumberGenerator.GetHexString(64), facts.User, secret is null ? KeyScopes.None : facts.Scopes, facts.Buckets, facts.ExpiresAt);
            kept[facts.Id] = (key, facts);
        }
        _kept = kept;
    }

    private async ValueTask<bool> ResealAsync(CancellationToken cancel)
    {
        var all = true;
        // A write, so that it comes after every write that sealed with the keys of before.
        var others = await _database.WriteAsync(s => s.QueryAsync($"{Select} WHERE key_id <> $1", Read, _secrets.KeyId), cancel: cancel);
        foreach (var (old, facts) in others)
        {
            if (_secrets.Open(old) is not { } secret)
            {
                all = false;
                continue;
            }
            var made = _secrets.Seal(old.Name, secret);
            await _database.WriteAsync(
                s => s.ExecuteAsync(
                    "UPDATE access_keys SET key_id = $1, nonce = $2, tag = $3, sealed = $4 WHERE id = $5 AND key_id = $6",
                    made.KeyId, made.Nonce, made.Tag, made.Content, facts.Id, old.KeyId),
                cancel: cancel);
        }
        return all;
    }

    private static (SealedSecret Sealed, AccessKeyFacts Facts) Read(DbDataReader row)
    {
        var id = row.GetString(0);
        return (
            new SealedSecret(NameOf(id), row.GetString(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<byte[]>(4)),
            new AccessKeyFacts(
                id,
                row.GetString(5),
                (KeyScopes)row.GetInt64(6),
                row.GetString(7).Split(' ', StringSplitOptions.RemoveEmptyEntries),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(8)),
                row.IsDBNull(9) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(9))));
    }
}
