using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Etcd;

namespace Dure.Fleet.Roles.Postgres;

/// <summary>The file that Patroni reads on one machine: who it is, where etcd is, how PostgreSQL is started and who may sign in.</summary>
internal static class PatroniConfig
{
    public const string Path = "/etc/patroni/config.yml";

    /// <summary>
    /// Patroni's own check also tries to bind its ports, which a running Patroni holds, and to reach etcd, which may come later: neither is a fault of the file. It misses
    /// <c>bootstrap.pg_hba</c> although <c>postgresql.pg_hba</c> takes its place.
    /// </summary>
    public const string Check =
        """
        said=$(patroni --validate-config "$new" 2>&1) || {
            left=$(printf '%s\n' "$said" | grep -v -e 'already in use' -e 'is not reachable' -e '^bootstrap.pg_hba ') && printf '%s\n' "$left" && false
        } || [ -z "$left" ]
        """;

    public static string Of(RoleScope scope)
    {
        var version = PostgresRole.VersionOf(scope.Machine.Os);
        var host = Quoting.Host(scope.Address);
        var text = new StringBuilder();
        text.Append(RoleScope.Invariant(
            $"""
            scope: dure
            name: {Quoting.Yaml(scope.Machine.Name)}

            restapi:
              listen: '{host}:8008'
              connect_address: '{host}:8008'
              authentication:
                username: dure
                password: {Quoting.Yaml(scope.Secret("postgres_rest"))}

            {(EtcdRole.SpeaksSecondProtocol(scope.Fleet) ? "etcd" : "etcd3")}:
              hosts: [{string.Join(", ", EtcdRole.Clients(scope.Fleet).Select(Quoting.Yaml))}]

            bootstrap:
              dcs:
            {Indented(PatroniShared.Lines(scope), 4)}
              initdb:
                - encoding: UTF8
                - locale: C.UTF-8
                - data-checksums

            postgresql:
              listen: '127.0.0.1,{scope.Address}:5432'
              connect_address: '{host}:5432'
              data_dir: /var/lib/postgresql/{version}/dure
              bin_dir: /usr/lib/postgresql/{version}/bin
              pgpass: /var/lib/postgresql/dure.pgpass
              use_unix_socket: true
              authentication:
                superuser:
                  username: postgres
                  password: {Quoting.Yaml(scope.Secret("postgres_superuser"))}
                replication:
                  username: replicator
                  password: {Quoting.Yaml(scope.Secret("postgres_replication"))}
                rewind:
                  username: postgres
                  password: {Quoting.Yaml(scope.Secret("postgres_superuser"))}
              parameters:
                unix_socket_directories: /run/postgresql
                shared_buffers: {scope.Get(PostgresRole.SharedBuffers) >> 20}MB
              remove_data_directory_on_rewind_failure: true
              remove_data_directory_on_diverged_timelines: true
              create_replica_methods: [basebackup]
              basebackup:
                - checkpoint: fast
              pg_hba:
            {Indented(Access(scope).Select(line => $"- {line}"), 4)}

            """));
        return text.ToString();
    }

    // The first line that matches decides. Who is not in the fleet finds none.
    private static IEnumerable<string> Access(RoleScope scope)
    {
        yield return "local all postgres peer";
        yield return "local all all scram-sha-256";
        yield return "host all all 127.0.0.1/32 scram-sha-256";

        // Patroni asks its own PostgreSQL this way how far it is; without it a former primary is never rewound.
        yield return "host replication replicator 127.0.0.1/32 scram-sha-256";
        foreach (var member in scope.Members)
        {
            yield return $"host replication replicator {Single(scope.Fleet, member)} scram-sha-256";
            yield return $"host all postgres {Single(scope.Fleet, member)} scram-sha-256";
            yield return $"host postgres replicator {Single(scope.Fleet, member)} scram-sha-256";
        }

        yield return "host all postgres,replicator all reject";
        foreach (var machine in scope.Fleet.Machines)
            yield return $"host all all {Single(scope.Fleet, machine)} scram-sha-256";
    }

    private static string Single(FleetModel fleet, Machine machine)
    {
        var address = fleet.AddressOf(machine);
        return RoleScope.Invariant($"{address}/{address.GetAddressBytes().Length * 8}");
    }

    private static string Indented(IEnumerable<string> lines, int by) => string.Join('\n', lines.Select(line => new string(' ', by) + line));
}
