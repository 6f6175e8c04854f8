namespace Dure.Fleet.Roles.Galera;

/// <summary>
/// What listens on port 9200. <c>/</c> answers 200 only when this member may serve: its cluster is Primary, it is ready, and it is synced (or gives a copy). <c>/position</c> says in
/// a word and a position how far it has come, also while MariaDB is down: the members' recovery reads it from each other. It signs in by its own Unix user, so there is no password.
/// </summary>
internal static class GaleraAnswer
{
    public const string Path = "/usr/local/lib/dure/galera-answer";

    public static string Socket(RoleScope scope) =>
        $"""
        [Unit]
        Description=Port 9200: may this Galera member serve?

        [Socket]
        ListenStream={Quoting.Host(scope.Address)}:9200
        FreeBind=true

        [Install]
        WantedBy=sockets.target

        """;

    public const string Service =
        $"""
        [Unit]
        Description=Says whether this Galera member may serve
        Requires=dure-galera-check.socket
        After=dure-galera-check.socket

        [Service]
        User=mysql
        ExecStart={Path}
        Restart=always
        RestartSec=1
        NoNewPrivileges=yes
        ProtectSystem=strict
        ProtectHome=yes
        PrivateDevices=yes

        [Install]
        WantedBy=multi-user.target

        """;

    public const string Script =
        $$"""
        #!/usr/bin/python3
        # Answers on the socket that systemd hands over. GET /: 200 when this Galera member may serve, else 503. GET /position: one line, STATE UUID:SEQNO.
        import http.server, socket, socketserver, threading, time
        import pymysql

        NAMES = ("wsrep_cluster_status", "wsrep_ready", "wsrep_local_state", "wsrep_local_state_uuid", "wsrep_last_committed")
        QUERY = "SHOW GLOBAL STATUS WHERE Variable_name IN ('" + "', '".join(NAMES) + "')"
        FRESH_SECONDS = 0.2


        class Member:
            # What MariaDB says of itself, asked at most five times a second over one connection.

            def __init__(self):
                self.lock = threading.Lock()
                self.connection = None
                self.asked = 0.0
                self.known = None

            def status(self):
                with self.lock:
                    if time.monotonic() - self.asked > FRESH_SECONDS:
                        self.known = self.ask()
                        self.asked = time.monotonic()
                    return self.known

            def ask(self):
                for again in (True, False):
                    try:
                        if self.connection is None:
                            self.connection = pymysql.connect(
                                unix_socket="/run/mysqld/mysqld.sock", user="mysql", connect_timeout=1, read_timeout=1, write_timeout=1)
                            again = False
                        with self.connection.cursor() as cursor:
                            cursor.execute(QUERY)
                            return dict(cursor.fetchall())
                    except (pymysql.MySQLError, OSError):
                        self.connection = None
                        if not again:
                            return None

            def position(self):
                found = self.status()
                if found and found.get("wsrep_local_state_uuid"):
                    primary = found.get("wsrep_cluster_status") == "Primary" and found.get("wsrep_ready") == "ON"
                    return f"{'primary' if primary else 'nonprimary'} {found['wsrep_local_state_uuid']}:{found.get('wsrep_last_committed')}"
                try:
                    with open("{{GaleraRecovery.State}}", encoding="ascii") as file:
                        return file.read().strip()
                except OSError:
                    return "down -"

            def serves(self):
                found = self.status() or {}
                return found.get("wsrep_cluster_status") == "Primary" and found.get("wsrep_ready") == "ON" and found.get("wsrep_local_state") in ("4", "2")


        MEMBER = Member()


        class Answer(http.server.BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self):
                if self.path == "/position":
                    self.say(200, MEMBER.position())
                else:
                    serves = MEMBER.serves()
                    self.say(200 if serves else 503, "serves" if serves else "does not serve: " + MEMBER.position())

            do_HEAD = do_OPTIONS = do_GET

            def say(self, code, text):
                body = (text + "\n").encode()
                self.send_response(code)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_):
                pass


        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def __init__(self):
                socketserver.BaseServer.__init__(self, None, Answer)
                self.socket = socket.socket(fileno=3)
                self.server_name, self.server_port = "galera", 9200


        Server().serve_forever()

        """;
}
