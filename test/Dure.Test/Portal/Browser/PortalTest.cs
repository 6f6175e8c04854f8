using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>
/// A test that looks at the portal: opens tabs, and at its end fails with what the browser complained about. Of one that failed, what was to be seen
/// is kept under artifacts/portal-failures.
/// </summary>
[Collection(PortalCollection.Name)]
public abstract class PortalTest(PortalFixture portal) : IAsyncLifetime
{
    private readonly List<PortalPage> _pages = [];

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Browser and server.</summary>
    protected PortalFixture Portal => portal;

    /// <summary>The server that tests share.</summary>
    private protected RunningDure Dure => portal.Dure;

    public virtual ValueTask InitializeAsync() => default;

    /// <summary>A tab in a browser of its own, signed in as the owner, on a view.</summary>
    private protected async Task<PortalPage> OpenAsync(string path, Viewing? viewing = null, RunningDure? dure = null)
    {
        var page = await OpenUnknownAsync(viewing, dure);
        await page.SignInAsync();
        await page.GoAsync(path);
        return page;
    }

    /// <summary>A tab in a browser of its own that nobody signed in with, and that shows nothing yet.</summary>
    private protected async Task<PortalPage> OpenUnknownAsync(Viewing? viewing = null, RunningDure? dure = null)
    {
        var page = await PortalPage.MakeAsync(portal, dure ?? portal.Dure, viewing ?? Viewing.Desk);
        _pages.Add(page);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        var failed = TestContext.Current.TestState?.Result == TestResult.Failed;
        // A test's own server ends before its tabs do.
        var faults = _pages.SelectMany(page => page.Faults).Where(fault => !fault.Contains("net::ERR_CONNECTION_REFUSED", StringComparison.Ordinal)).ToList();
        foreach (var (number, page) in _pages.Index())
        {
            if (failed || faults.Count > 0)
                await page.KeepAsync(Path.Combine(Repository.Root, "artifacts", "portal-failures", $"{TestContext.Current.TestMethod?.MethodName}-{number}"));
            await page.DisposeAsync();
        }
        Assert.True(failed || faults.Count == 0, $"The browser complains:\n{string.Join('\n', faults)}");
    }
}
