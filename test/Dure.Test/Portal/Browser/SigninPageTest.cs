using System.Text.RegularExpressions;
using Dure.Test.Host.Identity;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>The page of signing in and the settings, as somebody sees and uses them.</summary>
[Trait("speed", "slow")]
public sealed class SigninPageTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 120_000)]
    public async Task The_link_of_dure_up_signs_the_owner_in_and_a_password_is_set_and_used()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        var tab = await OpenUnknownAsync(dure: dure);
        var link = await LinkAsync(dure, "-");
        await tab.Page.GotoAsync(link);
        await tab.Page.GetByText("Set a password", new PageGetByTextOptions { Exact = true }).First.ClickAsync();
        Assert.DoesNotContain("#", tab.Page.Url, StringComparison.Ordinal);
        await Assertions.Expect(tab.Page).ToHaveURLAsync(new Regex("/settings/account$", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await tab.Page.GetByLabel("New password", new PageGetByLabelOptions { Exact = true }).FillAsync("short");
        await tab.Page.GetByLabel("New password, once more").FillAsync("another");
        await Assertions.Expect(tab.Page.GetByText("The two are not the same.")).ToBeVisibleAsync();
        await tab.Page.GetByLabel("New password", new PageGetByLabelOptions { Exact = true }).FillAsync(SigninServer.Password);
        await tab.Page.GetByLabel("New password, once more").FillAsync(SigninServer.Password);
        await tab.Page.GetByText("Save").ClickAsync();
        await Assertions.Expect(tab.Page.GetByText("The password is set.")).ToBeVisibleAsync();
        await Assertions.Expect(tab.Page.GetByLabel("Present password")).ToBeVisibleAsync();

        var other = await OpenUnknownAsync(dure: dure);
        await other.Page.GotoAsync("/settings/health");
        await other.Page.GetByLabel("Name").FillAsync("owner");
        await other.Page.GetByLabel("Password").FillAsync("not the password");
        await other.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(other.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("DURE0073");
        await other.Page.GetByLabel("Password").FillAsync(SigninServer.Password);
        await other.Page.Keyboard.PressAsync("Enter");
        // In place: where one wanted to go.
        await Assertions.Expect(other.Page.GetByText("Everything works")).ToBeVisibleAsync();

        var late = await OpenUnknownAsync(dure: dure);
        await late.Page.GotoAsync(link);
        await Assertions.Expect(late.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("DURE0075");
        await Assertions.Expect(late.Page.GetByText("dure signin", new PageGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        Assert.DoesNotContain("#", late.Page.Url, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Too_many_guesses_are_told_with_how_long_to_wait()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        await dure.SendAsync(HttpMethod.Post, "/api/people", Cancel, $$"""{"name":"ada","password":"{{SigninServer.Password}}"}""");
        for (var i = 0; i < 8; i++)
            await dure.SendAsync(HttpMethod.Post, "/api/session", Cancel, """{"name":"ada","password":"a wrong password"}""");
        var tab = await OpenUnknownAsync(dure: dure);
        await tab.Page.GotoAsync("/");
        // As often as it takes to be told to wait: waits may have run out meanwhile.
        for (var i = 0; i < 8 && await tab.Page.GetByRole(AriaRole.Timer).CountAsync() == 0; i++)
        {
            await tab.Page.GetByLabel("Name").FillAsync("ada");
            await tab.Page.GetByLabel("Password").FillAsync("a wrong password");
            await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();
            await tab.Page.GetByRole(AriaRole.Alert).WaitForAsync();
        }
        await Assertions.Expect(tab.Page.GetByRole(AriaRole.Timer)).ToContainTextAsync("You can try again in");
        await Assertions.Expect(tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" })).ToBeDisabledAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task Owners_add_people_make_tokens_set_secrets_and_find_all_of_it_in_the_trail()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        var tab = await OpenAsync("/settings/people", dure: dure);
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Add a person" }).ClickAsync();
        await tab.Page.GetByLabel("Name", new PageGetByLabelOptions { Exact = true }).FillAsync("ada");
        await tab.Page.GetByLabel("Role").SelectOptionAsync("viewer");
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Add and make a link" }).ClickAsync();
        var link = await tab.Page.Locator("dialog[open] code").InnerTextAsync();
        var ada = await OpenUnknownAsync(dure: dure);
        await ada.TakeLinkAsync(link);
        await ada.GoAsync("/settings/people");
        await Assertions.Expect(ada.Page.GetByText("This part is for owners")).ToBeVisibleAsync();

        await tab.GoAsync("/settings/tokens");
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Make a token" }).First.ClickAsync();
        await tab.Page.GetByLabel("What it is for").FillAsync("laptop");
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Make", Exact = true }).ClickAsync();
        var token = await tab.Page.Locator("dialog[open] .settings-once code").InnerTextAsync();
        Assert.StartsWith("dure_", token, StringComparison.Ordinal);
        await tab.GoAsync("/settings/secrets");
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Set a secret" }).First.ClickAsync();
        await tab.Page.GetByLabel("Name", new PageGetByLabelOptions { Exact = true }).FillAsync("api_key");
        await tab.Page.GetByLabel("Value").FillAsync("a value that nobody sees again");
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Save" }).ClickAsync();
        await Assertions.Expect(tab.Page.GetByText("API_KEY", new PageGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await tab.GoAsync("/settings/audit");
        foreach (var action in new[] { "PUT /api/secrets/{name}", "POST /api/tokens", "POST /api/people" })
            await Assertions.Expect(tab.Page.GetByText(action, new PageGetByTextOptions { Exact = true }).First).ToBeVisibleAsync();
        var content = await tab.Page.ContentAsync();
        Assert.DoesNotContain(token[16..], content, StringComparison.Ordinal);
        Assert.DoesNotContain("nobody sees again", content, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_session_that_is_ended_elsewhere_leads_to_signing_in_and_back()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        var tab = await OpenAsync("/settings/sessions", dure: dure);
        await Assertions.Expect(tab.Page.GetByText("this one")).ToBeVisibleAsync();
        await dure.SendAsync(HttpMethod.Delete, "/api/people/owner/sessions", Cancel);
        await Assertions.Expect(tab.Page.GetByText("Sign in to Dure")).ToBeVisibleAsync(new LocatorAssertionsToBeVisibleOptions { Timeout = 30_000 });
        Assert.EndsWith("/settings/sessions", tab.Page.Url, StringComparison.Ordinal);
    }

    private static async Task<string> LinkAsync(Processes.RunningDure dure, string name)
    {
        var url = new Uri((string)(await dure.SendAsync(HttpMethod.Post, $"/api/people/{name}/link", Cancel)).Body!["url"]!);
        return url.PathAndQuery + url.Fragment;
    }
}
