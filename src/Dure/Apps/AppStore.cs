using System.Text.Json;
using Dure.Host;
using Dure.Host.Data;

namespace Dure.Apps;

/// <summary>Who publishes what from where.</summary>
/// <param name="Replace">Also in the place of an app from elsewhere.</param>
public sealed record AppOrigin(string Id, string Owner, string Path, string Machine, bool Replace);

/// <summary>All SQL about apps. A port belongs to one version of one app on one machine: the table's key sees to that, whoever asks at once.</summary>
public sealed class AppStore(Database database, TimeProvider time)
{
    private sealed record AppRow(string Id, string Owner, string Origin, string Machine, int? Live, int? Previous, bool Removing, string? Error, DateTimeOffset? ErrorAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

    /// <summary>Every app of a machine; of all machines for null.</summary>
    public async ValueTask<List<App>> AllAsync(string? machine, CancellationToken cancel) => await database.ReadAsync(async s =>
    {
        var apps = new List<App>();
        foreach (var row in await s.QueryAsync(SelectApps + " ORDER BY id", ReadApp))
        {
            if (machine is null || row.Machine == machine)
                apps.Add(await BuildAsync(s, row));
        }

        return apps;
    }, cancel);

    public ValueTask<App?> FindAsync(string id, CancellationToken cancel) => database.ReadAsync(s => FindAsync(s, id), cancel);

    /// <summary>Records a version that is about to be brought up.</summary>
    public ValueTask<Outcome<AppVersion>> AddAsync(AppOrigin origin, AppSpec spec, int number, long sizeBytes) => database.WriteAsync(async s =>
    {
        var now = Now();
        if (await FindAsync(s, origin.Id) is { } known && CheckOrigin(known, origin) is { } taken)
            return (Outcome<AppVersion>)taken;
        await s.ExecuteAsync("""
            INSERT INTO apps (id, owner, origin, machine, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
            ON CONFLICT (id) DO UPDATE SET origin = excluded.origin, machine = excluded.machine, updated_at = excluded.updated_at
            """, origin.Id, origin.Owner, origin.Path, origin.Machine, now);
        await s.ExecuteAsync("INSERT INTO app_versions (app, number, state, owner, spec, size_bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            origin.Id, (long)number, Word(VersionState.Starting), origin.Owner, JsonSerializer.Serialize(spec, SpecJson.Default.AppSpec), sizeBytes, now);
        return (Outcome<AppVersion>)(await FindAsync(s, origin.Id))!.Find(number)!;
    });

    /// <summary>Why a publish from there cannot have this id; null when it can.</summary>
    public static Problem? CheckOrigin(App known, AppOrigin origin) =>
        known.Removing ? AppErrors.Removing.With($"{known.Id} is being unpublished.")
        : known.Machine != origin.Machine ? AppErrors.IdTaken.With($"'{known.Id}' is published on {known.Machine}, from {known.Origin}, by {known.Owner}.")
        : known.Origin != origin.Path && !origin.Replace ? AppErrors.IdTaken.With($"'{known.Id}' is published from {known.Origin} by {known.Owner}, not from {origin.Path}.")
        : null;

    /// <summary>Takes the lowest port that nobody has. One that the version has already stays its own.</summary>
    /// <param name="skip">Ports that other programs listen on.</param>
    /// <returns>Null when every one is taken.</returns>
    public ValueTask<int?> ClaimPortAsync(AppVersion version, string machine, int first, int last, IReadOnlySet<int> skip) => database.WriteAsync<int?>(async s =>
    {
        await s.ExecuteAsync("UPDATE app_versions SET state = $3, drains_until = NULL WHERE app = $1 AND number = $2 AND state <> 'live'", version.App, (long)version.Number, Word(VersionState.Starting));
        if (await s.ScalarAsync<long?>("SELECT port FROM app_ports WHERE app = $1 AND version = $2", version.App, (long)version.Number) is { } own)
            return (int)own;
        var taken = (await s.QueryAsync("SELECT port FROM app_ports", static r => r.GetInt32(0))).ToHashSet();
        for (var port = first; port <= last; port++)
        {
            if (!taken.Contains(port) && !skip.Contains(port)
                && await s.ExecuteAsync("INSERT INTO app_ports (port, app, version, machine, taken_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", (long)port, version.App, (long)version.Number, machine, Now()) > 0)
                return port;
        }

        return null;
    });

    public ValueTask<int> ReleasePortAsync(AppVersion version) => database.WriteAsync(s => s.ExecuteAsync("DELETE FROM app_ports WHERE app = $1 AND version = $2", version.App, (long)version.Number));

    /// <summary>Makes a version live; the one that was drains.</summary>
    public ValueTask<App> SwitchAsync(AppVersion version, DateTimeOffset drainsUntil) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("UPDATE app_versions SET state = $3, drains_until = $4, asleep_since = NULL WHERE app = $1 AND state = 'live' AND number <> $2",
            version.App, (long)version.Number, Word(VersionState.Draining), drainsUntil.ToUnixTimeMilliseconds());
        await s.ExecuteAsync("UPDATE app_versions SET state = $3, drains_until = NULL WHERE app = $1 AND number = $2", version.App, (long)version.Number, Word(VersionState.Live));
        await s.ExecuteAsync("""
            UPDATE apps SET previous_version = CASE WHEN live_version = $2 THEN previous_version ELSE live_version END, live_version = $2, updated_at = $3, last_error = NULL, last_error_at = NULL WHERE id = $1
            """, version.App, (long)version.Number, Now());
        return (await FindAsync(s, version.App))!;
    });

    /// <summary>A version does not run any more and has no port.</summary>
    /// <param name="from">Only when it is still in this state: a rollback may have taken it up meanwhile.</param>
    /// <returns>False when it is in another state: nothing was done.</returns>
    public ValueTask<bool> RestAsync(AppVersion version, VersionState from) => database.WriteAsync(async s =>
    {
        if (await s.ExecuteAsync("UPDATE app_versions SET state = $3, drains_until = NULL WHERE app = $1 AND number = $2 AND state = $4", version.App, (long)version.Number, Word(VersionState.Kept), Word(from)) == 0)
            return false;
        await s.ExecuteAsync("DELETE FROM app_ports WHERE app = $1 AND version = $2", version.App, (long)version.Number);
        return true;
    });

    /// <summary>Forgets a version, and the app with its last one.</summary>
    /// <param name="error">Why, for the app's status; null for no reason worth telling.</param>
    public ValueTask<bool> DropAsync(AppVersion version, string? error) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("DELETE FROM app_ports WHERE app = $1 AND version = $2", version.App, (long)version.Number);
        await s.ExecuteAsync("DELETE FROM app_versions WHERE app = $1 AND number = $2", version.App, (long)version.Number);
        if (error is not null)
            await s.ExecuteAsync("UPDATE apps SET last_error = $2, last_error_at = $3 WHERE id = $1", version.App, error, Now());
        if (await s.ExecuteAsync("DELETE FROM apps WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM app_versions WHERE app = $1)", version.App) == 0)
            return false;
        await s.ExecuteAsync("DELETE FROM app_links WHERE app = $1", version.App);
        return true;
    });

    /// <summary>A version sleeps from then on; awake for null.</summary>
    public ValueTask<int> SetAsleepAsync(AppVersion version, DateTimeOffset? since) => database.WriteAsync(s =>
        s.ExecuteAsync("UPDATE app_versions SET asleep_since = $3 WHERE app = $1 AND number = $2", version.App, (long)version.Number, since?.ToUnixTimeMilliseconds()));

    /// <summary>A version is said to be otherwise.</summary>
    public ValueTask<int> SetSpecAsync(AppVersion version, AppSpec spec) => database.WriteAsync(s =>
        s.ExecuteAsync("UPDATE app_versions SET spec = $3 WHERE app = $1 AND number = $2", version.App, (long)version.Number, JsonSerializer.Serialize(spec, SpecJson.Default.AppSpec)));

    /// <summary>Says why the last change of an app failed.</summary>
    public ValueTask<int> SetErrorAsync(string id, string error) => database.WriteAsync(s => s.ExecuteAsync("UPDATE apps SET last_error = $2, last_error_at = $3 WHERE id = $1", id, error, Now()));

    /// <summary>From now on the app can only go.</summary>
    public ValueTask<int> MarkRemovingAsync(string id) => database.WriteAsync(s => s.ExecuteAsync("UPDATE apps SET removing = 1, updated_at = $2 WHERE id = $1", id, Now()));

    public ValueTask<int> DeleteAsync(string id) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("DELETE FROM app_ports WHERE app = $1", id);
        await s.ExecuteAsync("DELETE FROM app_versions WHERE app = $1", id);
        await s.ExecuteAsync("DELETE FROM app_links WHERE app = $1", id);
        return await s.ExecuteAsync("DELETE FROM apps WHERE id = $1", id);
    });

    private const string SelectApps = "SELECT id, owner, origin, machine, live_version, previous_version, removing, last_error, last_error_at, created_at, updated_at FROM apps";

    private static async ValueTask<App?> FindAsync(DbSession s, string id) => await s.FirstAsync(SelectApps + " WHERE id = $1", ReadApp, id) is { } row ? await BuildAsync(s, row) : null;

    private static async ValueTask<App> BuildAsync(DbSession s, AppRow row)
    {
        var versions = await s.QueryAsync("""
            SELECT v.number, v.state, v.owner, v.spec, v.size_bytes, v.created_at, p.port, v.drains_until, v.asleep_since
            FROM app_versions v LEFT JOIN app_ports p ON p.app = v.app AND p.version = v.number WHERE v.app = $1 ORDER BY v.number DESC
            """, r => new AppVersion(row.Id, r.GetInt32(0), Enum.Parse<VersionState>(r.GetString(1), ignoreCase: true), r.GetString(2), JsonSerializer.Deserialize(r.GetString(3), SpecJson.Default.AppSpec)!,
                r.GetInt64(4), Time(r.GetInt64(5)), r.IsDBNull(6) ? null : r.GetInt32(6), r.IsDBNull(7) ? null : Time(r.GetInt64(7)), r.IsDBNull(8) ? null : Time(r.GetInt64(8))), row.Id);
        return new(row.Id, row.Owner, row.Origin, row.Machine, row.Live, row.Previous, row.Removing, row.Error, row.ErrorAt, row.CreatedAt, row.UpdatedAt, versions);
    }

    private static AppRow ReadApp(System.Data.Common.DbDataReader r) => new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), r.IsDBNull(4) ? null : r.GetInt32(4),
        r.IsDBNull(5) ? null : r.GetInt32(5), r.GetInt64(6) != 0, r.IsDBNull(7) ? null : r.GetString(7), r.IsDBNull(8) ? null : Time(r.GetInt64(8)), Time(r.GetInt64(9)), Time(r.GetInt64(10)));

    private static string Word(VersionState state) => state.ToString().ToLowerInvariant();

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
