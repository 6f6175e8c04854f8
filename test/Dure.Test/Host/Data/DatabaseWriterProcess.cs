using System.Globalization;
using Dure.Host.Data;

namespace Dure.Test.Host.Data;

/// <summary>A process that writes rows in pairs and says what was acknowledged, for tests that kill it.</summary>
internal static class DatabaseWriterProcess
{
    private const int PairOffset = 500_000_000;

    /// <summary>Opens the database at an address: a dialect, and a path or a connection string.</summary>
    public static async Task<Database> OpenAsync(IReadOnlyList<string> address) => address[0] == Dialect.Sqlite.Name
        ? await SqliteDatabase.OpenAsync(address[1], CancellationToken.None)
        : (await PostgresDatabase.OpenAsync(address[1], CancellationToken.None)).Value;

    /// <summary>Writes pairs, so many at a time, from a first number on, and prints the number of each that was acknowledged.</summary>
    public static async Task<int> WriteForEverAsync(string[] args)
    {
        await using var database = await OpenAsync(args[2..]);
        await WritePairsAsync(database, int.Parse(args[0], CultureInfo.InvariantCulture), int.Parse(args[1], CultureInfo.InvariantCulture), static id =>
        {
            lock (Console.Out)
            {
                Console.Write($"{id}\n");
            }
        }, CancellationToken.None);
        return 0;
    }

    /// <summary>The same until cancelled, told one by one what was acknowledged.</summary>
    public static Task WritePairsAsync(Database database, int atATime, int next, Action<int> acknowledged, CancellationToken ending) =>
        Task.WhenAll(Enumerable.Range(0, atATime).Select(_ => Task.Run(async () =>
        {
            while (!ending.IsCancellationRequested)
            {
                var id = Interlocked.Increment(ref next);
                await database.WriteAsync(async s =>
                    await s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", id, "one of a pair")
                    + await s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", id + PairOffset, "the other"));
                acknowledged(id);
            }
        })));

    /// <summary>The numbers of the pairs that are there whole.</summary>
    public static async Task<IReadOnlyList<string>> PairsAsync(Database database) => await database.ReadAsync(s => s.QueryAsync(
        "SELECT one.id FROM notes one JOIN notes other ON other.id = one.id + $1",
        r => r.GetInt64(0).ToString(CultureInfo.InvariantCulture),
        PairOffset));
}
