namespace Dure.Test.Apps;

/// <summary>A small app in plain Python with a WebSocket of its own making: says its version, its headers, and back what it hears.</summary>
internal static class TestApp
{
    /// <summary>Answers like this; <c>BROKEN</c> in the place of the version can make it do wrong things.</summary>
    public static string Source(string version) => Python.Replace("@VERSION@", version, StringComparison.Ordinal);

    public const string Yaml = "command: python3 serve.py\ndrain: 20s\nstart_timeout: 15s\n";

    private const string Python =
        """
        import base64, hashlib, http.server, json, os, socketserver, sys, time
        BASE, VERSION = os.environ["BASE_PATH"], "@VERSION@"
        print("starting", VERSION)
        if VERSION == "crash":
            sys.exit("no luck today")
        PORT = int(os.environ["PORT"]) + (500 if VERSION == "elsewhere" else 0)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *words): pass
            def do_GET(self):
                path = self.path[len(BASE):] if self.path.startswith(BASE + "/") else None
                if path is None: return self.say(404, "not mine: " + self.path)
                if path.split("?")[0] == "/ws": return self.websocket()
                if path == "/headers": return self.say(200, json.dumps(dict(self.headers)))
                if path == "/slow": time.sleep(1)
                if path == "/die": os._exit(3)
                if path == "/" and os.path.exists("page.html"): return self.say(200, open("page.html").read(), "text/html")
                self.say(500 if VERSION == "unwell" else 200, VERSION)
            def do_POST(self):
                self.say(200, str(len(self.rfile.read(int(self.headers["Content-Length"])))))
            def say(self, status, text, kind=None):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                if kind: self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(text.encode())
            def websocket(self):
                key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.send_header("Connection", "Upgrade")
                self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
                self.end_headers()
                self.close_connection = True
                while True:
                    head = self.rfile.read(2)
                    if len(head) < 2: return
                    size, mask = head[1] & 127, self.rfile.read(4)
                    text = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))
                    if head[0] & 15 == 8:
                        self.wfile.write(b"\x88\x00")
                        return
                    said = VERSION.encode() + b":" + text
                    self.wfile.write(bytes([0x81, len(said)]) + said)

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads, request_queue_size = True, 128
        Server((os.environ["HOST"], PORT), Handler).serve_forever()
        """;

    /// <summary>Writes it into a folder of its own.</summary>
    public static string Write(string folder, string version, string more = "")
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "serve.py"), Source(version));
        File.WriteAllText(Path.Combine(folder, "app.yaml"), Yaml + more);
        return folder;
    }
}
