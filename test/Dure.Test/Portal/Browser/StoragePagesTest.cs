using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Storage and notifications as people use them.</summary>
public sealed class StoragePagesTest(PortalFixture portal) : PortalTest(portal)
{
    private static readonly string[] Both = ["dark", "light"];

    [Fact(Timeout = 120_000)]
    public async Task Files_dropped_on_a_folder_are_kept_and_a_link_to_one_works_without_keys()
    {
        await BucketAsync("drops");
        var page = await OpenAsync("/storage/drops/runs/");
        await DropAsync(page, ("hello.txt", "text/plain", "hello from a drop"), ("data.json", "application/json", """{"n":1}"""));
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "hello.txt", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Page.Locator(".preview pre")).ToHaveTextAsync("hello from a drop");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Link", Exact = true }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Make the link" }).ClickAsync();
        var url = await page.Page.Locator("dialog input.mono").InputValueAsync();
        var (code, text) = await Child.RunAsync(Cancel, "curl", "--noproxy", "*", "-sf", "-w", "\\n", url);
        Assert.Equal((0, "hello from a drop"), (code, text));
        var kept = await Dure.GetAsync("/api/storage/buckets/drops/objects?prefix=runs/", Cancel);
        Assert.Equal(["runs/data.json", "runs/hello.txt"], kept["items"]!.AsArray().Select(item => (string)item!["key"]!));
        Assert.Equal("application/json", (string?)kept["items"]![0]!["content_type"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stored_page_does_not_run_as_the_portal()
    {
        await BucketAsync("pages");
        await PutAsync("pages", "evil.html", "<title>calm</title><script>document.title = 'ran'; fetch('/api/storage/buckets')</script>", "text/html");
        var page = await OpenAsync("/storage/pages");
        // The browser says that it ran nothing.
        page.Expect("evil.html");
        page.Expect("script");
        var asked = 0;
        page.Page.Request += (_, request) => asked += request.Url.EndsWith("/api/storage/buckets", StringComparison.Ordinal) ? 1 : 0;
        await page.Page.GotoAsync("/api/storage/buckets/pages/object?key=evil.html");
        await page.Page.WaitForTimeoutAsync(500);
        Assert.Equal(("calm", 0), (await page.Page.TitleAsync(), asked));
        Assert.Equal("null", await page.Page.EvaluateAsync<string>("self.origin"));
    }

    [Fact(Timeout = 120_000)]
    public async Task More_objects_than_a_page_scroll_and_are_chosen_and_deleted()
    {
        await BucketAsync("many");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async lane =>
        {
            for (var n = lane; n < 1500; n += 8)
                await PutAsync("many", $"row-{n:00000}", "x", "text/plain");
        }));
        var page = await OpenAsync("/storage/many");
        await Assertions.Expect(page.Page.GetByText("1,000 rows, more below")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await page.Page.Locator(".table").FocusAsync();
        await page.KeysAsync("End");
        await Assertions.Expect(page.Page.GetByText("1,500 rows")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await page.KeysAsync("End", "x");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Delete 1" }).ClickAsync();
        await page.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Page.GetByText("1 object is deleted")).ToBeVisibleAsync();
        Assert.True(await page.Page.Locator(".tbody .tr").CountAsync() < 120, "Only rows in view exist.");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_bell_counts_what_is_new_and_leads_to_it()
    {
        var page = await OpenAsync("/notifications");
        await Dure.SendAsync(HttpMethod.Post, "/api/notifications/test", Cancel, """{"kind":"portal"}""");
        await page.GoAsync("/notifications");
        await Assertions.Expect(page.Page.Locator(".bell-count")).ToHaveTextAsync("1");
        Assert.StartsWith("(1)", await page.Page.TitleAsync(), StringComparison.Ordinal);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Mark all as read" }).ClickAsync();
        await page.GoAsync("/notifications?tab=rules");
        await Assertions.Expect(page.Page.Locator(".bell-count")).ToHaveCountAsync(0);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Add a rule" }).First.ClickAsync();
        await page.Page.Locator("dialog footer").GetByRole(AriaRole.Button, new() { Name = "Add a rule" }).ClickAsync();
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Table).GetByText("every function")).ToBeVisibleAsync();
        Assert.Equal("failed", (string?)(await Dure.GetAsync("/api/notifications/rules", Cancel))["items"]![0]!["event"]);
    }

    [Fact(Timeout = 180_000)]
    public async Task Pages_of_storage_and_notifications_fit_every_screen()
    {
        await BucketAsync("lab");
        await PutAsync("lab", "runs/2026-11-26/metrics.json", """{"loss":0.1}""", "application/json");
        await PutAsync("lab", "readme.md", "# Lab\n\nResults of the lab.\n", "text/markdown");
        string[] paths = ["/storage", "/storage/lab", "/storage/lab?object=readme.md", "/storage/replication", "/storage/keys", "/notifications", "/notifications?tab=rules"];
        foreach (var (theme, width) in Both.SelectMany(theme => new[] { (theme, 1440), (theme, 390) }))
        {
            var page = await OpenAsync(paths[0], new Viewing(width, width == 390 ? 844 : 900, theme, theme == "light" ? "ko" : "en", width == 390));
            foreach (var (n, path) in paths.Index())
            {
                await page.GoAsync(path);
                await page.Page.WaitForTimeoutAsync(200);
                Assert.True(await page.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"{path} is wider than {width}.");
                if (Environment.GetEnvironmentVariable("DURE_PICTURES") is { } folder)
                    await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{n}-{theme}-{width}.png") });
            }
        }
    }

    private async Task BucketAsync(string name) => await Dure.SendAsync(HttpMethod.Post, "/api/storage/buckets", Cancel, new JsonObject { ["name"] = name }.ToJsonString());

    private async Task PutAsync(string bucket, string key, string text, string type)
    {
        using var content = new StringContent(text);
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(type);
        using var answer = await Dure.Http.PutAsync(new Uri($"/api/storage/buckets/{bucket}/object?key={Uri.EscapeDataString(key)}", UriKind.Relative), content, Cancel);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task DropAsync(PortalPage page, params (string Name, string Type, string Text)[] files)
    {
        var drop = await page.Page.EvaluateHandleAsync("""
            files => {
                const data = new DataTransfer();
                for (const [name, type, text] of files) data.items.add(new File([text], name, { type }));
                return data;
            }
            """, files.Select(file => new[] { file.Name, file.Type, file.Text }).ToArray());
        await page.Page.DispatchEventAsync(".drop", "dragover", new { dataTransfer = drop });
        await page.Page.DispatchEventAsync(".drop", "drop", new { dataTransfer = drop });
    }
}
