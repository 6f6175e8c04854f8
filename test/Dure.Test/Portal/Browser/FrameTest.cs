using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>The frame that every page of the portal stands in.</summary>
public sealed class FrameTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 60_000)]
    public async Task Every_address_of_the_portal_shows_its_frame()
    {
        var page = await OpenAsync("/");
        Assert.Contains("Dure", await page.Page.TitleAsync(), StringComparison.Ordinal);
        Assert.True(await page.Page.Locator("nav").CountAsync() > 0);
    }
}
