using System.Globalization;
using System.Reflection;

namespace Dure.Host.Data;

/// <summary>
/// Brings the schema forward. Each slice keeps numbered files in its <c>Schema</c> folder; a file runs once, in its own
/// transaction, and is never edited after it has landed. A database with a file that this binary does not know is newer: refused.
/// </summary>
public static class Migrations
{
    // Slices with a database of their own.
    private static readonly string[] Apart = ["Storage/Store"];

    private sealed record Step(string Name, string Sql);

    /// <summary>Applies what is missing.</summary>
    /// <param name="slices">The folders below <c>src/Dure</c> whose files this database gets, such as <c>Storage/Store</c>; null is the
    /// main database, which gets all that no other database has for itself.</param>
    /// <returns>The names of the files that ran now, or <see cref="HostErrors.NewerSchema"/>.</returns>
    public static async ValueTask<Outcome<IReadOnlyList<string>>> ApplyAsync(Database database, TimeProvider time, CancellationToken cancel, IReadOnlyList<string>? slices = null)
    {
        await using var held = await database.LockSchemaAsync(cancel);
        await database.WriteAsync(static s => s.ExecuteAsync(
            "CREATE TABLE IF NOT EXISTS schema_steps (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL, version TEXT NOT NULL)"), cancel: cancel);
        var applied = await database.ReadAsync(static s => s.QueryAsync("SELECT name, version FROM schema_steps",
            static r => (Name: r.GetString(0), Version: r.GetString(1))), cancel);
        var known = Steps().FindAll(step => slices is null ? !Apart.Any(slice => IsIn(slice, step)) : slices.Any(slice => IsIn(slice, step)));
        var unknown = applied.Where(a => known.All(k => k.Name != a.Name)).ToList();
        if (unknown.Count > 0)
            return HostErrors.NewerSchema.With($"Schema step {unknown[0].Name} was made by Dure {unknown[0].Version}; this is {DureVersion.Text}.");
        var missing = known.Where(k => applied.All(a => a.Name != k.Name)).ToList();
        foreach (var step in missing)
            await ApplyAsync(database, step, time.GetUtcNow().ToUnixTimeMilliseconds());
        return missing.ConvertAll(m => m.Name);
    }

    private static bool IsIn(string slice, Step step) => step.Name.Contains(slice + "/Schema/", StringComparison.Ordinal);

    private static ValueTask<int> ApplyAsync(Database database, Step step, long now) => database.WriteAsync(async s =>
    {
        foreach (var statement in database.Dialect.Render(step.Sql).Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            await s.ExecuteAsync(statement);
        return await s.ExecuteAsync("INSERT INTO schema_steps (name, applied_at, version) VALUES ($1, $2, $3)", step.Name, now, DureVersion.Text);
    });

    private static List<Step> Steps()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var steps = new List<Step>();
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.Contains("Schema/", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            steps.Add(new Step(name, reader.ReadToEnd()));
        }
        // The number leads, so that slices may build on each other in the order in which they were written.
        return [.. steps.OrderBy(s => int.Parse(Path.GetFileNameWithoutExtension(s.Name), CultureInfo.InvariantCulture)).ThenBy(s => s.Name, StringComparer.Ordinal)];
    }
}
