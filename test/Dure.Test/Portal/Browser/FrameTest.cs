using System.Text.Json;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>The frame that every page of the portal stands in.</summary>
public sealed class FrameTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 60_000)]
    public async Task Pages_are_jumped_to_with_two_keys_and_the_sheet_tells_which()
    {
        var page = await OpenAsync("/");
        await page.KeysAsync("g", "i");
        await page.The(AriaRole.Heading, "Invocations").WaitForAsync();
        await page.KeysAsync("Shift+?");
        var sheet = page.Page.GetByRole(AriaRole.Dialog).Filter(new LocatorFilterOptions { HasText = "Keyboard shortcuts" });
        await sheet.GetByText("Go to Storage").WaitForAsync();
        await page.KeysAsync("Escape");
        await sheet.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Hidden });
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_page_is_live()
    {
        var page = await OpenAsync("/");
        foreach (var path in new[] { "/", "/functions", "/invocations", "/workers", "/storage", "/notifications", "/settings" })
        {
            await page.GoAsync(path);
            await Assertions.Expect(page.Page.Locator(".topbar .state.live")).ToHaveTextAsync("live", new LocatorAssertionsToHaveTextOptions { Timeout = 15_000 });
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_palette_finds_pages_and_functions_by_name()
    {
        await Portal.LabAsync();
        var page = await OpenAsync("/settings");
        await page.KeysAsync("Control+k");
        await page.Page.Keyboard.TypeAsync("counts");
        await page.Page.Locator("#palette-list [aria-selected=true]").GetByText("counts", new LocatorGetByTextOptions { Exact = true }).WaitForAsync();
        await page.KeysAsync("Enter");
        await page.The(AriaRole.Heading, "counts").WaitForAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Theme_and_language_are_remembered()
    {
        var page = await OpenAsync("/", Viewing.Desk with { Theme = "dark" });
        Assert.Equal("dark", await ThemeAsync(page));
        await page.KeysAsync("Shift+T");
        Assert.Equal("light", await ThemeAsync(page));
        await page.Page.Locator(".topbar .avatar").ClickAsync();
        await page.Page.GetByText("한국어").ClickAsync();
        await page.Page.WaitForFunctionAsync("() => document.documentElement.lang === 'ko'");
        await page.GoAsync("/functions");
        Assert.Equal("light", await ThemeAsync(page));
        Assert.Equal("ko", await page.Page.EvaluateAsync<string>("() => document.documentElement.lang"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Nothing_runs_that_did_not_come_with_the_page()
    {
        var page = await OpenAsync("/");
        page.Expect("Content Security Policy");
        page.Expect("policy:");
        var ran = await page.Page.EvaluateAsync<JsonElement>("""
            async () => {
              const script = document.createElement('script');
              script.textContent = 'window.inlineRan = true';
              document.head.append(script);
              const style = document.createElement('style');
              style.textContent = 'body { --injected: 1 }';
              document.head.append(style);
              let evaluated = false;
              // Later: what a debugger evaluates may evaluate.
              setTimeout(() => { try { evaluated = new Function('return true')(); } catch {} }, 0);
              await new Promise((resolve) => setTimeout(resolve, 50));
              return [!!window.inlineRan, evaluated, getComputedStyle(document.body).getPropertyValue('--injected') === '1'];
            }
            """);
        Assert.All(ran.EnumerateArray(), one => Assert.False(one.GetBoolean()));
    }

    [Fact(Timeout = 60_000)]
    public async Task All_scripts_and_styles_together_stay_within_their_budget()
    {
        var folder = Path.Combine(Processes.Repository.Root, "artifacts", "bin", "portal", "assets");
        var parts = Directory.GetFiles(folder, "*.br").Select(path => (Name: Path.GetFileName(path), new FileInfo(path).Length)).OrderByDescending(part => part.Length).ToList();
        var total = parts.Sum(part => part.Length);
        Assert.True(parts.Count > 5 && total < Budget.Everything, $"{total / 1024} KiB:\n{string.Join('\n', parts.Select(part => $"{part.Length,8}  {part.Name}"))}");
        await Task.CompletedTask;
    }

    private static Task<string> ThemeAsync(PortalPage page) => page.Page.EvaluateAsync<string>("() => document.documentElement.dataset.theme");
}
