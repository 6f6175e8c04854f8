namespace Dure.Host.Data;

/// <summary>Expected failures of opening PostgreSQL.</summary>
public static class PostgresErrors
{
    public static readonly ErrorKind Unreachable = new(
        "DURE0045",
        "PostgreSQL cannot be reached",
        503,
        ExitCodes.Unavailable,
        "Check that the server in the connection string runs and lets this user in; `psql` with the same values must work.");

    public static readonly ErrorKind NotDurable = new(
        "DURE0046",
        "PostgreSQL is set up so that it may lose what it acknowledged",
        503,
        ExitCodes.Missing,
        "Set fsync and full_page_writes to on in postgresql.conf and reload it. Dure answers only for what is on disk.");
}
