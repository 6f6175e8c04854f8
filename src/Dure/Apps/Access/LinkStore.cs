using System.Security.Cryptography;
using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Live;

namespace Dure.Apps.Access;

/// <summary>Links into apps, and the codes that hand a signed-in visitor over from the portal: all SQL about them. Links are in memory as well, since each request of their visitors asks.</summary>
internal sealed class LinkStore : IDisposable
{
    private const string Columns = "id, app, owner, note, created_at, expires_at, last_used_at, visits";

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly FreshCopy _fresh;
    private volatile Dictionary<string, AppLink> _links = new(StringComparer.Ordinal);

    private LinkStore(Database database, ILive live, TimeProvider time)
    {
        (_database, _time) = (database, time);
        _fresh = new FreshCopy(database, live, "app-links", LoadAsync);
    }

    public static async ValueTask<LinkStore> OpenAsync(Database database, ILive live, TimeProvider time, CancellationToken cancel)
    {
        var store = new LinkStore(database, live, time);
        await store._fresh.LoadAsync(cancel);
        return store;
    }

    /// <summary>The link of an id, as long as it leads in.</summary>
    public AppLink? Find(string id) => _links.TryGetValue(id, out var link) && link.ExpiresAt > _time.GetUtcNow() ? link : null;

    /// <summary>Makes a link.</summary>
    /// <returns>It, and the key that is shown once.</returns>
    public async ValueTask<(AppLink Link, string Key)> AddAsync(string app, string owner, string note, TimeSpan length, CancellationToken cancel)
    {
        var (now, secret) = (DateTimeOffset.FromUnixTimeMilliseconds(Now()), SecretText.New());
        var link = new AppLink(AppLink.NewId(), app, owner, note, now, now + length, null, 0);
        await _fresh.ChangeAsync(
            async s =>
            {
                // What is over for a month tells nobody anything.
                await s.ExecuteAsync("DELETE FROM app_links WHERE expires_at < $1", (now - TimeSpan.FromDays(30)).ToUnixTimeMilliseconds());
                return await s.ExecuteAsync("INSERT INTO app_links (id, app, hash, owner, note, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    link.Id, app, SecretText.Hash(secret), owner, note, now.ToUnixTimeMilliseconds(), link.ExpiresAt.ToUnixTimeMilliseconds());
            },
            cancel);
        return (link, $"{link.Id}.{secret}");
    }

    /// <summary>The links of an app, also those that are over; the newest first.</summary>
    public ValueTask<List<AppLink>> ListAsync(string app, CancellationToken cancel) =>
        _database.ReadAsync(s => s.QueryAsync($"SELECT {Columns} FROM app_links WHERE app = $1 ORDER BY created_at DESC, id", Read, app), cancel);

    /// <summary>Ends a link; who came in by it is out.</summary>
    public async ValueTask<bool> EndAsync(string app, string id, CancellationToken cancel) =>
        await _fresh.ChangeAsync(s => s.ExecuteAsync("DELETE FROM app_links WHERE app = $1 AND id = $2", app, id), cancel) > 0;

    /// <summary>The link of a key that was shown to us; it is counted.</summary>
    public async ValueTask<AppLink?> TakeAsync(string app, string? key, CancellationToken cancel)
    {
        if (AppLink.Parse(key) is not { } parsed)
            return null;
        var (id, secret) = parsed;
        var hash = await _database.ReadAsync(s => s.FirstAsync("SELECT hash FROM app_links WHERE id = $1 AND app = $2 AND expires_at > $3", static r => r.GetFieldValue<byte[]>(0), id, app, Now()), cancel);
        if (hash is null || !CryptographicOperations.FixedTimeEquals(hash, SecretText.Hash(secret)))
            return null;
        await _fresh.ChangeAsync(s => s.ExecuteAsync("UPDATE app_links SET visits = visits + 1, last_used_at = $2 WHERE id = $1", id, Now()), cancel);
        return Find(id);
    }

    /// <summary>Keeps the hash of a code that hands a session's visitor over to an app.</summary>
    /// <param name="state">Hash of what only the browser that asked has.</param>
    public ValueTask<int> AddHandoverAsync(byte[] hash, string app, string session, byte[] state, TimeSpan length) => _database.WriteAsync(async s =>
    {
        var now = Now();
        await s.ExecuteAsync("DELETE FROM app_handovers WHERE expires_at <= $1", now);
        return await s.ExecuteAsync("INSERT INTO app_handovers (hash, app, session, state, expires_at) VALUES ($1, $2, $3, $4, $5)", hash, app, session, state, now + (long)length.TotalMilliseconds);
    });

    /// <summary>Takes a code: whoever comes second, on whichever server, finds none.</summary>
    /// <returns>The session that it hands over, and the hash of the state; null for none.</returns>
    public ValueTask<(string Session, byte[] State)?> TakeHandoverAsync(byte[] hash, string app) => _database.WriteAsync<(string Session, byte[] State)?>(async s =>
    {
        var found = await s.QueryAsync("SELECT session, state FROM app_handovers WHERE hash = $1 AND app = $2 AND expires_at > $3", static r => (r.GetString(0), r.GetFieldValue<byte[]>(1)), hash, app, Now());
        return await s.ExecuteAsync("DELETE FROM app_handovers WHERE hash = $1", hash) > 0 && found is [var one] ? one : null;
    });

    public Task RunAsync(CancellationToken cancel) => _fresh.RunAsync(cancel);

    public void Dispose() => _fresh.Dispose();

    private async ValueTask LoadAsync(CancellationToken cancel)
    {
        var rows = await _database.ReadAsync(s => s.QueryAsync($"SELECT {Columns} FROM app_links WHERE expires_at > $1", Read, Now()), cancel);
        _links = rows.ToDictionary(link => link.Id, StringComparer.Ordinal);
    }

    private static AppLink Read(System.Data.Common.DbDataReader r) => new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), Time(r.GetInt64(4)), Time(r.GetInt64(5)),
        r.IsDBNull(6) ? null : Time(r.GetInt64(6)), r.GetInt64(7));

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
