using System.Runtime.CompilerServices;
using Dure.Edge;
using Dure.Edge.Waf;
using Dure.Test.Fleet.Roles;
using Xunit;

namespace Dure.Test.Edge;

/// <summary>The snippets that nginx reads: as they were reviewed by eye, and as nginx itself reads them.</summary>
public sealed class NginxSnippetTest
{
    private static readonly AppRoute Paper = new("attention", 3, "/papers/attention/", "10.0.0.5", 27003);

    private static readonly AppRoute Sleepy = Paper with { Id = "sleepy", Prefix = "/papers/sleepy/", KeepsPrefix = false, CachesHashed = false, SleepAfter = TimeSpan.FromHours(12), WakeAt = "http://10.0.0.5:7074" };

    private static readonly AppRoute Members = Paper with { Id = "lab", Prefix = "/papers/lab/", Visibility = Visibility.Members, Gatekeeper = "http://10.0.0.5:7073" };

    [Fact]
    public void The_snippet_of_a_paper_is_as_it_was_reviewed() => Same("paper", NginxSnippet.Of(Paper));

    [Fact]
    public void The_snippet_of_an_app_without_its_prefix_is_as_it_was_reviewed() =>
        Same("stripped", NginxSnippet.Of(Paper with { Host = "fd00::5", KeepsPrefix = false, CachesHashed = false, BodyBytes = 0 }));

    [Fact]
    public void The_snippet_of_an_app_that_may_sleep_is_as_it_was_reviewed() => Same("sleeping", NginxSnippet.Of(Sleepy));

    [Fact]
    public void The_snippet_of_an_app_that_members_read_is_as_it_was_reviewed() => Same("members", NginxSnippet.Of(Members));

    [Fact]
    public void The_snippet_of_an_app_that_members_read_behind_a_firewall_is_as_it_was_reviewed() =>
        Same("firewalled", NginxSnippet.Of(Members with { Waf = new(WafMode.Block, 2, [new("942100", "/papers/lab/search", "q"), new("932130", "/papers/lab/api/", null)]), Rates = new(100, 200) }));

    [Fact]
    public async Task Nginx_itself_takes_the_snippets_and_refuses_a_broken_one()
    {
        var cancel = TestContext.Current.CancellationToken;
        const string main = """
            events {}
            http {
                include /etc/nginx/conf.d/*.conf;
                server {
                    listen 8080;
                    include /etc/dure/nginx.d/*.conf;
                }
            }

            """;
        async Task<(int Code, string Text)> TestAsync(string snippet) => await Validators.Traffic.RunAsync("mkdir -p /var/cache/nginx /var/log/nginx /var/lib/nginx; nginx -t -c /etc/nginx/dure-test.conf", cancel,
            ("/etc/nginx/dure-test.conf", main), ("/etc/nginx/conf.d/dure-apps.conf", NginxSnippet.Shared), ("/etc/dure/nginx.d/a.conf", snippet), ("/etc/dure/nginx.d/sleepy.conf", NginxSnippet.Of(Sleepy)),
            ("/etc/dure/nginx.d/c.conf", NginxSnippet.Of(Members)),
            ("/etc/dure/nginx.d/_index.conf", new IndexFiles("/papers", "<p>", "default-src 'none'; style-src 'sha256-x='", new Dictionary<string, byte[]>()).Snippet()),
            ("/etc/dure/nginx.d/b.conf", NginxSnippet.Of(Paper with { Id = "other", Prefix = "/papers/other/", Host = "fd00::5", KeepsPrefix = false })));
        var (code, text) = await TestAsync(NginxSnippet.Of(Paper));
        Assert.True(code == 0, text);
        Assert.NotEqual(0, (await TestAsync(NginxSnippet.Of(Paper).Replace("proxy_pass ", "proxy_past ", StringComparison.Ordinal))).Code);
    }

    private static void Same(string name, string text, [CallerFilePath] string caller = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(caller)!, "Goldens", name + ".txt");
        if (Environment.GetEnvironmentVariable("DURE_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.Exists(path) ? File.ReadAllText(path) : "", text);
    }
}
