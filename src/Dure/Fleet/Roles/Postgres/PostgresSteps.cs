namespace Dure.Fleet.Roles.Postgres;

/// <summary>
/// What is in the database rather than in files. Every step runs on every machine and finds nothing to do on replicas, which get all from the primary. A changed password of
/// <c>dure</c> arrives this way. One of the superuser or of the replicas is changed on the primary first (<c>--machine</c>), else replicas cannot follow in between.
/// </summary>
internal static class PostgresSteps
{
    /// <summary>Prints <c>t</c> on a replica and <c>f</c> on the primary.</summary>
    public const string Recovery = "runuser -u postgres -- psql -XAtqc 'SELECT pg_is_in_recovery()' 2>/dev/null";

    public static void Add(RoleScope scope)
    {
        scope.Step(
            "Patroni's shared settings are the fleet's",
            $"{PatroniShared.ScriptPath} same 2>/dev/null",
            $"""
            tries=0
            until {PatroniShared.ScriptPath} set; do
                tries=$((tries + 1))
                [ "$tries" -lt 90 ] || exit 1
                sleep 1
            done
            """,
            limit: TimeSpan.FromSeconds(120));
        scope.Step("The database dure and its users exist, with their passwords", UsersDone(scope), UsersDo(scope), secret: true, limit: TimeSpan.FromSeconds(180));
        scope.Step(
            "PostgreSQL runs with its settings",
            $"{Patroni(scope)} | {NoRestartPending}",
            $"""
            sleep 3
            {Patroni(scope)} | {NoRestartPending} || patronictl -c {PatroniConfig.Path} restart --force dure {Quoting.Shell(scope.Machine.Name)}
            """,
            limit: TimeSpan.FromSeconds(120));
    }

    /// <summary>PostgreSQL answers, and a replica follows.</summary>
    public static string Healthy(RoleScope scope) =>
        $$"""
        if ! curl -fs --max-time 2 -o /dev/null http://{{Quoting.Host(scope.Address)}}:8008/health; then
            echo 'Patroni says that PostgreSQL does not run'
            false
        elif [ "$({{Follows}})" != t ]; then
            echo 'PostgreSQL does not follow its primary'
            false
        fi
        """;

    private const string Follows =
        "runuser -u postgres -- psql -XAtqc \"SELECT NOT pg_is_in_recovery() OR EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')\" 2>/dev/null";

    private const string NoRestartPending = "python3 -c 'import json, sys; sys.exit(json.load(sys.stdin).get(\"pending_restart\", False))' 2>/dev/null";

    private static string Patroni(RoleScope scope) => $"curl -s --max-time 2 http://{Quoting.Host(scope.Address)}:8008/patroni";

    // Passwords are tried as their users would: over TCP, from this machine's own address.
    private static string UsersDone(RoleScope scope) =>
        $$"""
        may() {
            PGPASSWORD=$1 PGCONNECT_TIMEOUT=5 psql -XAtqc "$3" "host={{scope.Address}} $2" >/dev/null 2>&1
        }
        role=$({{Recovery}}) || role=
        [ "$role" = t ] || {
            [ "$role" = f ] &&
                may {{Quoting.Shell(scope.Secret("postgres_dure"))}} 'user=dure dbname=dure' 'SELECT 1' &&
                may {{Quoting.Shell(scope.Secret("postgres_superuser"))}} 'user=postgres dbname=postgres' 'SELECT 1' &&
                may {{Quoting.Shell(scope.Secret("postgres_replication"))}} 'user=replicator dbname=postgres replication=database' 'IDENTIFY_SYSTEM'
        }
        """;

    private static string UsersDo(RoleScope scope) =>
        $$"""
        tries=0
        until role=$({{Recovery}}) && [ -n "$role" ]; do
            tries=$((tries + 1))
            [ "$tries" -lt 150 ] || { echo 'PostgreSQL did not start: see journalctl -u patroni'; exit 1; }
            sleep 1
        done
        [ "$role" = f ] || exit 0
        cd /
        runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 postgres >/dev/null <<'SQL'
        SET log_min_error_statement = panic;
        SELECT 'CREATE ROLE dure LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dure') \gexec
        ALTER ROLE dure LOGIN PASSWORD {{Quoting.Postgres(scope.Secret("postgres_dure"))}};
        ALTER ROLE postgres PASSWORD {{Quoting.Postgres(scope.Secret("postgres_superuser"))}};
        ALTER ROLE replicator PASSWORD {{Quoting.Postgres(scope.Secret("postgres_replication"))}};
        SELECT 'CREATE DATABASE dure OWNER dure' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'dure') \gexec
        SQL
        """;
}
