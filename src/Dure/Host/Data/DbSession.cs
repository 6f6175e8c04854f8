using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Dure.Host.Data;

/// <summary>
/// One connection with its prepared statements. Values: string, long, int, bool (0/1), double, byte[], ReadOnlyMemory&lt;byte&gt;, null.
/// Used by one operation at a time.
/// </summary>
public sealed class DbSession(DbConnection connection) : IAsyncDisposable
{
    private readonly Dictionary<string, DbCommand> _prepared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);

    /// <summary>The connection, for what only one dialect has.</summary>
    public DbConnection Connection => connection;

    internal DbTransaction? Transaction { get; set; }

    /// <summary>Runs a statement and answers the number of rows it changed.</summary>
    public ValueTask<int> ExecuteAsync(string sql, params ReadOnlySpan<object?> values)
    {
        if (connection is not SqliteConnection sqlite)
            return new(Prepare(sql, values).ExecuteNonQueryAsync());
        if (!_statements.TryGetValue(sql, out var statement))
            _statements[sql] = statement = new SqliteStatement(sqlite.Handle!, sql, values.Length);
        return new(statement.Execute(values));
    }

    /// <summary>Runs a query and maps every row.</summary>
    public ValueTask<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> map, params ReadOnlySpan<object?> values) =>
        ReadRowsAsync(Prepare(sql, values), map);

    /// <summary>The first row, or default when there is none.</summary>
    public ValueTask<T?> FirstAsync<T>(string sql, Func<DbDataReader, T> map, params ReadOnlySpan<object?> values) =>
        FirstRowAsync(Prepare(sql, values), map);

    /// <summary>The first column of the first row; default when there is no row or it is NULL.</summary>
    public ValueTask<T?> ScalarAsync<T>(string sql, params ReadOnlySpan<object?> values) => ScalarAsync<T>(Prepare(sql, values));

    public async ValueTask DisposeAsync()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        foreach (var command in _prepared.Values)
            await command.DisposeAsync();
        await connection.DisposeAsync();
    }

    private static async ValueTask<List<T>> ReadRowsAsync<T>(DbCommand command, Func<DbDataReader, T> map)
    {
        var rows = new List<T>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            rows.Add(map(reader));
        return rows;
    }

    private static async ValueTask<T?> FirstRowAsync<T>(DbCommand command, Func<DbDataReader, T> map)
    {
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow);
        return await reader.ReadAsync() ? map(reader) : default;
    }

    private static async ValueTask<T?> ScalarAsync<T>(DbCommand command)
    {
        var value = await command.ExecuteScalarAsync();
        return value is null or DBNull ? default : (T)Convert.ChangeType(value, Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T), System.Globalization.CultureInfo.InvariantCulture);
    }

    private DbCommand Prepare(string sql, ReadOnlySpan<object?> values)
    {
        if (!_prepared.TryGetValue(sql, out var command))
            _prepared[sql] = command = Create(sql, values.Length);
        command.Transaction = Transaction;
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] switch { null => DBNull.Value, bool b => b ? 1L : 0L, int n => (long)n, ReadOnlyMemory<byte> m => m.ToArray(), var v => v };
        return command;
    }

    private DbCommand Create(string sql, int count)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        var named = connection is SqliteConnection;
        for (var i = 1; i <= count; i++)
        {
            var parameter = command.CreateParameter();
            if (named)
                parameter.ParameterName = "$" + i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
