using Dure.Edge.Certificates;
using Xunit;

namespace Dure.Test.Edge.Certificates;

/// <summary>The distribution's certbot and nginx against a real ACME server, on the loopback of a namespace of its own.</summary>
public sealed class CertbotTest
{
    private const string Host = "papers.lab.example";

    private const string Authority = "https://localhost:14000/dir";

    private const string Nginx =
        """
        events {}
        http {
            include /etc/nginx/conf.d/*.conf;
            server {
                listen 80 default_server;
                include /etc/dure/nginx.d/*.conf;
                location / { return 200 "by hand\n"; }
            }
        }

        """;

    private const string Pebble =
        """
        { "pebble": { "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "/pebble/cert.pem", "privateKey": "/pebble/key.pem", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "" } }

        """;

    private static readonly CertbotScript Script = new("/etc/dure/nginx.d", "/etc/nginx/conf.d");

    [Fact]
    public async Task A_certificate_is_had_and_renewed_and_nginx_serves_each_at_once()
    {
        var (code, text) = await RunAsync(
            $"""
            sh /request >/said 2>&1 || cat /said
            tail -n 1 /said
            show() ( openssl s_client -connect 127.0.0.1:443 -servername {Host} </dev/null 2>/dev/null | openssl x509 -noout -serial -issuer -ext subjectAltName; )
            show >/first; cat /first
            sh /renew >/said 2>&1 || cat /said
            sleep 1
            show >/second
            cmp -s /first /second && echo 'still the first' || echo 'another one'
            sh /request >/said 2>&1 || cat /said
            tail -n 1 /said
            sh /list
            """);
        Assert.True(code == 0, text);
        Assert.Contains($"served /etc/nginx/conf.d/dure-tls-{Host}.conf", text, StringComparison.Ordinal);
        Assert.Contains("Pebble", text, StringComparison.Ordinal);
        Assert.Contains("DNS:" + Host, text, StringComparison.Ordinal);
        Assert.Contains("another one", text, StringComparison.Ordinal);
        Assert.Contains("served here already", text, StringComparison.Ordinal);
        Assert.Contains($"\n{Host} ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_does_not_lead_here_is_told_before_the_authority_is_asked()
    {
        var (code, text) = await RunAsync($"sed -i '/include .etc.dure/d' /etc/nginx/nginx.conf; nginx -s reload; sleep 0.5; sh /request; echo ended with $?; ls /etc/letsencrypt 2>&1");
        Assert.True(code == 0, text);
        Assert.Contains($"Port 80 of {Host} does not show", text, StringComparison.Ordinal);
        Assert.Contains($"ended with {CertbotScript.NotShown}", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_serves_the_host_already_is_told_which_lines_to_write()
    {
        var (code, text) = await RunAsync(
            $$"""
            printf 'server { listen 443 ssl; server_name {{Host}}; ssl_certificate /pebble/cert.pem; ssl_certificate_key /pebble/key.pem; }\n' >/etc/nginx/conf.d/theirs.conf
            nginx -s reload; sleep 0.5
            sh /request; ls /etc/nginx/conf.d
            """);
        Assert.True(code == 0, text);
        Assert.Contains($"theirs ssl_certificate /etc/letsencrypt/live/{Host}/fullchain.pem;", text, StringComparison.Ordinal);
        Assert.DoesNotContain("dure-tls-", text, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Text)> RunAsync(string command) => EdgeRoot.Programs.RunAsync(
        $$"""
        mkdir -p /var/log/nginx /var/lib/nginx /run /etc/dure/nginx.d /pebble
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout /pebble/key.pem -out /pebble/cert.pem 2>/dev/null
        nginx || exit 9
        PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 pebble -config /pebble.json >/pebble.log 2>&1 & pebble=$!
        for i in $(seq 50); do curl -sk {{Authority}} >/dev/null && break; sleep 0.1; done
        export REQUESTS_CA_BUNDLE=/pebble/cert.pem
        {{command}}
        rc=$?
        kill $pebble $(cat /run/nginx.pid)
        exit $rc
        """,
        TestContext.Current.CancellationToken,
        ("/etc/hosts", $"127.0.0.1 localhost {Host}\n"), ("/etc/nginx/nginx.conf", Nginx), ("/pebble.json", Pebble),
        ("/request", Script.Request(Host, null, Authority)), ("/renew", CertbotScript.Renew(Host, force: true)), ("/list", CertbotScript.List));
}
