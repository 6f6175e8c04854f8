using System.Diagnostics;
using Dure.Host;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Commands;

/// <summary>What people do wrong with the commands of a fleet, and what they are told. No machine is needed.</summary>
public sealed class FleetCommandsTest : IDisposable
{
    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("plan")]
    [InlineData("apply", "--yes")]
    [InlineData("drift")]
    [InlineData("check")]
    public async Task A_file_with_faults_is_told_with_all_of_them_before_anything_is_asked(params string[] words)
    {
        Write("machines:\n  a: {address: 203.0.113.1, roles: [balncer]}\n  b: {adress: x}\n");
        var (code, output, error) = await DureAsync(words);
        Assert.Equal((ExitCodes.Usage, ""), (code, output));
        foreach (var said in new[] { "DURE0800", "dure.yaml:2:37", "Did you mean `balancer`?", "dure.yaml:3:7", "Did you mean `address`?", "Nothing was touched." })
            Assert.Contains(said, error.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_file_the_way_to_one_is_shown()
    {
        var (code, _, error) = await DureAsync("plan", "--config", "none.yaml");
        Assert.Equal(ExitCodes.NotFound, code);
        Assert.Contains("DURE0801", error, StringComparison.Ordinal);
        Assert.Contains("dure init", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_or_role_that_is_not_there_is_told_with_the_nearest()
    {
        Write("machines:\n  alpha: {address: 203.0.113.1, roles: [overlay]}\n");
        Directory.CreateDirectory(_scratch["overlay"]);
        var (code, _, error) = await DureAsync("plan", "--machine", "alhpa", "--only", "overlai");
        Assert.Equal(ExitCodes.NotFound, code);
        Assert.Contains("Did you mean `alpha`?", error, StringComparison.Ordinal);
        Assert.Contains("Did you mean `overlay`?", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_of_check_stop_plan_and_apply()
    {
        Write("machines:\n  alpha: {address: 203.0.113.1, roles: [overlay]}\n");
        foreach (var verb in new[] { "plan", "apply" })
        {
            var (code, _, error) = await DureAsync(verb);
            Assert.Equal(ExitCodes.Usage, code);
            Assert.Contains("DURE0810", error, StringComparison.Ordinal);
            Assert.Contains("overlay-missing", error, StringComparison.Ordinal);
            Assert.Contains("dure.yaml:2:", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Secrets_that_are_missing_or_open_to_others_are_named_and_init_makes_them()
    {
        Write("machines:\n  alpha: {address: 127.0.0.1, roles: [munge]}\n");
        var (code, _, error) = await DureAsync("plan");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("munge_key", error, StringComparison.Ordinal);
        Assert.Contains("dure init --secrets", error, StringComparison.Ordinal);

        (code, _, error) = await DureAsync("init", "--secrets");
        Assert.Equal(0, code);
        Assert.Contains("munge_key", error, StringComparison.Ordinal);
        var key = await File.ReadAllTextAsync(_scratch["secrets", "munge_key"], Cancel);
        Assert.True(key.Length > 1000);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_scratch["secrets", "munge_key"]));
        await DureAsync("init", "--secrets");
        Assert.Equal(key, await File.ReadAllTextAsync(_scratch["secrets", "munge_key"], Cancel));

        File.SetUnixFileMode(_scratch["secrets", "munge_key"], UnixFileMode.UserRead | UnixFileMode.OtherRead);
        (code, _, error) = await DureAsync("plan");
        Assert.Equal(ExitCodes.Missing, code);
        Assert.Contains("can be read by others", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_says_what_it_still_needs_and_replaces_no_file()
    {
        var (code, _, error) = await DureAsync("init");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("--layout one, two, four, seven", error, StringComparison.Ordinal);
        (code, _, error) = await DureAsync("init", "--layout", "four", "--machine", "root@203.0.113.1");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("The layout four has 4 machines; --machine names 1.", error, StringComparison.Ordinal);
        (code, _, _) = await DureAsync("init", "--layout", "three");
        Assert.Equal(ExitCodes.Usage, code);
        Write("machines: {}\n");
        (code, _, error) = await DureAsync("init", "--layout", "one", "--machine", "x");
        Assert.Equal(ExitCodes.Conflict, code);
        Assert.Contains("DURE0812", error, StringComparison.Ordinal);
        Assert.Equal("machines: {}\n", await File.ReadAllTextAsync(_scratch["dure.yaml"], Cancel));
    }

    [Fact]
    public async Task A_history_without_applies_is_empty_for_people_and_programs()
    {
        var (code, output, _) = await DureAsync("history", "--format", "json");
        Assert.Equal((0, "[]"), (code, output.Trim()));
        Assert.Equal(0, (await DureAsync("history")).Code);
        Assert.Equal(ExitCodes.NotFound, (await DureAsync("history", "20260101-000000-aaaaaa")).Code);
    }

    private void Write(string text) => File.WriteAllText(_scratch["dure.yaml"], text);

    private async Task<(int Code, string Output, string Error)> DureAsync(params string[] words)
    {
        var start = new ProcessStartInfo(RunningDure.Program, words) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _scratch.Path };
        start.Environment["XDG_STATE_HOME"] = _scratch["state"];
        start.Environment["COLUMNS"] = "200";
        start.Environment.Remove("DURE_CONFIG");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output, await error);
    }
}
