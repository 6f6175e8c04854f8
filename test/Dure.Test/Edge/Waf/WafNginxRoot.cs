using System.Text;
using Dure.Edge;
using Dure.Edge.Waf;
using Dure.Fleet.Roles.Web;
using Dure.Test.Fleet;
using Dure.Test.Fleet.Roles;
using Xunit;

namespace Dure.Test.Edge.Waf;

/// <summary>A fleet's edge with the distribution's nginx and rules, on the loopback of a namespace of its own. A second nginx plays Dure and the apps, and says what reached it.</summary>
internal static class WafNginxRoot
{
    private const string Address = "10.77.5.12";

    private const string Backend =
        """
        events {}
        http {
            client_max_body_size 0;
            server {
                listen 10.77.5.12:7070; listen 10.77.5.12:27003;
                location / { return 200 "reached $request_uri\n"; }
            }
        }

        """;

    private const string Client =
        """
        import socket, sys
        for line in open(sys.argv[1]):
            s = socket.create_connection(("127.0.0.1", 80), 20)
            s.settimeout(20)
            head = b""
            try:
                s.sendall(bytes.fromhex(line))
            except OSError:
                pass
            try:
                while b"\r\n" not in head:
                    got = s.recv(4096)
                    if not got:
                        break
                    head += got
            except OSError:
                pass
            print(head.split(b"\r\n")[0].decode("latin-1").split(" ")[1] if head.startswith(b"HTTP/") else "000")
            s.close()
        """;

    /// <summary>An app below /papers/ID/.</summary>
    public static AppRoute App(string id, WafProfile profile) => new(id, 3, $"/papers/{id}/", Address, 27003) { Waf = profile };

    /// <summary>Runs a shell command beside the two.</summary>
    public static Task<(int Code, string Text)> RunAsync((string Key, string Value)[] settings, IReadOnlyList<AppRoute> apps, string command, params IEnumerable<(string Path, string Text)> files)
    {
        var fleet = FleetSamples.Of([("edge.tls", "false"), .. settings], ("n1", "edge"), ("n2", "dure"));
        var state = RoleStates.State(fleet, "n1");
        var mine = state.Files.Where(file => file.Text.Length > 0 && file.Path.StartsWith("/etc/nginx/", StringComparison.Ordinal)).Select(file => (file.Path, file.Text));
        return EdgeRoot.Programs.RunAsync(
            $"""
            mkdir -p /var/log/nginx /var/log/dure /var/lib/nginx /run /srv/www /etc/nginx/modules-enabled /var/cache/nginx {NginxMachine.Snippets}
            rm -f /etc/nginx/sites-enabled/default
            ip addr add {Address}/32 dev lo
            nginx -t -q && nginx -c /etc/nginx/backend.conf -g 'pid /run/backend.pid;' && nginx || exit 9
            {command}
            rc=$?
            echo
            kill $(cat /run/nginx.pid /run/backend.pid)
            exit $rc
            """,
            TestContext.Current.CancellationToken,
            [
                .. mine, .. apps.Select(app => ($"{NginxMachine.Snippets}/{app.Id}.conf", NginxSnippet.Of(app))), ("/etc/nginx/conf.d/dure-apps.conf", NginxSnippet.Shared),
                ("/etc/nginx/backend.conf", Backend), ("/client.py", Client), .. files,
            ]);
    }

    /// <summary>Sends each and gives its status.</summary>
    public static Task<IReadOnlyList<int>> StatusesAsync((string Key, string Value)[] settings, IReadOnlyList<AppRoute> apps, IReadOnlyList<WafRequest> requests, string after = ":") =>
        StatusesAsync(settings, apps, [.. requests.Select(request => request.Bytes())], after);

    /// <summary>Sends each as it is.</summary>
    public static async Task<IReadOnlyList<int>> StatusesAsync((string Key, string Value)[] settings, IReadOnlyList<AppRoute> apps, IReadOnlyList<byte[]> requests, string after = ":")
    {
        var (code, text) = await RunAsync(settings, apps, $"python3 /client.py /requests && {{ {after}; }}", ("/requests", string.Concat(requests.Select(request => Convert.ToHexString(request) + "\n"))));
        Assert.True(code == 0, text);
        return [.. text.Split('\n').Take(requests.Count).Select(line => int.Parse(line, System.Globalization.CultureInfo.InvariantCulture))];
    }
}

/// <summary>One request as it goes over the wire.</summary>
/// <param name="Class">What kind of it there is.</param>
internal sealed record WafRequest(string Class, string Method, string Path, IReadOnlyList<(string Name, string Value)> Headers, string? Body)
{
    /// <summary>Lines of <c>METHOD PATH | Header: value || body</c> below headings.</summary>
    public static IEnumerable<WafRequest> Read(string text)
    {
        foreach (var (heading, line) in Lines(text))
        {
            var parts = line.Split(" || ", 2);
            var head = parts[0].Split(" | ");
            var words = head[0].Split(' ', 2);
            yield return new(heading, words[0], words[1], [.. head.Skip(1).Select(header => (header.Split(": ", 2)[0], header.Split(": ", 2)[1]))], parts.Length > 1 ? parts[1] : null);
        }
    }

    /// <summary>Each payload in a query, in a form and in JSON.</summary>
    public static IEnumerable<WafRequest> Everywhere(string payloads)
    {
        foreach (var (heading, payload) in Lines(payloads))
        {
            yield return new(heading, "GET", "/search?q=" + Uri.EscapeDataString(payload), [], null);
            yield return new(heading, "POST", "/papers/ada/form", [("Content-Type", "application/x-www-form-urlencoded")], "comment=" + Uri.EscapeDataString(payload));
            yield return new(heading, "POST", "/api/functions/f/invocations", [("Content-Type", "application/json")], "{\"payload\":{\"x\":" + System.Text.Json.JsonSerializer.Serialize(payload) + "}}");
        }
    }

    public byte[] Bytes()
    {
        var text = new StringBuilder($"{Method} {Path.Replace(" ", "%20", StringComparison.Ordinal)} HTTP/1.1\r\nHost: lab.example\r\nAccept: */*\r\n");
        foreach (var (name, value) in Headers.Where(header => header.Name != "Content-Length"))
            text.Append($"{name}: {value}\r\n");
        if (!Headers.Any(header => header.Name == "User-Agent"))
            text.Append("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n");
        if (!Headers.Any(header => header.Name == "Connection"))
            text.Append("Connection: close\r\n");
        if (Headers.FirstOrDefault(header => header.Name == "Content-Length") is { Value: { } said })
            text.Append($"Content-Length: {said}\r\n");
        else if (Body is not null && !Headers.Any(header => header.Name == "Transfer-Encoding"))
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Content-Length: {Encoding.UTF8.GetByteCount(Body)}\r\n");
        return Encoding.UTF8.GetBytes(text.Append("\r\n").Append(Body).ToString());
    }

    public override string ToString() => $"[{Class}] {Method} {Path} {string.Join(' ', Headers.Select(header => $"{header.Name}: {header.Value}"))} {(Body is { Length: > 200 } ? Body[..200] : Body)}";

    private static IEnumerable<(string Heading, string Line)> Lines(string text)
    {
        var heading = "";
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
                heading = line[2..];
            else
                yield return (heading, line);
        }
    }
}
