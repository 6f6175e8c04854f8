using System.Text.RegularExpressions;
using Dure.Test.Apps;
using Dure.Test.Host.Identity;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>The way of a reader from a paper for members to signing in, and back.</summary>
[Trait("speed", "slow")]
public sealed class PaperSigninTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 120_000)]
    public async Task Who_opens_a_paper_for_members_signs_in_and_is_at_the_page_of_the_paper_that_was_asked_for()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27280", "apps.port_last=27289");
        var url = (string)(await machine.GoodAsync("publish", machine.Folder("thesis", "for members", "visibility: members\n")))["url"]!;
        await machine.Dure.SendAsync(HttpMethod.Post, "/api/people", Cancel, $$"""{"name":"ada","role":"viewer","password":"{{SigninServer.Password}}"}""");

        var tab = await OpenUnknownAsync(dure: machine.Dure);
        await tab.Page.GotoAsync(url + "chapter?page=2");
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("/signin\\?to=", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await tab.Page.GetByLabel("Name").FillAsync("ada");
        await tab.Page.GetByLabel("Password").FillAsync("not the password");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(tab.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("DURE0073");
        await tab.Page.GetByLabel("Password").FillAsync(SigninServer.Password);
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(tab.Page).ToHaveURLAsync(url + "chapter?page=2");
        await Assertions.Expect(tab.Page.Locator("body")).ToHaveTextAsync("for members");

        // Who is signed in already sees nothing of it.
        await tab.Page.Context.ClearCookiesAsync(new BrowserContextClearCookiesOptions { NameRegex = new Regex("dure_app", RegexOptions.None, TimeSpan.FromSeconds(1)) });
        await tab.Page.GotoAsync(url);
        await Assertions.Expect(tab.Page.Locator("body")).ToHaveTextAsync("for members");
        Assert.Equal(url, tab.Page.Url);
    }
}
