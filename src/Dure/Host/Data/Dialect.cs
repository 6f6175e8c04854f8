namespace Dure.Host.Data;

/// <summary>
/// Where the two databases differ. All other SQL is written once, with parameters <c>$1</c>, <c>$2</c>… that both understand.
/// Schema files use the words in braces.
/// </summary>
/// <param name="Name"><c>sqlite</c> or <c>postgres</c>.</param>
/// <param name="Id">Type of a 64-bit primary key: <c>{id}</c>.</param>
/// <param name="Blob">Type of bytes: <c>{blob}</c>.</param>
/// <param name="Clustered">What ends a table that is stored by its key: <c>{clustered}</c>.</param>
/// <param name="Skip">Row-locking clause of a claiming SELECT.</param>
public sealed record Dialect(string Name, string Id, string Blob, string Clustered, string Skip)
{
    /// <summary>The embedded database.</summary>
    public static readonly Dialect Sqlite = new("sqlite", "INTEGER PRIMARY KEY", "BLOB", "WITHOUT ROWID", "");

    /// <summary>The cluster's database.</summary>
    public static readonly Dialect Postgres = new("postgres", "BIGINT PRIMARY KEY", "BYTEA", "", "FOR UPDATE SKIP LOCKED");

    /// <summary>Fills in the words in braces.</summary>
    public string Render(string sql) => sql
        .Replace("{id}", Id, StringComparison.Ordinal)
        .Replace("{blob}", Blob, StringComparison.Ordinal)
        .Replace("{clustered}", Clustered, StringComparison.Ordinal)
        .Replace("{skip}", Skip, StringComparison.Ordinal);
}
