using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>The sandbox as the worker makes it, as somebody without rights. As root the tests become another user first.</summary>
internal static class Bubblewrap
{
    private const uint SomebodyElse = 61870;

    private static bool Root => Environment.UserName == "root";

    /// <summary>A command line that runs what follows in a sandbox. Skips the test where the kernel allows none.</summary>
    public static async Task<List<string>> CommandAsync(params string[] more)
    {
        List<string> command =
        [
            .. Root ? [BuiltRuntimes.Need("setpriv"), "--reuid", Number, "--regid", Number, "--clear-groups"] : Array.Empty<string>(),
            BuiltRuntimes.Need("bwrap"), "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
            "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
            "--tmpfs", "/tmp", "--dir", "/code", "--dir", "/dure/in", "--ro-bind", await BuiltRuntimes.FolderAsync, "/dure/rt",
            "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
        ];
        using var trial = Process.Start(new ProcessStartInfo(command[0], [.. command.Skip(1), "/bin/true"]) { RedirectStandardError = true })!;
        var why = await trial.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await trial.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (trial.ExitCode != 0)
            Assert.Skip("this machine allows no sandbox: " + why.Trim());
        return [.. command, .. more];
    }

    /// <summary>Gives a folder and all in it to whom the sandbox runs as.</summary>
    public static async Task GiveAsync(string folder)
    {
        if (Root)
            await BuiltRuntimes.RunAsync("/bin/chown", ["-R", Number + ":" + Number, folder]);
    }

    private static string Number => SomebodyElse.ToString(CultureInfo.InvariantCulture);
}
