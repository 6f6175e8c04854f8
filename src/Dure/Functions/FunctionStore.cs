using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Functions.Copies;
using Dure.Functions.Deploy;
using Dure.Host.Data;

namespace Dure.Functions;

/// <summary>All SQL about functions and versions.</summary>
/// <param name="data">The data folder that holds the code; null leaves the folders as they were stored.</param>
/// <param name="copies">What second providers get of sources; null for none.</param>
public sealed class FunctionStore(Database database, TimeProvider time, string? data = null, FunctionCopies? copies = null)
{
    private const string SelectFunctions =
        "SELECT id, name, owner, created_at, updated_at, live_version, previous_version, canary_version, canary_percent, deleted_at FROM functions";

    private sealed record FunctionRow(long Id, string Name, string Owner, long CreatedAt, long UpdatedAt, long? Live, long? Previous, long? Canary, int Percent, bool Deleted);

    /// <summary>Every function with its versions, deleted ones too: their invocations may still run.</summary>
    public async ValueTask<List<Function>> LoadAsync(CancellationToken cancel) => await database.ReadAsync(async s =>
    {
        var rows = await s.QueryAsync(SelectFunctions, ReadFunction);
        var functions = new List<Function>(rows.Count);
        foreach (var row in rows)
            functions.Add(await BuildAsync(s, row));
        return functions;
    }, cancel);

    /// <summary>Stores a version (or finds the same digest), and sends callers to it.</summary>
    /// <param name="canaryPercent">0 makes it live; otherwise it becomes the canary with this share.</param>
    /// <param name="expected">What it builds on; null for whatever is there.</param>
    /// <returns>Null when callers are sent elsewhere than expected: nothing was changed.</returns>
    public ValueTask<Function?> DeployAsync(string name, string owner, BuiltVersion built, long sizeBytes, int canaryPercent, ExpectedRelease? expected = null) => database.WriteAsync(async s =>
    {
        var now = Now();
        if (!await ReleaseRows.IsAsync(s, name, expected))
            return null;
        await s.ExecuteAsync("""
            INSERT INTO functions (id, name, owner, created_at, updated_at) SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $3 FROM functions WHERE true
            ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at
            """, name, owner, now);
        await s.ExecuteAsync("UPDATE functions SET deleted_at = NULL, live_version = NULL, previous_version = NULL, canary_version = NULL, canary_percent = 0 WHERE name = $1 AND deleted_at IS NOT NULL", name);
        var function = await s.ScalarAsync<long>("SELECT id FROM functions WHERE name = $1", name);
        await s.ExecuteAsync("""
            INSERT INTO versions (id, function_id, number, digest, owner, created_at, size_bytes, built)
            SELECT (SELECT COALESCE(MAX(id), 0) + 1 FROM versions), $1, (SELECT COALESCE(MAX(number), 0) + 1 FROM versions WHERE function_id = $1), $2, $3, $4, $5, $6
            WHERE NOT EXISTS (SELECT 1 FROM versions WHERE function_id = $1 AND digest = $2)
            """, function, built.Digest, owner, now, sizeBytes, JsonSerializer.Serialize(built, BuiltJson.Default.BuiltVersion));
        // Retention may have taken the same code out of service.
        await s.ExecuteAsync("UPDATE versions SET removed_at = NULL, built = $3, size_bytes = $4 WHERE function_id = $1 AND digest = $2 AND removed_at IS NOT NULL",
            function, built.Digest, JsonSerializer.Serialize(built, BuiltJson.Default.BuiltVersion), sizeBytes);
        var version = await s.ScalarAsync<long>("SELECT id FROM versions WHERE function_id = $1 AND digest = $2", function, built.Digest);
        // A canary takes a share of the calls; the schedule stays the live version's.
        var first = canaryPercent > 0 && await s.ScalarAsync<long>("SELECT COUNT(*) FROM functions WHERE id = $1 AND live_version IS NULL", function) > 0;
        if (canaryPercent > 0)
            await s.ExecuteAsync("UPDATE functions SET canary_version = $2, canary_percent = $3, live_version = COALESCE(live_version, $2) WHERE id = $1", function, version, (long)canaryPercent);
        else
            await PointAsync(s, function, version);
        if (canaryPercent == 0 || first)
            await SetScheduleAsync(s, function, built.Spec.Schedule, now);
        await ReleaseRows.AddAsync(s, function, now, owner, canaryPercent > 0 ? "canary" : "deploy");
        var deployed = (await FindAsync(s, function))!;
        // As it is stored: the same code may have been deployed before from another package.
        if (copies is not null && deployed.Versions.FirstOrDefault(v => v.Id == version) is { } stored)
            await FunctionCopies.AddAsync(s, copies.OfSource(name, stored.Number, stored.Owner, stored.CreatedAt, stored.SizeBytes, stored.Built), now);
        return deployed;
    });

    /// <summary>Sends callers to a version, with or without a canary.</summary>
    /// <remarks>The schedule becomes the one that the version was deployed with.</remarks>
    /// <param name="expected">What it builds on; null for whatever is there.</param>
    /// <returns>Null when callers are sent elsewhere than expected: nothing was changed.</returns>
    public ValueTask<Function?> SetLiveAsync(FunctionVersion version, long? canary, int canaryPercent, ReleaseBy by, ExpectedRelease? expected = null) => database.WriteAsync(async s =>
    {
        var function = version.FunctionId;
        if (!await ReleaseRows.IsAsync(s, version.FunctionName, expected))
            return null;
        await PointAsync(s, function, version.Id);
        await SetScheduleAsync(s, function, version.Spec.Schedule, Now());
        await s.ExecuteAsync("UPDATE functions SET canary_version = $2, canary_percent = $3, updated_at = $4 WHERE id = $1", function, canary, (long)canaryPercent, Now());
        await ReleaseRows.AddAsync(s, function, Now(), by.Owner, by.Action);
        return await FindAsync(s, function);
    });

    /// <summary>The changes of where callers are sent, the newest first.</summary>
    public ValueTask<List<FunctionRelease>> ReleasesAsync(long function, int limit, CancellationToken cancel) => database.ReadAsync(s => ReleaseRows.ListAsync(s, function, limit), cancel);

    /// <summary>Takes a function out of service. Its versions and history stay until retention removes them.</summary>
    public ValueTask<int> DeleteAsync(long function) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("DELETE FROM schedules WHERE function_id = $1", function);
        return await s.ExecuteAsync("UPDATE functions SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", function, Now());
    });

    private static async ValueTask PointAsync(DbSession s, long function, long version) => await s.ExecuteAsync("""
        UPDATE functions SET previous_version = CASE WHEN live_version = $2 THEN previous_version ELSE live_version END,
            live_version = $2, canary_version = NULL, canary_percent = 0 WHERE id = $1
        """, function, version);

    private static async ValueTask SetScheduleAsync(DbSession s, long function, FunctionSchedule? schedule, long now)
    {
        if (schedule is null)
        {
            await s.ExecuteAsync("DELETE FROM schedules WHERE function_id = $1", function);
            return;
        }
        // next_at 0: the scheduler works the first firing out.
        await s.ExecuteAsync("""
            INSERT INTO schedules (function_id, cron, time_zone, next_at) VALUES ($1, $2, $3, 0)
            ON CONFLICT (function_id) DO UPDATE SET next_at = CASE WHEN schedules.cron = excluded.cron AND schedules.time_zone = excluded.time_zone THEN schedules.next_at ELSE 0 END,
                cron = excluded.cron, time_zone = excluded.time_zone
            """, function, schedule.Cron, schedule.TimeZone);
    }

    // A backup may have been restored into another data folder: what was stored are the folders of then.
    private BuiltVersion Here(BuiltVersion built) => data is null ? built : built with
    {
        CodeDirectory = Path.Combine(data, "code", Path.GetFileName(built.CodeDirectory)),
        DepsDirectory = built.DepsDirectory is { } deps ? Path.Combine(data, "deps", Path.GetFileName(deps)) : null,
    };

    private async ValueTask<Function?> FindAsync(DbSession s, long id)
    {
        var row = await s.FirstAsync(SelectFunctions + " WHERE id = $1", ReadFunction, id);
        return row is null ? null : await BuildAsync(s, row);
    }

    private async ValueTask<Function> BuildAsync(DbSession s, FunctionRow row)
    {
        var versions = await s.QueryAsync("SELECT id, number, owner, created_at, size_bytes, built FROM versions WHERE function_id = $1 AND removed_at IS NULL ORDER BY number DESC",
            r => new FunctionVersion(r.GetInt64(0), row.Id, row.Name, r.GetInt32(1), r.GetString(2), Time(r.GetInt64(3)), r.GetInt64(4),
                Here(JsonSerializer.Deserialize(r.GetString(5), BuiltJson.Default.BuiltVersion)!)), row.Id);
        FunctionVersion? Find(long? id) => versions.Find(v => v.Id == id);
        return new Function(row.Id, row.Name, row.Owner, Time(row.CreatedAt), Time(row.UpdatedAt), Find(row.Live), Find(row.Previous), Find(row.Canary), row.Percent, versions, row.Deleted);
    }

    private static FunctionRow ReadFunction(DbDataReader r) => new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetInt64(3), r.GetInt64(4),
        r.IsDBNull(5) ? null : r.GetInt64(5), r.IsDBNull(6) ? null : r.GetInt64(6), r.IsDBNull(7) ? null : r.GetInt64(7), r.GetInt32(8), !r.IsDBNull(9));

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(BuiltVersion))]
internal sealed partial class BuiltJson : JsonSerializerContext;
