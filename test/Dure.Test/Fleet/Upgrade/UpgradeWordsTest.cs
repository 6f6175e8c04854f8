using System.Diagnostics;
using Dure.Host;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

/// <summary>What people say wrong to <c>dure upgrade</c>, and what they are told. No machine is needed.</summary>
public sealed class UpgradeWordsTest : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("DURE0814", ExitCodes.Usage, "--dure", "--packages")]
    [InlineData("DURE0814", ExitCodes.Usage, "--blue-green")]
    [InlineData("DURE0820", ExitCodes.Conflict, "--packages", "nginx", "--blue-green")]
    [InlineData("DURE0802", ExitCodes.NotFound, "--machine", "alhpa")]
    [InlineData("--watch", ExitCodes.Usage, "--packages", "--blue-green", "--watch", "soon")]
    public async Task Words_that_do_not_go_together_are_told_before_anything_is_asked(string said, int code, params string[] words)
    {
        await File.WriteAllTextAsync(_scratch["dure.yaml"], "machines:\n  alpha: {address: 203.0.113.1, roles: [web]}\n  beta: {address: 203.0.113.2, roles: [web]}\n", TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo(RunningDure.Program, ["upgrade", .. words]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _scratch.Path };
        start.Environment["COLUMNS"] = "200";
        start.Environment.Remove("DURE_CONFIG");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((code, ""), (process.ExitCode, await output));
        Assert.Contains(said, await error, StringComparison.Ordinal);
    }
}
