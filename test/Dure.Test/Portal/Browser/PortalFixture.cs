using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>
/// One browser and one server for the tests that look at the portal. The browser is the system's Chromium: Playwright's driver only steers it, and
/// nothing is downloaded. Tests that kill or change the server itself start one of their own (<see cref="StartServerAsync"/>).
/// </summary>
public sealed class PortalFixture : IAsyncLifetime
{
    /// <summary>This machine's Chromium; null when there is none.</summary>
    internal static string? Chromium => Programs.FirstOrDefault(File.Exists);

    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly Scratch _scratch = new();
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private RunningDure? _dure;
    private readonly Lazy<Task<SmallLab>> _lab;
    private int _servers;

    public PortalFixture() => _lab = new(() => SmallLab.MakeAsync(Dure, CancellationToken.None));

    /// <summary>The server that tests share: what one makes there, others may see.</summary>
    internal RunningDure Dure => _dure!;

    public async ValueTask InitializeAsync()
    {
        var program = Chromium ?? throw new InvalidOperationException("These tests need Chromium: apt-get install -y chromium (`dure setup --tests` does it).");
        _dure = await StartServerAsync(TestContext.Current.CancellationToken);
        _playwright = await Playwright.CreateAsync();
        _browser = await LaunchAsync(_playwright, program);
    }

    /// <summary>Starts a browser without a window.</summary>
    /// <param name="program">As <see cref="Chromium"/> gives it.</param>
    internal static Task<IBrowser> LaunchAsync(IPlaywright playwright, string program) => playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
    {
        ExecutablePath = program,
        Headless = true,
        // Its own sandbox needs a user that is not root; what it shows here is ours.
        Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"],
    });

    /// <summary>What is on the shared server, made at the first use.</summary>
    internal Task<SmallLab> LabAsync() => _lab.Value;

    /// <summary>A server of a test's own.</summary>
    internal Task<RunningDure> StartServerAsync(CancellationToken cancel, params string[] settings) =>
        RunningDure.StartAsync(_scratch[$"data{Interlocked.Increment(ref _servers)}"], cancel, settings);

    /// <summary>A browser that knows nothing yet: no cookies, no storage.</summary>
    internal Task<IBrowserContext> ContextAsync(BrowserNewContextOptions options) => _browser!.NewContextAsync(options);

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_dure is not null)
            await _dure.DisposeAsync();
        _scratch.Dispose();
    }
}

/// <summary>The tests that share a <see cref="PortalFixture"/>; they run one after the other, and beside no others: many of them measure.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class PortalCollection : ICollectionFixture<PortalFixture>
{
    /// <summary>For <c>[Collection]</c>.</summary>
    public const string Name = "portal";
}
