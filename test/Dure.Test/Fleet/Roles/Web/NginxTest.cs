using Dure.Fleet.Desired;
using Dure.Fleet.Roles.Web;
using Xunit;

namespace Dure.Test.Fleet.Roles.Web;

public sealed class NginxTest
{
    private const string Config = "/etc/nginx/nginx.conf";

    // nginx binds what it checks.
    private const string Address = "mkdir -p /var/log/nginx; ip addr add 10.77.5.11/32 dev lo\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("debian-12")]
    [InlineData("ubuntu-24.04")]
    public void A_web_machine_is_what_its_golden_file_says(string os) => Golden.Same(RoleStates.State(RoleStates.Door(os), "n1"), "web", $"web-{os}");

    [Theory]
    [InlineData("debian-12")]
    [InlineData("ubuntu-24.04")]
    public void An_edge_is_what_its_golden_file_says(string os) =>
        Golden.Same(RoleStates.State(FleetSamples.Of(os, [], ("n1", "edge"), ("n2", "dure")), "n1", ("tls", "PEM")), "edge", $"edge-{os}");

    [Theory]
    [InlineData("web")]
    [InlineData("edge")]
    [InlineData("edge-plain")]
    [InlineData("static")]
    public async Task The_configuration_is_taken_by_nginx_and_a_broken_one_refused(string kind)
    {
        var fleet = kind switch
        {
            "web" => RoleStates.Door("debian-12"),
            "edge" => FleetSamples.Of([], ("n1", "edge"), ("n2", "dure")),
            "edge-plain" => FleetSamples.Of([("edge.tls", "false")], ("n1", "edge,dure")),
            _ => FleetSamples.Of([], ("n1", "edge")),
        };
        var state = RoleStates.State(fleet, "n1", ("tls", TestPem.Text));
        var (code, text) = await CheckAsync(state, state.Text(Config));
        Assert.True(code == 0, text);
        Assert.Empty(text);

        var (bad, why) = await CheckAsync(state, state.Text(Config).Replace("sendfile on", "sendfil on", StringComparison.Ordinal));
        Assert.NotEqual(0, bad);
        Assert.Contains("sendfil", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_published_snippet_is_served_and_a_broken_one_stops_the_reload()
    {
        var state = RoleStates.State(RoleStates.Door("debian-12"), "n1");
        async Task<(int Code, string Text)> WithAsync(string snippet) =>
            await Validators.Traffic.RunAsync($"{Address}nginx -T", Cancel, (Config, state.Text(Config)), ($"{NginxMachine.Snippets}/paper.conf", snippet));
        var (code, text) = await WithAsync("location /thesis/ada/ { return 204; }\n");
        Assert.True(code == 0, text);
        Assert.Contains("/thesis/ada/", text, StringComparison.Ordinal);
        Assert.NotEqual(0, (await WithAsync("location /thesis/ada/ { return 204 }\n")).Code);
    }

    [Fact]
    public async Task Nginx_believes_the_balancers_alone_about_clients_and_serves_files_before_it_asks_Dure()
    {
        var state = RoleStates.State(FleetSamples.Of([("web.port", "8081")], ("n1", "balancer"), ("n2", "web,dure")), "n2");
        // A second nginx plays Dure and says what it was told.
        const string dure = "events {}\nhttp { server { listen 10.77.5.12:7070; location / { return 200 \"client $http_x_forwarded_for scheme $http_x_forwarded_proto path $request_uri upgrade $http_upgrade\\n\"; } client_max_body_size 0; } }\n";
        var (code, text) = await Validators.Traffic.RunAsync(
            """
            mkdir -p /var/log/nginx /var/lib/nginx /run /srv/www
            for address in 10.77.5.11 10.77.5.12 10.77.5.13; do ip addr add $address/32 dev lo; done
            echo 'a file' >/srv/www/file.txt
            nginx -c /etc/nginx/dure.conf -g 'pid /run/dure-nginx.pid;' && nginx || exit 9
            ask() { curl -sS --max-time 5 "$@" || echo "curl ended with $?"; }
            ask http://10.77.5.12:8081/health
            ask http://10.77.5.12:8081/file.txt
            ask --interface 10.77.5.11 -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-Proto: https' http://10.77.5.12:8081/api/x?y=1
            ask --interface 10.77.5.13 -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-Proto: https' -H 'Upgrade: websocket' http://10.77.5.12:8081/api/x
            head -c 3000000 /dev/zero | ask -X POST --data-binary @- http://10.77.5.12:8081/api/upload
            kill $(cat /run/nginx.pid /run/dure-nginx.pid)
            """,
            Cancel,
            (Config, state.Text(Config)),
            ("/etc/nginx/dure.conf", dure));
        Assert.True(code == 0, text);
        Assert.Equal(
            [
                "ok",
                "a file",
                "client 198.51.100.7 scheme https path /api/x?y=1 upgrade ",
                "client 10.77.5.13 scheme http path /api/x upgrade websocket",
                "client 10.77.5.12 scheme http path /api/upload upgrade ",
            ],
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Machines_whose_nginx_cannot_be_reached_or_stands_twice_are_found()
    {
        Assert.Equal(["web-without-balancer"], RoleStates.Found(WebRole.Kind, FleetSamples.Of([], ("n1", "web"))));
        Assert.Empty(RoleStates.Found(WebRole.Kind, RoleStates.Door("debian-12")));
        Assert.Equal(["edge-and-web"], RoleStates.Found(EdgeRole.Kind, FleetSamples.Of([], ("n1", "edge,web"))));
        Assert.Equal(["edge-plain"], RoleStates.Found(EdgeRole.Kind, FleetSamples.Of([("edge.tls", "false")], ("n1", "edge"))));
        Assert.Empty(RoleStates.Found(EdgeRole.Kind, FleetSamples.Of([], ("n1", "edge,balancer"))));
    }

    private static Task<(int Code, string Text)> CheckAsync(DesiredMachine state, string text)
    {
        var file = state.Files.Single(known => known.Path == Config);
        var others = state.Files.Where(known => known.Path == NginxMachine.TlsFile).Select(known => (known.Path, known.Text));
        return Validators.Traffic.RunAsync($"{Address}mkdir -p {NginxMachine.Snippets}\nrm -f /etc/nginx/sites-enabled/default\nnew={Config}.dure-new\n{file.Check}", Cancel, [.. others, (Config + ".dure-new", text)]);
    }
}
