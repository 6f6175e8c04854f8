using System.Diagnostics;
using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Someone who has never seen Dure.</summary>
[Trait("speed", "slow")]
public sealed class FirstTimeStoryTest(PortalFixture portal) : PortalTest(portal)
{
    private const string Nightly = "def handler(event, context):\n    if event.get('night'):\n        raise RuntimeError('no beam between 02:10 and 02:40')\n    return 'fine'\n";

    [Fact(Timeout = 240_000)]
    public async Task Signs_in_deploys_watches_it_run_and_finds_last_nights_failure_in_ten_seconds()
    {
        await using var dure = await LabOfLastNightAsync();
        var link = (await SmallLab.CommandAsync(dure, Cancel, "signin", "--quiet")).Trim();
        var page = await OpenUnknownAsync(dure: dure);
        await page.TakeLinkAsync(link);
        Assert.DoesNotContain("link", page.Page.Url, StringComparison.Ordinal);

        await page.The(AriaRole.Link, "Functions").ClickAsync();
        await page.The(AriaRole.Link, "New function").ClickAsync();
        await page.Page.GetByLabel("Name").FillAsync("hello");
        await page.Page.Locator(".cm-content").WaitForAsync();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Deploy", Exact = true }).ClickAsync();
        await page.SeesAsync("Version 1 is live", 60_000);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Try it" }).First.ClickAsync();
        await page.Page.GetByLabel("Event", new() { Exact = true }).FillAsync("""{"name": "Ada"}""");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Run" }).First.ClickAsync();
        await page.Page.Locator(".outcome .state.ok").First.WaitForAsync(new() { Timeout = 30_000 });
        await page.Page.Locator(".outcome").GetByText("Ada").First.WaitForAsync();

        var begun = Stopwatch.GetTimestamp();
        await page.The(AriaRole.Link, "Invocations").ClickAsync();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Failed, last 24 h" }).ClickAsync();
        await page.Page.Locator(".tbody .fn", new() { HasText = "nightly-report" }).First.ClickAsync();
        await page.SeesAsync("no beam between 02:10 and 02:40", 10_000);
        Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(10));
        Assert.Contains("nightly-report", await page.Page.TitleAsync(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Does_all_of_it_with_the_keyboard_alone()
    {
        await using var dure = await LabOfLastNightAsync();
        var page = await OpenUnknownAsync(dure: dure);
        await page.TakeLinkAsync(await PortalPage.LinkAsync(dure));

        await page.KeysAsync("g", "f");
        await page.SettledAsync();
        await page.TabToAsync("New function");
        await page.KeysAsync("Enter");
        await page.Page.Locator(".cm-content").WaitForAsync();
        await page.Page.GetByLabel("Name").FocusAsync();
        await page.Page.Keyboard.TypeAsync("keys");
        await page.KeysAsync("Control+s");
        await page.SeesAsync("Version 1 is live", 60_000);
        await JumpAsync(page, "keys");
        await JumpAsync(page, "keys: Try it");
        await page.Page.GetByLabel("Event", new() { Exact = true }).WaitForAsync();
        await page.KeysAsync("Control+Enter");
        await page.Page.Locator(".outcome .state.ok").First.WaitForAsync(new() { Timeout = 30_000 });

        await JumpAsync(page, "Invocations");
        await page.TabToAsync("Failed, last 24 h");
        await page.KeysAsync("Enter");
        await page.Page.WaitForURLAsync("**state=FAILED**");
        await page.Page.Locator(".tbody .fn", new() { HasText = "nightly-report" }).First.WaitForAsync();
        // Away from the button: Enter is its own there.
        await page.TabToAsync("Invocations");
        await page.KeysAsync("j", "Enter");
        await page.SeesAsync("no beam between 02:10 and 02:40", 10_000);
    }

    // Only what a person types; the palette finds it by name.
    private static async Task JumpAsync(PortalPage page, string name)
    {
        await page.KeysAsync("Control+k");
        await page.Page.Keyboard.TypeAsync(name);
        await page.Page.Locator("#palette-list [aria-selected=true]").GetByText(name, new() { Exact = true }).WaitForAsync();
        await page.KeysAsync("Enter");
        await page.Page.Locator("dialog.palette").WaitForAsync(new() { State = WaitForSelectorState.Hidden });
        await page.SettledAsync();
    }

    // A report that failed, and much that ran well since.
    private async Task<RunningDure> LabOfLastNightAsync()
    {
        var dure = await Portal.StartServerAsync(Cancel);
        await dure.DeployAsync("nightly-report", Cancel, ("handler.py", Nightly));
        await dure.EndAsync(await dure.SubmitAsync("nightly-report", """{"night":true}""", Cancel), Cancel);
        var later = new List<string>();
        for (var n = 0; n < 60; n++)
            later.Add(await dure.SubmitAsync("nightly-report", "{}", Cancel));
        foreach (var id in later)
            await dure.EndAsync(id, Cancel);
        return dure;
    }
}
