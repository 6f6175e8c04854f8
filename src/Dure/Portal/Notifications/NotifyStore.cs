using System.Data.Common;
using System.Text.Json;
using Dure.Host.Data;

namespace Dure.Portal.Notifications;

/// <summary>All SQL about rules, watches and the people's messages; <see cref="NotifyOutbox"/> has what is sent.</summary>
internal sealed class NotifyStore(Database database, TimeProvider time)
{
    private const string RuleColumns = "SELECT id, owner, event, function_name, channels, created_at FROM notify_rules";
    private const string WatchColumns = "SELECT id, owner, invocation_id, channels, created_at FROM notify_watches";
    private const string MessageColumns = "SELECT id, owner, source_id, event, subject, invocation, detail, count, first_at, last_at, gathers_until, read_at FROM notify_messages";

    public ValueTask<List<NotifyRule>> RulesAsync(CancellationToken cancel) => database.ReadAsync(static s => s.QueryAsync(RuleColumns + " ORDER BY id", ReadRule), cancel);

    public ValueTask<List<NotifyWatch>> WatchesAsync(CancellationToken cancel) => database.ReadAsync(static s => s.QueryAsync(WatchColumns + " ORDER BY id", ReadWatch), cancel);

    public async ValueTask<NotifyRule> AddRuleAsync(string owner, string @event, string? function, IReadOnlyList<NotifyChannel> channels)
    {
        var rule = new NotifyRule(NewId(), owner, @event, function, channels, Now());
        await database.WriteAsync(s => s.ExecuteAsync("INSERT INTO notify_rules (id, owner, event, function_name, channels, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            rule.Id, owner, @event, function, Json(channels), rule.CreatedAt.ToUnixTimeMilliseconds()));
        return rule;
    }

    public async ValueTask<NotifyWatch> AddWatchAsync(string owner, long invocation, IReadOnlyList<NotifyChannel> channels)
    {
        var watch = new NotifyWatch(NewId(), owner, invocation, channels, Now());
        await database.WriteAsync(s => s.ExecuteAsync("INSERT INTO notify_watches (id, owner, invocation_id, channels, created_at) VALUES ($1, $2, $3, $4, $5)",
            watch.Id, owner, invocation, Json(channels), watch.CreatedAt.ToUnixTimeMilliseconds()));
        return watch;
    }

    /// <returns>False when the owner has none of that id.</returns>
    public ValueTask<bool> RemoveRuleAsync(string owner, string id) =>
        database.WriteAsync(async s => await s.ExecuteAsync("DELETE FROM notify_rules WHERE id = $1 AND owner = $2", id, owner) > 0);

    /// <returns>False when the owner has none of that id.</returns>
    public ValueTask<bool> RemoveWatchAsync(string owner, string id) =>
        database.WriteAsync(async s => await s.ExecuteAsync("DELETE FROM notify_watches WHERE id = $1 AND owner = $2", id, owner) > 0);

    /// <summary>What is remembered from one look to the next.</summary>
    public async ValueTask<Dictionary<string, string>> StateAsync(CancellationToken cancel) =>
        (await database.ReadAsync(static s => s.QueryAsync("SELECT name, value FROM notify_state", static r => (r.GetString(0), r.GetString(1))), cancel)).ToDictionary(row => row.Item1, row => row.Item2, StringComparer.Ordinal);

    /// <summary>
    /// Keeps what a look has seen: messages for every rule and watch that it concerns, their deliveries, and how far was looked, in one commit.
    /// Nothing is seen twice and nothing is passed over, whenever the server is killed.
    /// </summary>
    /// <returns>Owners of new messages; null when another server has looked meanwhile, and nothing was kept.</returns>
    public ValueTask<HashSet<string>?> KeepAsync(Look look, TimeSpan gather) => database.WriteAsync<HashSet<string>?>(async s =>
    {
        if (await s.ScalarAsync<string>("SELECT value FROM notify_state WHERE name = $1", LookState.Turn) is var turn && turn != look.TurnBefore)
            return null;
        foreach (var (name, value) in look.State)
        {
            await s.ExecuteAsync("DELETE FROM notify_state WHERE name = $1", name);
            if (value is not null)
                await s.ExecuteAsync("INSERT INTO notify_state (name, value) VALUES ($1, $2)", name, value);
        }
        var owners = new HashSet<string>(StringComparer.Ordinal);
        var rules = look.Sightings.Count == 0 ? [] : await s.QueryAsync(RuleColumns + " ORDER BY id", ReadRule);
        foreach (var sighting in look.Sightings)
        {
            foreach (var rule in rules.Where(rule => rule.Event == sighting.Event && (rule.Function is null || rule.Function == sighting.Subject)))
            {
                await AddAsync(s, rule, sighting, gather);
                owners.Add(rule.Owner);
            }
        }
        foreach (var (watch, sighting) in look.Ended)
        {
            if (await s.ExecuteAsync("DELETE FROM notify_watches WHERE id = $1", watch.Id) == 0)
                continue;
            await InsertAsync(s, watch.Id, watch.Owner, watch.Channels, sighting, TimeSpan.Zero);
            owners.Add(watch.Owner);
        }
        return owners;
    });

    /// <summary>Puts a message into a person's portal.</summary>
    public async ValueTask TellAsync(string owner, Sighting sighting) => await database.WriteAsync(async s =>
    {
        await InsertAsync(s, "", owner, [new NotifyChannel("portal", null)], sighting, TimeSpan.Zero);
        return true;
    });

    /// <summary>A person's messages in the portal, the newest first.</summary>
    public ValueTask<List<NotifyMessage>> ListAsync(string owner, string? below, bool unread, int limit, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        $"{MessageColumns} WHERE owner = $1 AND in_portal = 1 AND id < $2{(unread ? " AND read_at IS NULL" : "")} ORDER BY id DESC LIMIT $3", ReadMessage, owner, below ?? "~", (long)limit), cancel);

    public ValueTask<long> UnreadAsync(string owner, CancellationToken cancel) =>
        database.ReadAsync(s => s.ScalarAsync<long>("SELECT COUNT(*) FROM notify_messages WHERE owner = $1 AND read_at IS NULL AND in_portal = 1", owner), cancel);

    /// <summary>Marks messages as read; without ids, all that there are.</summary>
    public ValueTask<int> ReadAsync(string owner, IReadOnlyList<string>? ids) => database.WriteAsync(async s =>
    {
        var now = Now().ToUnixTimeMilliseconds();
        if (ids is null)
            return await s.ExecuteAsync("UPDATE notify_messages SET read_at = $2 WHERE owner = $1 AND read_at IS NULL AND in_portal = 1", owner, now);
        var read = 0;
        foreach (var id in ids)
            read += await s.ExecuteAsync("UPDATE notify_messages SET read_at = $3 WHERE id = $1 AND owner = $2 AND read_at IS NULL", id, owner, now);
        return read;
    });

    public ValueTask<NotifyMessage?> FindAsync(string id, CancellationToken cancel) => database.ReadAsync(s => s.FirstAsync(MessageColumns + " WHERE id = $1", ReadMessage, id), cancel);

    /// <summary>Removes messages that are older, with what was sent of them.</summary>
    public ValueTask<int> ForgetAsync(DateTimeOffset before) => database.WriteAsync(async s =>
    {
        var moment = before.ToUnixTimeMilliseconds();
        await s.ExecuteAsync("DELETE FROM notify_outbox WHERE done_at IS NOT NULL AND message_id IN (SELECT id FROM notify_messages WHERE last_at < $1)", moment);
        return await s.ExecuteAsync("DELETE FROM notify_messages WHERE last_at < $1 AND NOT EXISTS (SELECT 1 FROM notify_outbox o WHERE o.message_id = notify_messages.id AND o.done_at IS NULL)", moment);
    });

    private static async ValueTask AddAsync(DbSession s, NotifyRule rule, Sighting sighting, TimeSpan gather)
    {
        var span = NotifyEvents.Gathers(rule.Event) ? gather : TimeSpan.Zero;
        // What was sent says how many there were, so nothing is added to it any more.
        var added = span == TimeSpan.Zero ? 0 : await s.ExecuteAsync("""
            UPDATE notify_messages SET count = count + $4, last_at = $5, invocation = $6, detail = $7, read_at = NULL
            WHERE source_id = $1 AND event = $2 AND subject = $3 AND gathers_until > $5 AND sealed_at IS NULL
            """, rule.Id, rule.Event, sighting.Subject, sighting.Count, sighting.At.ToUnixTimeMilliseconds(), sighting.Invocation, sighting.Detail);
        if (added == 0)
            await InsertAsync(s, rule.Id, rule.Owner, rule.Channels, sighting, span);
    }

    private static async ValueTask InsertAsync(DbSession s, string source, string owner, IReadOnlyList<NotifyChannel> channels, Sighting sighting, TimeSpan gather)
    {
        var (id, at) = (NewId(), sighting.At.ToUnixTimeMilliseconds());
        var until = at + (long)gather.TotalMilliseconds;
        await s.ExecuteAsync("""
            INSERT INTO notify_messages (id, owner, source_id, event, subject, invocation, detail, count, first_at, last_at, gathers_until, in_portal)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
            """, id, owner, source, sighting.Event, sighting.Subject, sighting.Invocation, sighting.Detail, sighting.Count, at, until, channels.Any(channel => channel.Kind == "portal"));
        foreach (var channel in channels.Where(channel => channel.Target is not null))
            await s.ExecuteAsync("INSERT INTO notify_outbox (message_id, channel, target, next_at) VALUES ($1, $2, $3, $4)", id, channel.Kind, channel.Target, until);
    }

    private static NotifyRule ReadRule(DbDataReader r) => new(r.GetString(0), r.GetString(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3), Channels(r.GetString(4)), Moment(r.GetInt64(5)));

    private static NotifyWatch ReadWatch(DbDataReader r) => new(r.GetString(0), r.GetString(1), r.GetInt64(2), Channels(r.GetString(3)), Moment(r.GetInt64(4)));

    private static NotifyMessage ReadMessage(DbDataReader r) => new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.IsDBNull(5) ? null : r.GetString(5), r.GetString(6),
        r.GetInt64(7), Moment(r.GetInt64(8)), Moment(r.GetInt64(9)), Moment(r.GetInt64(10)), r.IsDBNull(11) ? null : Moment(r.GetInt64(11)));

    private static string NewId() => Guid.CreateVersion7().ToString("N");

    private static string Json(IReadOnlyList<NotifyChannel> channels) => JsonSerializer.Serialize(channels, NotifyJson.Default.IReadOnlyListNotifyChannel);

    private static IReadOnlyList<NotifyChannel> Channels(string json) => JsonSerializer.Deserialize(json, NotifyJson.Default.IReadOnlyListNotifyChannel)!;

    private static DateTimeOffset Moment(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private DateTimeOffset Now() => time.GetUtcNow();
}
