using System.Data.Common;
using Dure.Host.Data;

namespace Dure.Host.Identity;

/// <summary>One line of the audit trail.</summary>
/// <param name="How">session:ID, token:ID, or how somebody signed in.</param>
/// <param name="Action">The method and the pattern of the address.</param>
/// <param name="Subject">What it was done to.</param>
/// <param name="Status">What was answered.</param>
internal sealed record AuditEntry(string Who, string How, string Address, string Action, string Subject, int Status)
{
    public long Id { get; init; }

    public DateTimeOffset At { get; init; }
}

/// <summary>What is looked for in the audit trail; null for everything.</summary>
/// <param name="Text">Stands somewhere in the action or the subject.</param>
internal sealed record AuditFilter(string? Who, string? Text, DateTimeOffset? From, DateTimeOffset? To);

/// <summary>The audit trail: who changed what, when and from where. Each line is on disk, in a group with whatever else is written, before its request is over.</summary>
internal sealed partial class AuditTrail(Database database, TimeProvider time, ILogger<AuditTrail> logger)
{
    private const int TextMax = 400;
    private const string Select = "SELECT id, at, who, how, address, action, subject, status FROM audit";

    /// <summary>Writes a line. What it tells of is done already, so a failure is logged and no more.</summary>
    public async ValueTask AddAsync(AuditEntry entry)
    {
        var at = time.GetUtcNow().ToUnixTimeMilliseconds();
        try
        {
            await database.WriteAsync(s => s.ExecuteAsync(
                "INSERT INTO audit (at, who, how, address, action, subject, status) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                at, Cut(entry.Who), Cut(entry.How), Cut(entry.Address), Cut(entry.Action), Cut(entry.Subject), (long)entry.Status));
        }
        catch (DbException error)
        {
            LogLost(error, entry.Action, entry.Subject, entry.Who);
        }
    }

    /// <summary>The newest first.</summary>
    /// <param name="before">Older than the line of this id; null for the newest.</param>
    public ValueTask<List<AuditEntry>> ListAsync(AuditFilter filter, long? before, int limit, CancellationToken cancel)
    {
        var like = "%" + (filter.Text ?? "").ToLowerInvariant().Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal) + "%";
        return database.ReadAsync(
            s => s.QueryAsync(
                $"""
                {Select} WHERE id < $1 AND at >= $2 AND at < $3 AND ($4 = '' OR who = $4) AND ($5 = '%%' OR LOWER(action) LIKE $5 ESCAPE '!' OR LOWER(subject) LIKE $5 ESCAPE '!')
                ORDER BY id DESC LIMIT $6
                """,
                Read,
                before ?? long.MaxValue, filter.From?.ToUnixTimeMilliseconds() ?? 0, filter.To?.ToUnixTimeMilliseconds() ?? long.MaxValue, filter.Who ?? "", like, limit),
            cancel);
    }

    /// <summary>Removes what is older.</summary>
    public ValueTask<int> RemoveBeforeAsync(DateTimeOffset before, CancellationToken cancel) =>
        database.WriteAsync(s => s.ExecuteAsync("DELETE FROM audit WHERE at < $1", before.ToUnixTimeMilliseconds()), cancel: cancel);

    private static string Cut(string text) => text.Length <= TextMax ? text : text[..TextMax];

    private static AuditEntry Read(DbDataReader row) =>
        new(row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6), (int)row.GetInt64(7))
        {
            Id = row.GetInt64(0),
            At = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
        };

    [LoggerMessage(Level = LogLevel.Error, Message = "The audit trail could not be written: {Action} {Subject} by {Who}")]
    private partial void LogLost(Exception error, string action, string subject, string who);
}
