using Dure.Test.Portal.Browser;
using Microsoft.Playwright;

namespace Dure.Test.Portal.Pictures;

/// <summary><c>docs/pictures/portal</c>: looks at every page of a lively server in both themes, and on a phone.</summary>
internal static class PortalPictures
{
    private static readonly (string Name, string Path)[] Views =
    [
        ("overview", "/"), ("functions", "/functions"), ("function", "/functions/fit-spectrum"), ("try", "/functions/fit-spectrum/try"), ("versions", "/functions/fit-spectrum/versions"),
        ("editor", "/functions/reduce-frames/edit"), ("invocations", "/invocations"), ("run", "/invocations/LONG"), ("log", "/invocations/LONG?tab=logs"), ("failed", "/invocations/FAILED"),
        ("compare", "/invocations/FAILED/compare/BEFORE"), ("workers", "/workers"), ("storage", "/storage"), ("bucket", "/storage/spectra"), ("notifications", "/notifications"), ("people", "/settings/people"),
        ("audit", "/settings/audit"), ("health", "/settings/health"),
    ];

    private static readonly (string Name, string Path)[] OnPhone = [("overview", "/"), ("run", "/invocations/LONG"), ("invocations", "/invocations")];

    /// <summary>Writes the pictures: <c>child portal-pictures DIR</c>.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var portal = new PortalFixture();
        await using (portal)
        {
            await portal.InitializeAsync();
            var lab = await LivelyLab.MakeAsync(portal.Dure, CancellationToken.None);
            foreach (var theme in new[] { "dark", "light" })
                await ShootAsync(portal, lab, Viewing.Desk with { Theme = theme }, Views, Path.Combine(arguments[0], "portal-"), "-" + theme);
            await ShootAsync(portal, lab, Viewing.Phone, OnPhone, Path.Combine(arguments[0], "portal-phone-"), "");
            await PaletteAsync(portal, lab, arguments[0]);
        }
        return 0;
    }

    private static async Task ShootAsync(PortalFixture portal, LivelyLab lab, Viewing viewing, (string Name, string Path)[] views, string before, string after)
    {
        await using var page = await PortalPage.MakeAsync(portal, lab.Dure, viewing);
        // Nobody waits for these pictures: a busy machine must not cost one.
        page.Context.SetDefaultTimeout(60_000);
        await page.SignInAsync("grace");
        foreach (var (name, path) in views)
        {
            var address = path.Replace("LONG", lab.Long, StringComparison.Ordinal).Replace("FAILED", lab.Failed, StringComparison.Ordinal).Replace("BEFORE", lab.Before, StringComparison.Ordinal);
            try
            {
                await page.GoAsync(address);
            }
            catch (TimeoutException late)
            {
                await Console.Error.WriteLineAsync($"{address}: {late.Message.Split('\n')[0]}");
            }
            // Charts and the live state come a moment after the page stands.
            await Task.Delay(1200);
            await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = before + name + after + ".png" });
            Console.WriteLine(name + after);
        }
        foreach (var fault in page.Faults)
            await Console.Error.WriteLineAsync(fault);
    }

    private static async Task PaletteAsync(PortalFixture portal, LivelyLab lab, string folder)
    {
        await using var page = await PortalPage.MakeAsync(portal, lab.Dure, Viewing.Desk);
        await page.SignInAsync("grace");
        await page.GoAsync("/invocations");
        await page.KeysAsync("Control+k");
        await page.Page.Keyboard.TypeAsync("fit");
        await Task.Delay(500);
        await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, "portal-palette-dark.png") });
    }
}
