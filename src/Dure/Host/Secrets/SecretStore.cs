using System.Data.Common;
using System.Text;
using System.Text.RegularExpressions;
using Dure.Host.Data;
using Dure.Host.Live;

namespace Dure.Host.Secrets;

/// <summary>What may be shown of a secret.</summary>
/// <param name="Owner">Who set it last.</param>
public sealed record SecretView(string Name, DateTimeOffset UpdatedAt, string Owner);

/// <summary>Secrets: encrypted at rest, given to functions by name, never shown again. All SQL about them is here.</summary>
public sealed partial class SecretStore
{
    /// <summary>UTF-8 bytes of a value.</summary>
    public const int ValueBytesMax = 64 * 1024;

    /// <summary>The Live channel that carries the name of each secret that was set or removed.</summary>
    public const string Channel = "secrets";

    private const string Select = "SELECT name, key_id, nonce, tag, sealed FROM secrets";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Database _database;
    private readonly ILive _live;
    private readonly TimeProvider _time;
    private readonly string _data;
    private readonly List<Func<CancellationToken, ValueTask<bool>>> _resealers = [];
    private volatile SecretKeys _keys;

    private SecretStore(Database database, ILive live, TimeProvider time, string data, SecretKeys keys) =>
        (_database, _live, _time, _data, _keys) = (database, live, time, data, keys);

    /// <summary>Opens the store; makes a key at first start.</summary>
    /// <param name="data">The data folder; the keys are in its folder <c>keys</c>.</param>
    public static Outcome<SecretStore> Open(Database database, ILive live, TimeProvider time, string data)
    {
        var keys = SecretKeys.Open(data);
        return keys.Ok ? new SecretStore(database, live, time, data, keys.Value) : keys.Problem;
    }

    /// <summary>What is wrong with a name or a value; says nothing of the value itself.</summary>
    public static IReadOnlyList<Fault> Check(string name, string? value)
    {
        var faults = new List<Fault>();
        if (!NameForm().IsMatch(name))
        {
            faults.Add(new Fault("name", "Capital letters, digits and underscores, at most 64, no digit first: it becomes an environment variable."));
        }
        if (value is null)
        {
            faults.Add(new Fault("value", "A text."));
        }
        else if (BytesOf(value) is not { } bytes)
        {
            faults.Add(new Fault("value", "Not valid Unicode: half of a surrogate pair."));
        }
        else if (bytes > ValueBytesMax)
        {
            faults.Add(new Fault("value", $"{bytes} bytes; {ValueBytesMax} are the most."));
        }
        else if (value.Contains('\0', StringComparison.Ordinal))
        {
            faults.Add(new Fault("value", "Holds a NUL character, which no environment variable can."));
        }
        return faults;
    }

    /// <summary>Sets a secret, durably, in place of the one of that name.</summary>
    /// <returns>What may be shown of it, or what is wrong with it.</returns>
    public async ValueTask<Outcome<SecretView>> SetAsync(string name, string? value, string owner, CancellationToken cancel)
    {
        var faults = Check(name, value);
        if (faults.Count > 0)
        {
            return HostErrors.BadRequest.With("The secret cannot be set.", faults);
        }
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        await _database.WriteAsync(
            s =>
            {
                // Sealed when its turn comes, so that a change of keys in the meantime counts.
                var made = SealedSecret.Seal(name, value!, _keys);
                return s.ExecuteAsync(
                    """
                    INSERT INTO secrets (name, owner, updated_at, key_id, nonce, tag, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)
                    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, updated_at = excluded.updated_at,
                        key_id = excluded.key_id, nonce = excluded.nonce, tag = excluded.tag, sealed = excluded.sealed
                    """,
                    name, owner, now, made.KeyId, made.Nonce, made.Tag, made.Content);
            },
            cancel: cancel);
        _live.Publish(Channel, name);
        return new SecretView(name, DateTimeOffset.FromUnixTimeMilliseconds(now), owner);
    }

    /// <summary>Removes a secret.</summary>
    /// <returns>False when there is none of that name.</returns>
    public async ValueTask<bool> RemoveAsync(string name, CancellationToken cancel)
    {
        var removed = await _database.WriteAsync(s => s.ExecuteAsync("DELETE FROM secrets WHERE name = $1", name), cancel: cancel);
        if (removed > 0)
        {
            _live.Publish(Channel, name);
        }
        return removed > 0;
    }

    /// <summary>What may be shown of the secrets after a name, by name.</summary>
    public ValueTask<List<SecretView>> ListAsync(string after, int limit, CancellationToken cancel) => _database.ReadAsync(
        s => s.QueryAsync(
            "SELECT name, updated_at, owner FROM secrets WHERE name > $1 ORDER BY name LIMIT $2",
            static r => new SecretView(r.GetString(0), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(1)), r.GetString(2)),
            after, limit),
        cancel);

    /// <summary>The values of the named secrets, for a process that is about to start.</summary>
    /// <returns>Every value, or a problem that lists every name that is missing or cannot be opened.</returns>
    public async ValueTask<Outcome<IReadOnlyDictionary<string, string>>> ReadAsync(IReadOnlyCollection<string> names, CancellationToken cancel)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var missing = new List<Fault>();
        var unreadable = new List<Fault>();
        foreach (var name in names)
        {
            if (await FindAsync(name, cancel) is not { } found)
            {
                missing.Add(new Fault(name, "There is no secret of this name."));
            }
            else if (found.Open(_keys) is { } value)
            {
                values[name] = value;
            }
            else
            {
                unreadable.Add(new Fault(name, $"It was sealed with the key {found.KeyId}, which is missing, or it was changed."));
            }
        }
        return missing.Count > 0 ? SecretErrors.NoSuchSecret.With($"{missing.Count} of the secrets that are asked for are missing.", [.. missing, .. unreadable])
            : unreadable.Count > 0 ? SecretErrors.Unreadable.With($"{unreadable.Count} of the secrets that are asked for cannot be opened.", unreadable)
            : values;
    }

    /// <summary>
    /// Seals every secret anew with a new key and drops the old keys. One server at a time. After a crash on the way both keys are in
    /// the file and every secret can be opened.
    /// </summary>
    /// <returns>How many were sealed anew; those that cannot be opened keep the keys they may need.</returns>
    public async ValueTask<int> ChangeKeyAsync(CancellationToken cancel)
    {
        _keys = _keys.WithNew();
        _keys.Write(_data);
        var done = 0;
        var unreadable = new HashSet<string>(StringComparer.Ordinal);
        while (await FindOtherKeyAsync(unreadable) is { } found)
        {
            if (found.Open(_keys) is { } value)
            {
                var made = SealedSecret.Seal(found.Name, value, _keys);
                done += await _database.WriteAsync(
                    s => s.ExecuteAsync(
                        "UPDATE secrets SET key_id = $1, nonce = $2, tag = $3, sealed = $4 WHERE name = $5 AND key_id = $6",
                        made.KeyId, made.Nonce, made.Tag, made.Content, found.Name, found.KeyId),
                    cancel: cancel);
            }
            else
            {
                unreadable.Add(found.Name);
            }
        }
        var all = unreadable.Count == 0;
        foreach (var reseal in _resealers)
        {
            all &= await reseal(cancel);
        }
        if (all)
        {
            _keys = _keys.WithoutOld();
            _keys.Write(_data);
        }
        return done;
    }

    /// <summary>The id of the key that seals now.</summary>
    internal string KeyId => _keys.Current.Id;

    /// <summary>Seals a text that another store keeps. Sealed within the write that stores it, so that a change of keys in the meantime counts.</summary>
    /// <param name="name">What it is bound to; must not have the form of a secret's name.</param>
    internal SealedSecret Seal(string name, string value) => SealedSecret.Seal(name, value, _keys);

    /// <summary>Opens what <see cref="Seal"/> made; null when its key is missing or it was changed.</summary>
    internal string? Open(SealedSecret made) => made.Open(_keys);

    /// <summary>Whoever keeps sealed texts is asked at each change of keys to seal them anew, and says whether all could be. Called at start.</summary>
    internal void AlsoReseal(Func<CancellationToken, ValueTask<bool>> reseal) => _resealers.Add(reseal);

    // A write, so that it comes after every write that sealed with the keys of before.
    private async ValueTask<SealedSecret?> FindOtherKeyAsync(HashSet<string> but)
    {
        var others = await _database.WriteAsync(s => s.QueryAsync($"{Select} WHERE key_id <> $1", Read, _keys.Current.Id));
        return others.FirstOrDefault(secret => !but.Contains(secret.Name));
    }

    private ValueTask<SealedSecret?> FindAsync(string name, CancellationToken cancel) =>
        _database.ReadAsync(s => s.FirstAsync($"{Select} WHERE name = $1", Read, name), cancel);

    private static SealedSecret Read(DbDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetFieldValue<byte[]>(2),
        row.GetFieldValue<byte[]>(3),
        row.GetFieldValue<byte[]>(4));

    private static int? BytesOf(string value)
    {
        try
        {
            return StrictUtf8.GetByteCount(value);
        }
        catch (EncoderFallbackException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\A[A-Z_][A-Z0-9_]{0,63}\z", RegexOptions.None, 1000)]
    private static partial Regex NameForm();
}
