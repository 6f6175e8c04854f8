using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Dure.Test.Portal.Browser;

/// <summary>Overview and workers in a browser, on servers that are killed, drained, or have just been installed.</summary>
public sealed class OverviewTest(PortalFixture portal) : PortalTest(portal)
{
    private const string Code = """
        import time

        def handler(event, context):
            if event == "fail":
                raise ValueError("no such file: 17")
            time.sleep(event if isinstance(event, (int, float)) else 0)
            return event
        """;

    [Fact(Timeout = 120_000)]
    public async Task A_new_installation_says_what_to_do_next()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        var page = await OpenAsync("/", dure: dure);
        await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "Nothing is deployed yet" })).ToBeVisibleAsync();
        await Expect(page.Page.GetByText("dure fn deploy hello.py")).ToBeVisibleAsync();
        await Expect(page.Page.GetByRole(AriaRole.Link, new() { Name = "Deploy from the browser" })).ToHaveAttributeAsync("href", "/functions/new");
        // What is deployed elsewhere shows up without a reload.
        await dure.DeployAsync("hello", Cancel, ("handler.py", Code));
        await dure.SubmitAsync("hello", "1", Cancel);
        await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "Activity" })).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await page.Page.CloseAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task A_page_whose_server_is_killed_says_so_reconnects_once_and_misses_nothing()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        await dure.DeployAsync("hello", Cancel, ("handler.py", Code), ("function.yaml", "retries: 0\n"));
        await dure.EndAsync(await dure.SubmitAsync("hello", "1", Cancel), Cancel);
        var page = await OpenAsync("/", dure: dure);
        page.Expect("network:");
        page.Expect("server:");
        var activity = page.Page.Locator(".activity");
        await Expect(page.Page.GetByText("live", new() { Exact = true })).ToBeVisibleAsync();
        var running = await dure.SubmitAsync("hello", "4", Cancel);
        await Expect(activity.GetByText(running)).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await dure.KillAsync();
        await Expect(page.Page.GetByText("reconnecting", new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 20_000 });
        // What was seen stays.
        await Expect(activity.GetByText(running)).ToBeVisibleAsync();
        var streams = 0;
        page.Page.Response += (_, answer) => streams += answer.Url.Contains("/api/live", StringComparison.Ordinal) && answer.Ok ? 1 : 0;
        await dure.StartAgainThereAsync(Cancel);
        var failed = await dure.SubmitAsync("hello", "\"fail\"", Cancel);
        await dure.EndAsync(failed, Cancel);
        await dure.EndAsync(running, Cancel);
        await Expect(page.Page.GetByText("live", new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(activity.Locator(".line", new() { HasText = failed }).GetByText("failed")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(activity.Locator(".line", new() { HasText = running }).GetByText("success")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(page.Page.GetByText("no such file").First).ToBeVisibleAsync(new() { Timeout = 15_000 });
        Assert.Equal(1, streams);
        await page.Page.CloseAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_is_drained_after_a_question_and_given_work_again()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        await dure.DeployAsync("hello", Cancel, ("handler.py", Code));
        var running = await dure.SubmitAsync("hello", "8", Cancel);
        var page = await OpenAsync("/workers", dure: dure);
        await Expect(page.Page.GetByRole(AriaRole.Link, new() { Name = running })).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        var asked = page.Page.GetByRole(AriaRole.Dialog);
        await Expect(asked).ToContainTextAsync("1 invocation that runs goes on to its end");
        await asked.GetByRole(AriaRole.Textbox).FillAsync("new memory");
        await asked.GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await Expect(page.Page.GetByText("“new memory”")).ToBeVisibleAsync();
        var waits = await dure.SubmitAsync("hello", "0", Cancel);
        await Expect(page.Page.GetByText("1 invocation waits.")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        Assert.Equal("PENDING", (string?)(await dure.GetAsync($"/api/invocations/{waits}", Cancel))["state"]);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Give it work again" }).ClickAsync();
        Assert.Equal("SUCCESS", (string?)(await dure.EndAsync(waits, Cancel))["state"]);
        Assert.Equal("SUCCESS", (string?)(await dure.EndAsync(running, Cancel))["state"]);
        await page.Page.CloseAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task The_span_of_the_charts_is_in_the_address_and_nothing_moves_under_the_pointer()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        await dure.DeployAsync("hello", Cancel, ("handler.py", Code));
        var first = await dure.SubmitAsync("hello", "0", Cancel);
        await dure.EndAsync(first, Cancel);
        var page = await OpenAsync("/?range=24h", dure: dure);
        await Expect(page.Page.GetByRole(AriaRole.Button, new() { Name = "24 h" })).ToHaveAttributeAsync("aria-pressed", "true");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "7 d" }).ClickAsync();
        Assert.Contains("range=7d", page.Page.Url, StringComparison.Ordinal);
        var activity = page.Page.Locator(".activity");
        await activity.Locator(".line", new() { HasText = first }).HoverAsync();
        var second = await dure.SubmitAsync("hello", "0", Cancel);
        await dure.EndAsync(second, Cancel);
        await Expect(activity.GetByText("1 new")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(activity.GetByText(second)).ToHaveCountAsync(0);
        await page.Page.Mouse.MoveAsync(2, 2);
        await Expect(activity.GetByText(second)).ToBeVisibleAsync();
        await page.Page.CloseAsync();
    }
}
