using Dure.Host;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>Machines that do not let anybody in.</summary>
[Collection(ApplyLabs.Name)]
public sealed class ReachTest(ApplyLab lab)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_machines_that_cannot_be_reached_are_named_with_the_reason_of_each()
    {
        // n1 is asked where nobody lives; n2 shows another key than it is known by.
        var config = await File.ReadAllTextAsync(lab.SshConfig, Cancel);
        lab.Files("other_known_hosts", (await File.ReadAllTextAsync(lab.Lab.Folder.KnownHosts, Cancel)).Replace("n1,", "n9,", StringComparison.Ordinal).Replace("n2,", "n8,", StringComparison.Ordinal)
            .Replace("n9,", "n2,", StringComparison.Ordinal));
        lab.Files("other_config", config.Replace(lab.Lab.Folder.KnownHosts, Path.Combine(lab.Folder, "other_known_hosts"), StringComparison.Ordinal)
            .Replace($"HostName {lab.Address("n1")}\n", "HostName 127.0.0.1\n    Port 1\n", StringComparison.Ordinal));
        lab.Fleet("", "");
        Swap(lab.SshConfig, "other_config");
        // Connections from before would still be good: nothing is asked again over them.
        foreach (var verb in new[] { "plan", "drift" })
        {
            var refused = await FreshAsync(verb);
            Assert.Equal(ExitCodes.Unavailable, refused.Code);
            Assert.Contains("DURE0804", refused.Error, StringComparison.Ordinal);
            Assert.Contains("2 machines cannot be asked", refused.Error, StringComparison.Ordinal);
            Assert.Contains("n1: ", refused.Error, StringComparison.Ordinal);
            Assert.Contains("onnection refused", refused.Error, StringComparison.Ordinal);
            Assert.Contains("n2: ", refused.Error, StringComparison.Ordinal);
            Assert.Contains("erification failed", refused.Error, StringComparison.Ordinal);
            Assert.Contains("by hand: ssh -F ", refused.Error, StringComparison.Ordinal);
        }

        lab.Fleet("", "");
        await lab.GoodAsync("plan");
    }

    [Fact]
    public async Task Who_cannot_become_root_is_told_so_and_who_can_applies_as_any_other()
    {
        await lab.ResetAsync();
        await lab.ShellAsync("n2", "id op >/dev/null 2>&1 || useradd -m -s /bin/sh op; mkdir -p ~op/.ssh; cp /root/.ssh/authorized_keys ~op/.ssh/; chown -R op ~op/.ssh; rm -f /etc/sudoers.d/op");
        Overlays.A(lab);
        Swap($"address: {lab.Address("n2")}", $"address: op@{lab.Address("n2")}");
        var refused = await lab.DureAsync("apply", "--yes");
        Assert.Equal(ExitCodes.Denied, refused.Code);
        Assert.Contains("DURE0806", refused.Error, StringComparison.Ordinal);
        Assert.Contains("n2: sudo: a password is required", refused.Error, StringComparison.Ordinal);
        // One machine that cannot be asked, and none is changed.
        Assert.NotEqual("state A", (await lab.ShellAsync("n1", "cat /etc/motd")).Text);

        await lab.ShellAsync("n2", "mv /usr/bin/sudo /usr/bin/sudo.away");
        refused = await lab.DureAsync("plan");
        await lab.ShellAsync("n2", "mv /usr/bin/sudo.away /usr/bin/sudo");
        Assert.Equal(ExitCodes.Denied, refused.Code);

        await lab.ShellAsync("n2", "echo 'op ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/op");
        await lab.GoodAsync("apply", "--yes");
        Assert.Equal(Overlays.ShownA("n2"), (await lab.ShellAsync("n2", Overlays.Show)).Text);
    }

    // A folder of connections of its own, so that none is used again.
    private async Task<Said> FreshAsync(params string[] words)
    {
        var start = lab.Start(words);
        start.Environment["XDG_RUNTIME_DIR"] = "/nowhere";
        start.Environment["HOME"] = Path.Combine(lab.Folder, new string('x', 60));
        using var process = System.Diagnostics.Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        return new(process.ExitCode, await output, await error);
    }

    private void Swap(string from, string to)
    {
        var path = Path.Combine(lab.Folder, "dure.yaml");
        File.WriteAllText(path, File.ReadAllText(path).Replace(from, to, StringComparison.Ordinal));
    }
}
