using Dure.Host;
using Dure.Test.Fleet.Apply;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

/// <summary>Dure itself, played by a small program that answers as its server does: one build that is good, one that does not start, and one that hurts another role.</summary>
[Collection(UpgradeLabs.Name)]
public sealed class UpgradeDureTest(ApplyLab lab)
{
    private const string Serve = "exec python3 -m http.server 7070 --bind 0.0.0.0 --directory /opt/dure/www";

    private const string Asked = "curl -fsS --retry 3 --retry-connrefused http://$(hostname -I | cut -d ' ' -f 1):7070/version";

    [Fact]
    public async Task Another_build_comes_and_one_that_is_not_well_or_makes_others_unwell_goes_again()
    {
        await lab.ResetAsync();
        Build("1", Serve);
        lab.Fleet("dure, munge", "", $"roles: {{dure: {{build: {Path.Combine(lab.Folder, "build")}, packages: psmisc}}}}");
        Assert.Contains("nothing to upgrade", (await lab.GoodAsync("upgrade", "--dure")).Output, StringComparison.Ordinal);
        await lab.GoodAsync("apply", "--yes");

        Build("2", Serve);
        Assert.Contains("~ Dure  (another build than the one here)", (await lab.GoodAsync("upgrade")).Output, StringComparison.Ordinal);
        Assert.Equal("1", (await lab.ShellAsync("n1", Asked)).Text);
        Assert.Contains("n1: upgraded", (await lab.GoodAsync("upgrade", "--dure", "--yes")).Output, StringComparison.Ordinal);
        Assert.Equal("2", (await lab.ShellAsync("n1", Asked)).Text);

        foreach (var (run, said) in new[] { ("echo no luck today; exit 2", "no luck today"), ($"systemctl stop munge; {Serve}", "n1: munge signs and reads is not so") })
        {
            Build("3", run);
            var bad = await lab.DureAsync("upgrade", "--dure", "--yes");
            await lab.ShellAsync("n1", "systemctl start munge");
            Assert.Equal(ExitCodes.Failed, bad.Code);
            Assert.Contains("DURE0818", bad.Error, StringComparison.Ordinal);
            Assert.Contains(said, bad.Error, StringComparison.Ordinal);
            Assert.Equal("2", (await lab.ShellAsync("n1", Asked)).Text);
        }

        // It is known that another build runs there than the one here.
        Assert.Contains("~ Dure", (await lab.GoodAsync("upgrade", "--dure", "--dry-run")).Output, StringComparison.Ordinal);
        await lab.ResetAsync();
    }

    /// <summary>Makes the build that dure.build names.</summary>
    private void Build(string version, string run)
    {
        // It says that it brings its own runtime.
        lab.Files("build/libcoreclr.so", "");
        lab.Files("build/www/version", version);
        lab.Files("build/www/api/health", "{\"checks\": [{\"name\": \"worker\", \"status\": \"ok\"}]}");
        lab.Files("build/dure", $"#!/bin/sh\n{run}\n");
        File.SetUnixFileMode(Path.Combine(lab.Folder, "build", "dure"), (UnixFileMode)0b111_101_101);
    }
}
