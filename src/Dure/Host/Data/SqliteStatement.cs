using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dure.Host.Data;

/// <summary>
/// A prepared statement without results, straight on SQLite's C interface: parameters are bound by position instead of being
/// looked up by name each time, which is most of what a small write costs otherwise.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly int[] _positions;

    /// <summary>Prepares it.</summary>
    /// <param name="count">Parameters <c>$1</c> to <c>$count</c>.</param>
    /// <exception cref="SqliteException">The SQL is not valid.</exception>
    public SqliteStatement(sqlite3 database, string sql, int count)
    {
        _database = database;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(database, sql, out _statement), database);
        _positions = new int[count];
        for (var i = 0; i < count; i++)
            _positions[i] = raw.sqlite3_bind_parameter_index(_statement, "$" + (i + 1).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Runs it.</summary>
    /// <returns>Rows changed.</returns>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public int Execute(ReadOnlySpan<object?> values)
    {
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (_positions[i] > 0)
                    Bind(_positions[i], values[i]);
            }
            int rc;
            do
            {
                rc = raw.sqlite3_step(_statement);
            }
            while (rc == raw.SQLITE_ROW);
            if (rc != raw.SQLITE_DONE)
                SqliteException.ThrowExceptionForRC(rc, _database);
            return raw.sqlite3_changes(_database);
        }
        finally
        {
            _ = raw.sqlite3_reset(_statement);
        }
    }

    public void Dispose() => _statement.Dispose();

    private void Bind(int position, object? value)
    {
        _ = value switch
        {
            null => raw.sqlite3_bind_null(_statement, position),
            long number => raw.sqlite3_bind_int64(_statement, position, number),
            int number => raw.sqlite3_bind_int64(_statement, position, number),
            bool truth => raw.sqlite3_bind_int64(_statement, position, truth ? 1 : 0),
            double number => raw.sqlite3_bind_double(_statement, position, number),
            byte[] bytes => BindBlob(position, bytes),
            ReadOnlyMemory<byte> bytes => BindBlob(position, bytes.Span),
            string text => BindText(position, text),
            _ => throw new ArgumentException($"A value of type {value.GetType()} cannot be stored.", nameof(value)),
        };
    }

    // An empty span has no address, and SQLite takes no address for NULL.
    private int BindBlob(int position, ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, position, 0) : raw.sqlite3_bind_blob(_statement, position, bytes);

    private int BindText(int position, string text)
    {
        if (text.Length == 0)
            return raw.sqlite3_bind_text(_statement, position, text);
        Span<byte> small = stackalloc byte[256];
        if (text.Length <= 80)
            return raw.sqlite3_bind_text(_statement, position, small[..Encoding.UTF8.GetBytes(text, small)]);
        return raw.sqlite3_bind_text(_statement, position, Encoding.UTF8.GetBytes(text).AsSpan());
    }
}
