using System.Collections.Concurrent;
using System.Text.Json;
using Dure.Test.Processes;
using Microsoft.Playwright;

namespace Dure.Test.Portal.Browser;

/// <summary>
/// A tab of a browser of its own that shows the portal. What the browser complains about (errors of scripts, violations of the policy, requests that
/// failed inside the server) is kept and fails the test at its end, but for what the test said it expects.
/// </summary>
internal sealed class PortalPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentQueue<string> _expected = new();
    private readonly ConcurrentQueue<string> _said = new();

    private PortalPage(IBrowserContext context, IPage page, RunningDure dure) => (Context, Page, Dure) = (context, page, dure);

    public IBrowserContext Context { get; }

    /// <summary>The tab, for all that Playwright can do.</summary>
    public IPage Page { get; }

    /// <summary>The server it shows.</summary>
    public RunningDure Dure { get; }

    /// <summary>What the browser complained about and nobody expected.</summary>
    public IReadOnlyList<string> Faults => [.. _faults.Where(fault => !_expected.Any(part => fault.Contains(part, StringComparison.OrdinalIgnoreCase)))];

    /// <summary>What stands where a part of a view is still loading.</summary>
    private const string Loading = "[aria-busy=true], .skeleton, .log .bone";

    /// <summary>All that scripts wrote to the console.</summary>
    public IReadOnlyCollection<string> Said => _said;

    /// <summary>Makes a tab; nothing is loaded yet.</summary>
    public static async Task<PortalPage> MakeAsync(PortalFixture portal, RunningDure dure, Viewing viewing)
    {
        var context = await portal.ContextAsync(new BrowserNewContextOptions
        {
            BaseURL = dure.Http.BaseAddress!.ToString(),
            ViewportSize = new ViewportSize { Width = viewing.Width, Height = viewing.Height },
            ColorScheme = viewing.Theme == "light" ? ColorScheme.Light : ColorScheme.Dark,
            Locale = viewing.Language == "ko" ? "ko-KR" : "en-GB",
            TimezoneId = "UTC",
            HasTouch = viewing.Touch,
            IsMobile = viewing.Touch,
            ReducedMotion = ReducedMotion.Reduce,
            Permissions = ["clipboard-read", "clipboard-write"],
            AcceptDownloads = true,
        });
        context.SetDefaultTimeout(15_000);
        var page = new PortalPage(context, await context.NewPageAsync(), dure);
        await page.WatchAsync();
        return page;
    }

    /// <summary>Signs in with a one-time link, as the owner or as somebody who has an account.</summary>
    public async Task SignInAsync(string name = "-")
    {
        var (_, link) = await Dure.SendAsync(HttpMethod.Post, $"/api/people/{name}/link", CancellationToken.None);
        var answer = await Context.APIRequest.PostAsync("/api/session/link", new APIRequestContextOptions { DataObject = new Dictionary<string, string>(StringComparer.Ordinal) { ["code"] = ((string)link!["url"]!).Split("#link=")[1] } });
        if (!answer.Ok)
            throw new InvalidOperationException($"{answer.Status}: {await answer.TextAsync()}");
    }

    /// <summary>What `dure signin` prints.</summary>
    public static async Task<string> LinkAsync(RunningDure dure, string name = "-") =>
        (string)(await dure.SendAsync(HttpMethod.Post, $"/api/people/{name}/link", CancellationToken.None)).Body!["url"]!;

    /// <summary>Opens a one-time link and waits for what comes after it.</summary>
    public async Task TakeLinkAsync(string link)
    {
        await Page.GotoAsync(link);
        await Page.Locator("nav.nav").First.WaitForAsync();
        await SettledAsync();
    }

    /// <summary>Goes to a view, waits until it has shown what it loads, and gives how long that took.</summary>
    public async Task<TimeSpan> GoAsync(string path)
    {
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        await Page.GotoAsync(path, new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
        await SettledAsync();
        return System.Diagnostics.Stopwatch.GetElapsedTime(begun);
    }

    /// <summary>Waits until the view stands: a heading is there and no part of it is still loading.</summary>
    public async Task SettledAsync()
    {
        await Page.Locator("h1").First.WaitForAsync();
        await Page.WaitForFunctionAsync($"() => !document.querySelector('{Loading}')");
    }

    /// <summary>Notes in the page itself when the view stood, as <see cref="SettledAsync"/> understands it: asking from here adds what the driver and this process take.</summary>
    public Task WatchSettlingAsync() => Page.AddInitScriptAsync($$"""
        const look = () => {
          const stands = document.querySelector('h1') && !document.querySelector('{{Loading}}');
          window.dureStood = stands ? window.dureStood ?? performance.now() : undefined;
        };
        new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
        """);

    /// <summary>When the view stood, ms from the beginning of the navigation, by the browser's clock.</summary>
    public Task<double> StoodAsync() => Page.EvaluateAsync<double>("() => window.dureStood");

    /// <summary>
    /// How many times longer than on a quiet machine (a core of 2.5 GHz or more) the browser takes for a piece of work right now; at least 1.
    /// Where others take the processor, a bound in milliseconds tells about them and not about the page.
    /// </summary>
    public async Task<double> PaceAsync() => Math.Max(1, await Page.EvaluateAsync<double>("""
        () => {
          const begun = performance.now();
          let sum = 0;
          for (let i = 0; i < 2e7; i++) sum = (Math.imul(sum, 31) + i) | 0;
          return (performance.now() - begun + (sum === 1 ? 1 : 0)) / 140;
        }
        """));

    /// <summary>What is wider than the screen: a phone's layout grows with it, so that it is not told by the layout's width.</summary>
    public async Task<IReadOnlyList<string>> TooWideAsync()
    {
        var wide = await Page.EvaluateAsync<JsonElement>("""
            () => [...document.querySelectorAll('body *')].filter((e) => {
              const box = e.getBoundingClientRect();
              if (box.width === 0 || box.height === 0 || box.right <= screen.width + 1 || getComputedStyle(e).visibility === 'hidden') return false;
              for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
                if (getComputedStyle(p).overflowX !== 'visible' && p.tagName !== 'MAIN' && p.getBoundingClientRect().right <= screen.width + 1) return false;
              return true;
            }).slice(0, 5).map((e) => `wider than the phone: <${e.tagName.toLowerCase()} class="${e.className}"> ${Math.round(e.getBoundingClientRect().right)} px: ${e.textContent.slice(0, 60)}`)
            """);
        return [.. wide.EnumerateArray().Select(text => text.GetString()!)];
    }

    /// <summary>The shown element with this role and name.</summary>
    public ILocator The(AriaRole role, string name) => Page.GetByRole(role, new PageGetByRoleOptions { Name = name, Exact = true }).First;

    /// <summary>Waits until a text is to be seen.</summary>
    public Task SeesAsync(string text, float within = 20_000) => Page.GetByText(text).First.WaitForAsync(new LocatorWaitForOptions { Timeout = within });

    /// <summary>Presses Tab until what has the focus is called so, as somebody without a mouse does.</summary>
    public async Task TabToAsync(string name)
    {
        for (var presses = 0; presses < 80; presses++)
        {
            await Page.Keyboard.PressAsync("Tab");
            var focused = await Page.EvaluateAsync<string>("() => { const e = document.activeElement; return (e.getAttribute('aria-label') ?? e.innerText ?? '').trim(); }");
            if (focused.StartsWith(name, StringComparison.Ordinal))
                return;
        }
        throw new Xunit.Sdk.XunitException($"'{name}' cannot be reached with Tab at {Page.Url}.");
    }

    /// <summary>Presses keys one after the other, as `g i` is pressed.</summary>
    public async Task KeysAsync(params string[] keys)
    {
        foreach (var key in keys)
            await Page.Keyboard.PressAsync(key);
    }

    /// <summary>A complaint that contains this is what the test is about.</summary>
    public void Expect(string part) => _expected.Enqueue(part);

    /// <summary>Fails with what the browser complained about, at once.</summary>
    public void Clean()
    {
        if (Faults is { Count: > 0 } faults)
            throw new Xunit.Sdk.XunitException($"The browser complains at {Page.Url}:\n{string.Join('\n', faults)}");
    }

    /// <summary>Keeps what is to be seen, for whoever looks into a test that failed.</summary>
    public async Task KeepAsync(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = path + ".png", FullPage = true });
        }
        catch (TimeoutException)
        {
            // The page is busy with what the test failed for; its text is kept all the same.
        }
        await File.WriteAllTextAsync(path + ".html", $"<!-- {Page.Url}\n{string.Join('\n', _faults)}\n{string.Join('\n', _said)}\n-->\n{await Page.ContentAsync()}");
    }

    public ValueTask DisposeAsync() => Context.DisposeAsync();

    private async Task WatchAsync()
    {
        Page.PageError += (_, error) => _faults.Enqueue("script: " + error);
        Page.Console += (_, said) =>
        {
            _said.Enqueue($"{said.Type}: {said.Text}");
            // A status that the page expects and shows is said by the browser as well; 5xx is looked at below.
            if (said.Type == "error" && !said.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                _faults.Enqueue("console: " + said.Text);
        };
        Page.Response += (_, answer) =>
        {
            if (answer.Status >= 500)
                _faults.Enqueue($"server: {answer.Request.Method} {answer.Url} {answer.Status}");
        };
        Page.RequestFailed += (_, request) =>
        {
            // A page that is left ends what it was loading.
            if (request.Failure is { } why && why != "net::ERR_ABORTED")
                _faults.Enqueue($"network: {request.Method} {request.Url} {why}");
        };
        await Page.ExposeFunctionAsync("dureViolation", (string what) => _faults.Enqueue("policy: " + what));
        await Page.AddInitScriptAsync("document.addEventListener('securitypolicyviolation', e => window.dureViolation(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))");
    }
}
