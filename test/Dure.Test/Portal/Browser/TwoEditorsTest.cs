using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Two people edit the same function.</summary>
public sealed class TwoEditorsTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 180_000)]
    public async Task The_second_sees_what_the_first_deployed_and_nothing_is_overwritten_unseen()
    {
        await Dure.DeployAsync("shared-work", Cancel, ("handler.py", "def handler(event, context):\n    return 1\n"));
        var first = await EditAsync("# of the first\n");
        var second = await EditAsync("# of the second\n");
        await first.KeysAsync("Control+s");
        await first.SeesAsync("Version 2 is live", 60_000);

        await second.Page.GetByText("changed it meanwhile").First.WaitForAsync(new LocatorWaitForOptions { Timeout = 20_000 });
        second.Expect("412");
        await second.KeysAsync("Control+s");
        var dialog = second.Page.GetByRole(AriaRole.Dialog).Filter(new LocatorFilterOptions { HasText = "handler.py" });
        await dialog.WaitForAsync();
        Assert.Contains("of the first", await dialog.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(2, (await Dure.GetAsync("/api/functions/shared-work/versions", Cancel))["items"]!.AsArray().Count);
        await dialog.GetByText("Mine", new LocatorGetByTextOptions { Exact = true }).First.ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Take over" }).ClickAsync();
        await dialog.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Hidden });
        await second.KeysAsync("Control+s");
        await second.SeesAsync("Version 3 is live", 60_000);
    }

    private async Task<PortalPage> EditAsync(string line)
    {
        var page = await OpenAsync("/functions/shared-work/edit");
        await page.Page.Locator(".cm-content").ClickAsync();
        await page.KeysAsync("Control+Home");
        await page.Page.Keyboard.TypeAsync(line);
        return page;
    }
}
