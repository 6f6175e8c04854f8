using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Coming in, being kept out, and going.</summary>
public sealed class SigninStoryTest(PortalFixture portal) : PortalTest(portal)
{
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
