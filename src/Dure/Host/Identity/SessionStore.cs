using System.Collections.Concurrent;
using System.Data.Common;
using System.Security.Cryptography;
using Dure.Host.Data;
using Dure.Host.Live;

namespace Dure.Host.Identity;

/// <summary>Somebody who is signed in, in one browser.</summary>
/// <param name="Id">No secret: the cookie holds it signed.</param>
/// <param name="How">password, link or oidc:NAME.</param>
/// <param name="Agent">What the browser calls itself.</param>
internal sealed record Session(string Id, string Person, string How, string Address, string Agent, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset LastUsedAt);

/// <summary>Sessions and one-time links: all SQL about them, and the open sessions in memory. One that is ended is refused by the next request.</summary>
internal sealed class SessionStore : IDisposable
{
    private const string Select = "SELECT id, person, how, address, agent, created_at, expires_at, last_used_at FROM sessions";
    private const int IdBytes = 16;
    private const int AgentMax = 200;
    private const int OfPersonMost = 100;
    private static readonly TimeSpan WriteUseEvery = TimeSpan.FromMinutes(1);

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly FreshCopy _fresh;
    private readonly ConcurrentDictionary<string, long> _used = new(StringComparer.Ordinal);
    private volatile Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    private SessionStore(Database database, ILive live, TimeProvider time)
    {
        (_database, _time) = (database, time);
        _fresh = new FreshCopy(database, live, "sessions", LoadAsync);
    }

    /// <summary>Loads the open sessions.</summary>
    public static async ValueTask<SessionStore> OpenAsync(Database database, ILive live, TimeProvider time, CancellationToken cancel)
    {
        var store = new SessionStore(database, live, time);
        await store._fresh.LoadAsync(cancel);
        return store;
    }

    /// <summary>The open session of an id, which is used now. The database is asked for one that is not known here: another server may have made it just now.</summary>
    public async ValueTask<Session?> UseAsync(string id, CancellationToken cancel)
    {
        if (!_sessions.TryGetValue(id, out var found))
        {
            // Only for this one: a browser that was signed out may ask as often as it likes.
            found = (await _database.ReadAsync(s => s.QueryAsync(Select + " WHERE id = $1", Read, id), cancel)).FirstOrDefault();
            if (found is null)
                return null;
        }
        var now = _time.GetUtcNow();
        if (found.ExpiresAt <= now)
            return null;
        _used[id] = now.ToUnixTimeMilliseconds();
        return found;
    }

    /// <summary>The open sessions, latest use first.</summary>
    /// <param name="person">Only this person's; null for everyone's.</param>
    public IReadOnlyList<Session> List(string? person)
    {
        var now = _time.GetUtcNow();
        return
        [
            .. _sessions.Values.Where(session => session.ExpiresAt > now && (person is null || session.Person == person))
                .Select(session => _used.TryGetValue(session.Id, out var at) ? session with { LastUsedAt = DateTimeOffset.FromUnixTimeMilliseconds(at) } : session)
                .OrderByDescending(session => session.LastUsedAt).ThenBy(session => session.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>Opens a session, always under a new id.</summary>
    public async ValueTask<Session> OpenSessionAsync(string person, string how, string address, string agent, TimeSpan length, CancellationToken cancel)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var made = new Session(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)), person, how, address, Shown(agent), now, now + length, now);
        await _fresh.ChangeAsync(
            async s =>
            {
                await s.ExecuteAsync(
                    "INSERT INTO sessions (id, person, how, address, agent, created_at, expires_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $6)",
                    made.Id, person, how, address, made.Agent, now.ToUnixTimeMilliseconds(), made.ExpiresAt.ToUnixTimeMilliseconds());
                return await s.ExecuteAsync(
                    "DELETE FROM sessions WHERE person = $1 AND id NOT IN (SELECT id FROM sessions WHERE person = $1 ORDER BY created_at DESC, id LIMIT $2)", person, OfPersonMost);
            },
            cancel);
        return made;
    }

    /// <summary>Ends a session at once.</summary>
    /// <param name="person">Only when it is this person's; null for anyone's.</param>
    /// <returns>False when there is none such.</returns>
    public async ValueTask<bool> EndAsync(string id, string? person, CancellationToken cancel) => await _fresh.ChangeAsync(
        s => s.ExecuteAsync("DELETE FROM sessions WHERE id = $1 AND ($2 = '' OR person = $2)", id, person ?? ""), cancel) > 0;

    /// <summary>Ends all sessions of a person at once.</summary>
    /// <param name="but">The one that stays; null for none.</param>
    /// <returns>How many were ended.</returns>
    public ValueTask<int> EndAllAsync(string person, string? but, CancellationToken cancel) => _fresh.ChangeAsync(
        async s =>
        {
            // A link that waits would open another.
            await s.ExecuteAsync("DELETE FROM signin_links WHERE person = $1", person);
            return await s.ExecuteAsync("DELETE FROM sessions WHERE person = $1 AND id <> $2", person, but ?? "");
        },
        cancel);

    /// <summary>Keeps a one-time link's hash.</summary>
    public ValueTask<int> AddLinkAsync(byte[] hash, string person, DateTimeOffset expiresAt, CancellationToken cancel) => _database.WriteAsync(
        s => s.ExecuteAsync("INSERT INTO signin_links (hash, person, expires_at) VALUES ($1, $2, $3)", hash, person, expiresAt.ToUnixTimeMilliseconds()), cancel: cancel);

    /// <summary>Takes a one-time link: whoever comes second, on whichever server, finds none.</summary>
    /// <returns>Whom it signs in; null when it is spent, too old, or never was.</returns>
    public ValueTask<string?> TakeLinkAsync(byte[] hash, CancellationToken cancel)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _database.WriteAsync(
            async s =>
            {
                var person = await s.ScalarAsync<string>("SELECT person FROM signin_links WHERE hash = $1 AND expires_at > $2", hash, now);
                return await s.ExecuteAsync("DELETE FROM signin_links WHERE hash = $1", hash) > 0 ? person : null;
            },
            cancel: cancel);
    }

    /// <summary>Keeps the memory fresh, writes down once a minute which sessions were used, and removes what has run out. Until cancelled, and once more then.</summary>
    public Task RunAsync(CancellationToken cancel) => _fresh.RunAsync(_time, WriteUseEvery, WriteUseAsync, cancel);

    /// <inheritdoc/>
    public void Dispose() => _fresh.Dispose();

    private static string Shown(string agent) => new([.. agent.Where(c => !char.IsControl(c)).Take(AgentMax)]);

    private async ValueTask WriteUseAsync()
    {
        var used = _used.ToList();
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        await _database.WriteAsync(async s =>
        {
            foreach (var (id, at) in used)
                await s.ExecuteAsync("UPDATE sessions SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2", id, at);
            await s.ExecuteAsync("DELETE FROM signin_links WHERE expires_at <= $1", now);
            return await s.ExecuteAsync("DELETE FROM sessions WHERE expires_at <= $1", now);
        });
        foreach (var pair in used)
            _used.TryRemove(pair);
        await _fresh.LoadAsync(CancellationToken.None);
    }

    private async ValueTask LoadAsync(CancellationToken cancel)
    {
        var rows = await _database.ReadAsync(static s => s.QueryAsync(Select, Read), cancel);
        _sessions = rows.ToDictionary(session => session.Id, StringComparer.Ordinal);
    }

    private static Session Read(DbDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetString(2),
        row.GetString(3),
        row.GetString(4),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)));
}
