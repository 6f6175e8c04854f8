using Xunit;

namespace Dure.Test.Portal.Browser;

public sealed class LooksTest(PortalFixture portal) : PortalTest(portal)
{
    [Fact(Timeout = 400_000)]
    public async Task Looks_are_taken()
    {
        await using var dure = await Portal.StartServerAsync(Cancel);
        await dure.SendAsync(System.Net.Http.HttpMethod.Post, "/api/people", Cancel, """{"name":"ada","display_name":"Ada Lovelace","role":"member","email":"ada@lab.example","password":"a long good password"}""");
        await dure.SendAsync(System.Net.Http.HttpMethod.Post, "/api/people", Cancel, """{"name":"grace","display_name":"Grace Hopper","role":"viewer","email":"grace@lab.example"}""");
        await dure.SendAsync(System.Net.Http.HttpMethod.Put, "/api/secrets/API_KEY", Cancel, """{"value":"x"}""");
        await dure.SendAsync(System.Net.Http.HttpMethod.Post, "/api/tokens", Cancel, """{"name":"nightly pipeline","scopes":["invoke","read"],"expires_in_days":90}""");
        await dure.SendAsync(System.Net.Http.HttpMethod.Post, "/api/session", Cancel, """{"name":"ada","password":"a wrong password"}""");
        foreach (var (name, viewing) in new[] { ("dark", Viewing.Desk), ("light-ko", new Viewing(Theme: "light", Language: "ko")), ("phone", Viewing.Phone) })
        {
            var tab = await OpenUnknownAsync(viewing, dure);
            await tab.Page.GotoAsync("/signin#problem=DURE0080");
            await tab.Page.Locator("form").First.WaitForAsync();
            await tab.KeepAsync($"/tmp/idlooks/signin-{name}");
            await tab.SignInAsync();
            foreach (var part in new[] { "account", "people", "tokens?whose=all", "sessions?whose=all", "secrets", "audit", "health" })
            {
                await tab.GoAsync("/settings/" + part);
                await Task.Delay(600, Cancel);
                await tab.KeepAsync($"/tmp/idlooks/{part.Split('?')[0]}-{name}");
            }
            await tab.GoAsync("/settings/people");
            await tab.Page.Locator(".page-body .button.primary").First.ClickAsync();
            await tab.KeepAsync($"/tmp/idlooks/add-{name}");
        }
    }
}
