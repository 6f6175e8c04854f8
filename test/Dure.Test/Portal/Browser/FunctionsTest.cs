using System.Diagnostics;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Functions in the browser: written, deployed, tried, changed by two at once, sent forward and back.</summary>
public sealed class FunctionsTest(PortalFixture portal) : PortalTest(portal)
{
    private const string Answer = "def handler(event, context):\n    print('first line')\n    return {'hello': event.get('name', 'world')}\n";

    [Fact(Timeout = 180_000)]
    public async Task A_function_is_written_in_the_browser_its_fault_is_shown_in_its_line_and_mended_it_runs()
    {
        var page = await OpenAsync("/functions/new");
        await page.Page.GetByLabel("Name").FillAsync("written");
        await WriteAsync(page, "def handler(event, context:\n    return 1\n");
        await page.Page.Keyboard.PressAsync("Control+s");
        await page.Page.GetByText("not deployed").WaitForAsync();
        await page.Page.Locator(".build .marks").GetByText("handler.py:1").WaitForAsync();
        Assert.Equal(1, await page.Page.Locator(".cm-lint-marker-error").CountAsync());
        Assert.Empty((await Dure.GetAsync("/api/functions?text=written", Cancel))["items"]!.AsArray());

        await WriteAsync(page, Answer);
        await page.Page.Keyboard.PressAsync("Control+s");
        await page.Page.WaitForURLAsync("**/functions/written/edit");
        await page.GoAsync("/functions/written/try");
        await page.Page.GetByLabel("Event", new() { Exact = true }).FillAsync("""{"name": "Ada"}""");
        await page.Page.Keyboard.PressAsync("Control+Enter");
        await page.Page.Locator(".code.result").GetByText("\"hello\": \"Ada\"").WaitForAsync();
        await page.Page.Locator(".run-log").GetByText("first line").WaitForAsync();
        Assert.Contains("run=", page.Page.Url, StringComparison.Ordinal);

        await page.GoAsync("/functions");
        await page.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "written" }).GetByText("100%").WaitForAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task What_the_browser_packs_is_a_tar_file_that_other_programs_read()
    {
        var page = await OpenAsync("/functions/new?template=bootstrap-shell");
        await page.Page.GetByLabel("Name").FillAsync("packed");
        var deep = string.Join('/', Enumerable.Repeat("folder-of-some-length", 6)) + "/last.txt";
        foreach (var path in new[] { deep, "한글 이름.txt" })
        {
            await page.Page.GetByRole(AriaRole.Button, new() { Name = "New file" }).ClickAsync();
            await page.Page.GetByLabel("Path").FillAsync(path);
            await page.Page.Keyboard.PressAsync("Enter");
        }
        await page.Page.Locator(".file-tabs input[type=file]").SetInputFilesAsync(new FilePayload { Name = "weights.bin", MimeType = "application/octet-stream", Buffer = [.. Enumerable.Range(0, 4000).Select(n => (byte)n)] });
        await page.Page.GetByText("weights.bin", new() { Exact = true }).WaitForAsync();
        await page.Page.Keyboard.PressAsync("Control+s");
        await page.Page.WaitForURLAsync("**/functions/packed/edit");

        using var tar = Process.Start(new ProcessStartInfo("tar", ["-tvzf", "-"]) { RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { ["LC_ALL"] = "C.UTF-8" } })!;
        await tar.StandardInput.BaseStream.WriteAsync(await Dure.Http.GetByteArrayAsync(new Uri("/api/functions/packed/versions/1/source", UriKind.Relative), Cancel), Cancel);
        tar.StandardInput.Close();
        var listed = (await tar.StandardOutput.ReadToEndAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await tar.WaitForExitAsync(Cancel);
        Assert.Equal(0, tar.ExitCode);
        Assert.Equal(["bootstrap", deep, "weights.bin", "한글 이름.txt"], listed.Select(line => line[(line.IndexOf("00:00 ", StringComparison.Ordinal) + 6)..]));
        Assert.StartsWith("-rwxr-xr-x", listed[0], StringComparison.Ordinal);
        Assert.Contains(" 4000 ", listed[2], StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task Of_two_browsers_that_change_the_same_function_the_later_one_sees_both_and_chooses()
    {
        await Dure.DeployAsync("ours", Cancel, ("handler.py", Answer), ("both.txt", "1\n2\n3\n4\n5\n"), ("notes.txt", "one\n"), ("other.txt", "one\n"));
        var (one, two) = (await OpenAsync("/functions/ours/edit"), await OpenAsync("/functions/ours/edit"));
        await WriteAsync(one, Answer.Replace("first", "theirs", StringComparison.Ordinal));
        await ChooseFileAsync(one, "other.txt");
        await WriteAsync(one, "theirs\n");
        await ChooseFileAsync(one, "both.txt");
        await WriteAsync(one, "theirs\n2\n3\n4\n5\n");
        await one.Page.Keyboard.PressAsync("Control+s");
        await one.Page.GetByText("Version 2 is live").WaitForAsync();

        await WriteAsync(two, Answer.Replace("first", "mine", StringComparison.Ordinal));
        await ChooseFileAsync(two, "notes.txt");
        await WriteAsync(two, "mine\n");
        await ChooseFileAsync(two, "both.txt");
        await WriteAsync(two, "1\n2\n3\n4\nmine\n");
        await two.Page.Keyboard.PressAsync("Control+s");
        await two.Page.GetByText("Version 2 was deployed meanwhile").WaitForAsync();
        Assert.Equal(2, (int)(await Dure.GetAsync("/api/functions/ours", Cancel))["versions"]!);
        var choices = two.Page.Locator(".conflict li");
        Assert.Equal(4, await choices.CountAsync());
        Assert.True(await two.Page.GetByRole(AriaRole.Button, new() { Name = "1 file to choose" }).IsDisabledAsync());
        await choices.Filter(new() { HasText = "handler.py" }).GetByRole(AriaRole.Button, new() { Name = "Mine", Exact = true }).ClickAsync();
        await two.Page.Locator(".conflict .diff .removed").GetByText("theirs line").WaitForAsync();
        await two.Page.GetByRole(AriaRole.Button, new() { Name = "Take over", Exact = true }).ClickAsync();
        await two.Page.Keyboard.PressAsync("Control+s");
        await two.Page.GetByText("Version 3 is live").WaitForAsync();

        Assert.Contains("mine line", await FileAsync("ours", "handler.py"), StringComparison.Ordinal);
        Assert.Equal(("mine\n", "theirs\n"), (await FileAsync("ours", "notes.txt"), await FileAsync("ours", "other.txt")));
        Assert.Equal("theirs\n2\n3\n4\nmine\n", await FileAsync("ours", "both.txt"));
        // Who only looked on is told as well.
        await one.Page.GetByText("version 3 is live").WaitForAsync(new() { Timeout = 20_000 });
    }

    [Fact(Timeout = 180_000)]
    public async Task A_canary_is_set_and_promoted_versions_are_compared_and_a_rollback_is_one_choice_away()
    {
        foreach (var word in new[] { "first", "second" })
            await Dure.DeployAsync("ways", Cancel, ("handler.py", Answer.Replace("first", word, StringComparison.Ordinal)));
        var page = await OpenAsync("/functions/ways/versions");
        await page.Page.GetByLabel("Compare version 1").CheckAsync();
        await page.Page.GetByLabel("Compare version 2").CheckAsync();
        await page.Page.Locator(".file-diff .added").GetByText("second line").WaitForAsync();
        Assert.Contains("from=1&to=2", page.Page.Url, StringComparison.Ordinal);

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "More for v1" }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Make canary" }).ClickAsync();
        await page.Page.Locator("dialog input[type=range]").FillAsync("30");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Set canary", Exact = true }).ClickAsync();
        await page.Page.GetByText("v2 gets 70% of the calls, v1 as canary 30%").WaitForAsync();
        Assert.Equal(30, (int)(await Dure.GetAsync("/api/functions/ways", Cancel))["canary"]!["percent"]!);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Make it live" }).ClickAsync();
        await page.Page.GetByText("Version 1 is live now").WaitForAsync();

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "More for ways" }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Roll back" }).ClickAsync();
        await page.Page.GetByText("Version 2 is live again").WaitForAsync();
        Assert.Equal(2, (int)(await Dure.GetAsync("/api/functions/ways", Cancel))["live_number"]!);
        Assert.Equal(["rollback", "live", "live", "deploy", "deploy"], (await Dure.GetAsync("/api/functions/ways/history", Cancel))["items"]!.AsArray().Select(release => (string)release!["action"]!));
    }

    [Fact(Timeout = 180_000)]
    public async Task What_was_begun_survives_a_reload_and_nobody_leaves_it_unasked()
    {
        await Dure.DeployAsync("begun", Cancel, ("handler.py", Answer));
        var page = await OpenAsync("/functions/begun/edit");
        await WriteAsync(page, "# begun here\n" + Answer);
        await page.Page.WaitForTimeoutAsync(800);
        var asked = 0;
        page.Page.Dialog += (_, dialog) =>
        {
            asked++;
            // Within the portal it stays; the reload below goes on.
            _ = dialog.Type == "confirm" ? dialog.DismissAsync() : dialog.AcceptAsync();
        };
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "Workers" }).ClickAsync();
        Assert.EndsWith("/functions/begun/edit", page.Page.Url, StringComparison.Ordinal);
        Assert.Equal(1, asked);
        await page.Page.ReloadAsync();
        await page.Page.GetByText("What you had begun here was restored.").WaitForAsync();
        await page.Page.GetByText("# begun here").WaitForAsync();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Discard it" }).ClickAsync();
        await Assertions.Expect(page.Page.GetByText("# begun here")).ToHaveCountAsync(0);
    }

    [Fact(Timeout = 180_000)]
    public async Task An_event_is_saved_for_everybody_and_a_failure_is_shown_in_the_functions_own_words()
    {
        await Dure.DeployAsync("tried", Cancel, ("handler.py", "def handler(event, context):\n    raise ValueError('asked to fail')\n"), ("function.yaml", "retries:\n  max: 0\n"));
        var page = await OpenAsync("/functions/tried/try");
        var editor = page.Page.GetByLabel("Event", new() { Exact = true });
        await editor.FillAsync("{\n  \"a\": 1,\n}");
        await page.Page.GetByText("Line 3, column 1").WaitForAsync();
        Assert.True(await page.Page.GetByRole(AriaRole.Button, new() { Name = "Run" }).First.IsDisabledAsync());
        await editor.FillAsync("""{"a": 1}""");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Saved events: more" }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Save as" }).ClickAsync();
        await page.Page.GetByLabel("Name").FillAsync("one of them");
        await page.Page.Keyboard.PressAsync("Enter");
        await page.Page.GetByText("Saved “one of them”").WaitForAsync();

        var other = await OpenAsync("/functions/tried/try");
        await other.Page.GetByLabel("Saved events", new() { Exact = true }).SelectOptionAsync("one of them");
        await Assertions.Expect(other.Page.GetByLabel("Event", new() { Exact = true })).ToHaveValueAsync("""{"a": 1}""");
        await other.Page.Keyboard.PressAsync("Control+Enter");
        await other.Page.GetByText("ValueError: asked to fail").First.WaitForAsync();
        await other.Page.Locator(".outcome .state").GetByText("failed").WaitForAsync();
    }

    [Theory(Timeout = 180_000)]
    [InlineData(390, "ko", "light")]
    [InlineData(1440, "en", "dark")]
    public async Task Every_view_of_a_function_fits_its_screen(int width, string language, string theme)
    {
        await Dure.DeployAsync("fits", Cancel, ("handler.py", Answer), ("function.yaml", "memory: 256 MiB\nsecrets: [KEY_THAT_IS_NOT_SET]\nschedule:\n  cron: \"30 3 * * MON-FRI\"\n  time_zone: Asia/Seoul\n"));
        var page = await OpenAsync("/functions", new Viewing(width, 844, theme, language, width < 500));
        foreach (var view in new[] { "", "/try", "/versions", "/code", "/schedule", "/settings", "/edit" })
        {
            await page.GoAsync("/functions/fits" + view);
            Assert.Equal(0, await page.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth + Math.max(0, document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth)"));
        }
        Assert.Equal(language, await page.Page.Locator("html").GetAttributeAsync("lang"));
        await page.GoAsync("/functions/new");
        await page.Page.Locator(".cm-content").WaitForAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task A_function_is_deleted_only_after_its_name_was_typed()
    {
        await Dure.DeployAsync("leaves", Cancel, ("handler.py", Answer));
        var page = await OpenAsync("/functions/leaves/settings");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Delete function" }).ClickAsync();
        var delete = page.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete function" });
        Assert.True(await delete.IsDisabledAsync());
        await page.Page.GetByLabel("Type leaves to confirm").FillAsync("leaves");
        await delete.ClickAsync();
        await page.Page.WaitForURLAsync("**/functions");
        Assert.Empty((await Dure.GetAsync("/api/functions?text=leaves", Cancel))["items"]!.AsArray());
    }

    // Takes the place of all that the editor holds.
    private static async Task WriteAsync(PortalPage page, string text)
    {
        await page.Page.Locator(".cm-content").ClickAsync();
        await page.Page.Keyboard.PressAsync("Control+a");
        await page.Page.Keyboard.PressAsync("Delete");
        await page.Page.Keyboard.InsertTextAsync(text);
    }

    private static async Task ChooseFileAsync(PortalPage page, string path)
    {
        await page.Page.Locator(".file-tabs button.file").Filter(new() { HasText = path }).ClickAsync();
        await page.Page.Locator($"[data-editor='{path}']").WaitForAsync();
    }

    private Task<string> FileAsync(string function, string path) => Dure.Http.GetStringAsync(new Uri($"/api/functions/{function}/versions/live/file?path={path}", UriKind.Relative), Cancel);
}
