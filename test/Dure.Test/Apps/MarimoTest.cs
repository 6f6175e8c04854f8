using System.Diagnostics;
using Dure.Test.Portal.Browser;
using Dure.Test.Processes;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>A real marimo notebook, published and moved in a real browser. Its environment is made once, in artifacts.</summary>
[Collection(PortalCollection.Name)]
public sealed class MarimoTest(PortalFixture portal)
{
    private const string Version = "0.18.4";

    private static readonly string Environment = Path.Combine(Repository.Root, "artifacts", "papers", "marimo-" + Version);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_marimo_paper_is_published_and_its_slider_moves_in_a_browser()
    {
        if (await WhyNotAsync() is { } why)
            Assert.Skip(why);
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27180", "apps.port_last=27189");
        var folder = Directory.CreateDirectory(machine.Path("attention")).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, ".venv"), Environment);
        File.Copy(Path.Combine(Repository.Root, "examples", "paper", "paper.py"), Path.Combine(folder, "paper.py"));
        var app = await machine.GoodAsync("publish", Path.Combine(folder, "paper.py"), "--id", "attention");
        Assert.Equal("marimo", (string?)app["kind"]);

        await using var context = await portal.ContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1100, Height = 760 }, ColorScheme = ColorScheme.Light, ReducedMotion = ReducedMotion.Reduce });
        context.SetDefaultTimeout(60_000);
        var page = await context.NewPageAsync();
        await page.GotoAsync((string)app["url"]!);
        await page.GetByText("Softmax at temperature 1.0").WaitForAsync();
        var slider = page.GetByRole(AriaRole.Slider);
        await slider.FocusAsync();
        var clock = Stopwatch.StartNew();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.GetByText("Softmax at temperature 1.1").WaitForAsync();
        TestContext.Current.SendDiagnosticMessage($"the slider moved the text in {clock.ElapsedMilliseconds} ms");
        if (System.Environment.GetEnvironmentVariable("DURE_PICTURES") == "write")
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Repository.Root, "docs", "pictures", "paper.png") });
    }

    /// <summary>Makes the environment where it is missing; why it cannot be made, else null.</summary>
    private static async Task<string?> WhyNotAsync()
    {
        if (File.Exists(Path.Combine(Environment, "bin", "marimo")))
            return null;
        var (code, text) = await RunAsync("python3", "-m", "venv", Environment);
        if (code == 0)
            (code, text) = await RunAsync(Path.Combine(Environment, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "marimo==" + Version);
        if (code == 0)
            return null;
        if (Directory.Exists(Environment))
            Directory.Delete(Environment, recursive: true);
        return $"marimo {Version} cannot be installed here: {text.Trim().Split('\n')[^1]}";
    }

    private static async Task<(int Code, string Text)> RunAsync(string program, params string[] words)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
            await process.WaitForExitAsync(Cancel);
            return (process.ExitCode, await output + await error);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return (127, $"{program}: {missing.Message}");
        }
    }
}
