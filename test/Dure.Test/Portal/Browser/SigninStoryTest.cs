using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Coming in, being kept out, and going.</summary>
public sealed class SigninStoryTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 120_000)]
    public async Task A_password_leads_back_to_where_one_was_and_a_wrong_one_says_so()
    {
        await Portal.LabAsync();
        await Child.RunAsync(Cancel, "/bin/sh", "-c", """printf 'correct horse battery\n' | DURE_DATA="$1" "$2" user add grace --role member --display-name 'Grace Hopper'""", "sh", Dure.Data, RunningDure.Program);
        var page = await OpenUnknownAsync();
        await page.Page.GotoAsync("/functions/counts");
        await page.Page.GetByLabel("Name").FillAsync("grace");
        await page.Page.GetByLabel("Password").FillAsync("wrong");
        await page.KeysAsync("Enter");
        await page.Page.GetByRole(AriaRole.Alert).First.WaitForAsync();
        Assert.Equal("", await page.Page.GetByLabel("Password").InputValueAsync());
        await page.Page.GetByLabel("Password").FillAsync("correct horse battery");
        await page.KeysAsync("Enter");
        await page.The(AriaRole.Heading, "counts").WaitForAsync();
        Assert.EndsWith("/functions/counts", page.Page.Url, StringComparison.Ordinal);
        await page.GoAsync("/settings");
        Assert.Equal(0, await page.The(AriaRole.Tab, "People").CountAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_link_works_once_and_whoever_signs_out_is_out()
    {
        var link = await PortalPage.LinkAsync(Dure);
        var page = await OpenUnknownAsync();
        await page.TakeLinkAsync(link);
        var second = await OpenUnknownAsync();
        await second.Page.GotoAsync(link);
        await second.Page.GetByRole(AriaRole.Alert).First.WaitForAsync();

        await page.Page.Locator(".topbar .avatar").ClickAsync();
        await page.Page.GetByText("Sign out").ClickAsync();
        await page.The(AriaRole.Heading, "Sign in to Dure").WaitForAsync();
        await page.Page.GotoAsync("/invocations");
        await page.The(AriaRole.Heading, "Sign in to Dure").WaitForAsync();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("dark")]
    [InlineData("light")]
    public async Task The_page_that_signs_in_has_no_barrier_and_fits_a_phone(string theme)
    {
        var page = await OpenUnknownAsync(Viewing.Phone with { Theme = theme });
        await page.GoAsync("/signin");
        Assert.Empty(await Axe.FindAsync(page.Page));
        Assert.True(await page.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
    }
}
