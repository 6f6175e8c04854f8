using Dure.Fleet.Desired;

namespace Dure.Fleet.Roles.Postgres;

/// <summary>
/// A process beside Patroni that waits for the end of PostgreSQL and wakes Patroni then, here and on the other machines. Patroni looks after PostgreSQL once a second, and over etcd's
/// second protocol a replica does not hear of a released lease before its own next look: without this a failover waits up to two seconds for two clocks. It decides nothing.
/// </summary>
internal static class PostgresWatch
{
    private const string Script = "/usr/local/lib/dure/postgres-watch";
    private const string Unit = "dure-postgres-watch.service";
    private const string UnitFile = "/etc/systemd/system/" + Unit;

    public static void Add(RoleScope scope, int version) => scope
        .File(Script, Text(scope, version), file => file with { Mode = "0755", Check = "python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' \"$new\"" })
        .File(UnitFile, $"""
            [Unit]
            Description=Wakes Patroni when PostgreSQL ends
            After=patroni.service

            [Service]
            User=postgres
            ExecStart={Script}
            Restart=always
            RestartSec=1
            NoNewPrivileges=yes
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes

            [Install]
            WantedBy=multi-user.target

            """)
        .Unit(Unit, with: static unit => unit with { RestartOn = [Script, UnitFile] });

    // To forget a setting that is not there changes nothing, and every change of settings wakes Patroni (do_PATCH_config in its api.py). Others are woken several times because
    // the lease is released a moment after this machine's Patroni woke, and a Patroni that finds it held goes back to sleep.
    private static string Text(RoleScope scope, int version) => RoleScope.Invariant($$"""
        #!/usr/bin/python3
        import base64
        import os
        import select
        import threading
        import time
        import urllib.request

        import yaml

        PID_FILE = "/var/lib/postgresql/{{version}}/dure/postmaster.pid"
        SELF = "{{Quoting.Host(scope.Address)}}"
        OTHERS = [{{string.Join(", ", scope.Members.Where(member => member != scope.Machine).Select(member => $"\"{Quoting.Host(scope.Fleet.AddressOf(member))}\""))}}]


        def wake(host, *delays):
            with open("{{PatroniConfig.Path}}") as file:
                login = yaml.safe_load(file)["restapi"]["authentication"]
            word = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
            for delay in delays:
                time.sleep(delay)
                try:
                    urllib.request.urlopen(urllib.request.Request(
                        f"http://{host}:8008/config", b'{"dure_wake": null}', {"Authorization": "Basic " + word}, method="PATCH"), timeout=1).close()
                except OSError:
                    pass  # Patroni looks by itself, later.


        def postmaster():
            try:
                with open(PID_FILE) as file:
                    return int(file.readline())
            except (OSError, ValueError):
                return 0


        def ended(pid):
            # Waits for the end of the process; false when the file names another meanwhile.
            try:
                process = os.pidfd_open(pid)
            except OSError:
                return False
            try:
                while postmaster() == pid:
                    if select.select([process], [], [], 1)[0]:
                        return True
                return False
            finally:
                os.close(process)


        last = 0
        while True:
            pid = postmaster()
            if pid == last or not ended(pid):
                time.sleep(0.5)
                continue
            last = pid
            wake(SELF, 0)
            for other in OTHERS:
                threading.Thread(target=wake, args=(other, 0.03, 0.05, 0.1, 0.2, 0.4), daemon=True).start()

        """);
}
