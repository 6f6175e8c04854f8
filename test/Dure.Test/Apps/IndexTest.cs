using System.Text.Json.Nodes;
using Dure.Apps;
using Dure.Apps.Index;
using Dure.Test.Portal.Browser;
using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>The page that lists what is published.</summary>
public sealed class IndexTest
{
    private const string Wicked = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void What_authors_wrote_is_text_and_nothing_else()
    {
        var about = new AppAbout { Title = Wicked, Authors = ["A & B", Wicked], Date = "2026", Abstract = Wicked, Tags = [Wicked] };
        var page = IndexPage.Of([new("paper", "/papers/paper/", about, DateTimeOffset.UnixEpoch, null)]);
        Assert.DoesNotContain(Wicked, page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        Assert.Single(page.Split("<script>").Skip(1));
        Assert.Contains("A &amp; B", page, StringComparison.Ordinal);
        Assert.Equal("", IndexPage.Of([]));
    }

    [Fact]
    public async Task The_index_lists_what_is_public_through_nginx_with_pictures_and_is_gone_with_the_last_app()
    {
        await using var edge = await LocalEdge.StartAsync(Cancel);
        await using var machine = await OneMachine.StartAsync(Cancel, ["apps.port=27260", "apps.port_first=27240", "apps.port_last=27259", .. edge.Settings]);
        await PublishSomeAsync(machine);
        var url = edge.Url + "/papers/";
        var wanted = PortalFixture.Chromium is not null ? 3 : 0;
        var page = await RunningDure.UntilAsync(async () => (await machine.GetAsync(url)).Text, text => text.Split("<img").Length - 1 == wanted && text.Contains("Sparse", StringComparison.Ordinal), Cancel);
        Assert.DoesNotContain("Hidden", page, StringComparison.Ordinal);
        Assert.DoesNotContain("for-some", page, StringComparison.Ordinal);
        Assert.Equal(page, (await machine.GetAsync("http://127.0.0.1:27260/papers/")).Text);
        Assert.Equal(308, (await machine.GetAsync(edge.Url + "/papers")).Status);
        await LookAsync(url);

        // A version that says something else, and back.
        machine.Folder("attention", "two", "title: Dense is enough\n");
        await machine.GoodAsync("publish", machine.Path("attention"));
        await RunningDure.UntilAsync(async () => (await machine.GetAsync(url)).Text, text => text.Contains("Dense is enough", StringComparison.Ordinal), Cancel);
        await machine.GoodAsync("apps", "rollback", "attention");
        await RunningDure.UntilAsync(async () => (await machine.GetAsync(url)).Text, text => text.Contains("Sparse attention", StringComparison.Ordinal), Cancel);
        foreach (var id in new[] { "attention", "graphs", "wicked", "hidden", "for-some" })
        {
            var gone = await machine.DureAsync("apps", "unpublish", id, "--yes");
            Assert.True(gone.Code == 0, gone.All);
            Assert.DoesNotContain($"/papers/{id}/", (await machine.GetAsync(url)).Text, StringComparison.Ordinal);
        }

        Assert.Equal("the edge's own page\n", (await machine.GetAsync(url)).Text);
        Assert.Equal("", await edge.ShellAsync("ls -A /etc/dure/nginx.d; ls -A /etc/nginx/conf.d; find /var/lib/dure-apps-index /var/cache/nginx 2>/dev/null | grep dure || :"));
    }

    private static async Task PublishSomeAsync(OneMachine machine)
    {
        foreach (var (id, more) in new[]
        {
            ("attention", "title: Sparse attention in long documents\nauthors: [Ada Lovelace, Emmy Noether]\ndate: 2026-11-20\ntags: [thesis, language]\nabstract: |\n  We read ten thousand theses and ask where a model looks.\n\n  Move the slider to see it.\n"),
            ("graphs", "title: What graphs remember\nauthors: Sofja Kowalewskaja\ndate: 2025-04\ntags: [graphs]\nabstract: Message passing forgets. We measure how much, and after how many steps.\n"),
            ("wicked", $"title: '{Wicked.Replace("'", "''", StringComparison.Ordinal)}'\nabstract: '{Wicked.Replace("'", "''", StringComparison.Ordinal)}'\n"),
            ("hidden", "title: Hidden\nvisibility: local\n"), ("for-some", "title: Some only\nvisibility: link\n"),
        })
        {
            var folder = machine.Folder(id, id, more);
            await File.WriteAllTextAsync(Path.Combine(folder, "page.html"), Chart(id), Cancel);
            await machine.GoodAsync("publish", folder);
        }
    }

    private static string Chart(string title) =>
        $"""
        <!doctype html><title>{title}</title><body style="font:40px sans-serif;margin:60px"><b>{title}</b>
        <svg viewBox="0 0 300 130" style="width:100%;display:block"><path d="M10 5V120H295" fill="none" stroke="#888"/>
        <path d="M10 118C60 115 80 20 120 40S190 100 215 60S260 15 290 12" fill="none" stroke="#0b57b7" stroke-width="3"/></svg>
        """;

    /// <summary>In a real browser, as people see it: light, dark, on a phone, and without scripts. DURE_SHOTS keeps the pictures.</summary>
    private static async Task LookAsync(string url)
    {
        if (PortalFixture.Chromium is not { } program)
            return;
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await PortalFixture.LaunchAsync(playwright, program);
        foreach (var (name, width, scheme) in new[] { ("light", 1100, ColorScheme.Light), ("dark", 1100, ColorScheme.Dark), ("phone", 390, ColorScheme.Light) })
        {
            await using var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 560 }, ColorScheme = scheme });
            var page = await context.NewPageAsync();
            var complaints = new List<string>();
            page.Console += (_, said) => complaints.Add(said.Text);
            await page.GotoAsync(url, new() { WaitUntil = WaitUntilState.NetworkIdle });
            Assert.Equal("Papers", await page.TitleAsync());
            Assert.Empty(complaints);
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"{name} scrolls sideways");
            if (Environment.GetEnvironmentVariable("DURE_SHOTS") is { } folder)
            {
                // What a reader is shown has no attack in it.
                await page.Locator("li", new() { HasText = "onerror" }).EvaluateAsync("li => li.hidden = true");
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"index-{name}.png"), FullPage = true });
            }

            await page.GetByRole(AriaRole.Searchbox).FillAsync("noether");
            Assert.Equal(1, await page.Locator("li:visible").CountAsync());
            await page.GetByRole(AriaRole.Searchbox).FillAsync("nobody wrote this");
            Assert.True(await page.GetByText("Nothing here is about that.").IsVisibleAsync());
        }

        await using var plain = await browser.NewContextAsync(new() { JavaScriptEnabled = false });
        var list = await plain.NewPageAsync();
        await list.GotoAsync(url);
        Assert.Equal((3, false), (await list.Locator("li:visible").CountAsync(), await list.GetByRole(AriaRole.Searchbox).IsVisibleAsync()));
    }
}
