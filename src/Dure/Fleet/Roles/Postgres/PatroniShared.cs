namespace Dure.Fleet.Roles.Postgres;

/// <summary>
/// The settings that all Patronis share. They lie in etcd: the file is read once, when the cluster is founded. So that a later change of a setting arrives, a script compares
/// what etcd holds with what the fleet says, and hands over what differs.
/// </summary>
internal static class PatroniShared
{
    public const string Path = "/etc/patroni/dure-shared.yml";
    public const string ScriptPath = "/usr/local/lib/dure/patroni-shared";

    public static string Text(RoleScope scope) => string.Join('\n', Lines(scope)) + "\n";

    public static IEnumerable<string> Lines(RoleScope scope)
    {
        var replicas = Math.Max(1, scope.Members.Count - 1);
        var asked = scope.Get(PostgresRole.SynchronousReplicas);
        return RoleScope.Invariant(
            $"""
            ttl: {(long)scope.Get(PostgresRole.Ttl).TotalSeconds}
            loop_wait: {(long)scope.Get(PostgresRole.LoopWait).TotalSeconds}
            retry_timeout: {(long)scope.Get(PostgresRole.RetryTimeout).TotalSeconds}
            {(scope.Machine.Os == "ubuntu-22.04" ? "master_start_timeout" : "primary_start_timeout")}: 0
            maximum_lag_on_failover: 1048576
            synchronous_mode: true
            synchronous_node_count: {(asked == 0 ? replicas : Math.Min(asked, replicas))}
            postgresql:
              use_pg_rewind: true
              use_slots: true
              parameters:
                max_connections: {scope.Get(PostgresRole.MaxConnections)}
                max_wal_senders: 16
                max_replication_slots: 16
                wal_log_hints: 'on'
                wal_keep_size: 256MB
                max_slot_wal_keep_size: 4GB
                wal_sender_timeout: 5s
                wal_receiver_timeout: 5s
                wal_receiver_status_interval: 1s
                tcp_keepalives_idle: 5
                tcp_keepalives_interval: 2
                tcp_keepalives_count: 3
                password_encryption: scram-sha-256
            """).Split('\n');
    }

    public static string Script(RoleScope scope) =>
        $"""
        #!/usr/bin/python3
        # patroni-shared same: do Patroni's shared settings hold all that the fleet says? patroni-shared set: hand over what differs.
        import base64, json, sys, urllib.request, yaml

        URL = "http://{Quoting.Host(scope.Address)}:8008/config"
        {Body}
        """;

    private const string Body =
        $$"""

        def holds(wanted, found):
            if isinstance(wanted, dict):
                return isinstance(found, dict) and all(holds(value, found.get(key)) for key, value in wanted.items())
            return wanted == found


        def call(method, body=None):
            request = urllib.request.Request(URL, data=body, method=method)
            if body is not None:
                with open("{{PatroniConfig.Path}}", encoding="utf-8") as file:
                    user = yaml.safe_load(file)["restapi"]["authentication"]
                pair = f"{user['username']}:{user['password']}".encode()
                request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
                request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)


        with open("{{Path}}", encoding="utf-8") as file:
            wanted = yaml.safe_load(file)
        try:
            if holds(wanted, call("GET")):
                sys.exit(0)
            if sys.argv[1:] == ["set"]:
                sys.exit(0 if holds(wanted, call("PATCH", json.dumps(wanted).encode())) else 1)
        except OSError as error:
            print(f"{URL}: {error}", file=sys.stderr)
        sys.exit(1)

        """;
}
