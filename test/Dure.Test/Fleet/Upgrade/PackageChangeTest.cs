using Dure.Fleet.Upgrade;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

/// <summary>What apt says about an upgrade, read.</summary>
public sealed class PackageChangeTest
{
    [Theory]
    [InlineData("Inst nginx [1.22.1-9] (1.22.1-9+deb12u1 Debian:12.9/stable [amd64])", "nginx", "1.22.1-9", "1.22.1-9+deb12u1")]
    [InlineData("Inst libssl3 [3.0.11-1~deb12u2] (3.0.15-1~deb12u1 Debian:12.9/stable, Debian-Security:12/stable-security [amd64]) []", "libssl3", "3.0.11-1~deb12u2", "3.0.15-1~deb12u1")]
    [InlineData("Inst mariadb-server [1:10.11.3-1] (1:10.11.6-0+deb12u1 Debian:12.9/stable [all]) [mariadb-client:amd64 ]", "mariadb-server", "1:10.11.3-1", "1:10.11.6-0+deb12u1")]
    [InlineData("Inst libc6:i386 [2.36-9] (2.36-9+deb12u4 Debian:12.9/stable [i386])", "libc6:i386", "2.36-9", "2.36-9+deb12u4")]
    [InlineData("Inst libstdc++6 [12.2.0-1] (12.2.0-14 dure-lab [amd64])", "libstdc++6", "12.2.0-1", "12.2.0-14")]
    [InlineData("Inst probe [1] (2  [all])", "probe", "1", "2")]
    [InlineData("Inst libnew2 (1.0-1 Debian:12.9/stable [amd64])", "libnew2", null, "1.0-1")]
    public void A_line_of_apt_names_a_package_with_both_versions(string line, string name, string? old, string @new) =>
        Assert.Equal(new PackageChange(name, old, @new), PackageChanges.Read(line));

    [Theory]
    [InlineData("Conf nginx (1.22.1-9+deb12u1 Debian:12.9/stable [amd64])")]
    [InlineData("Remv libold1 [1.0-1]")]
    [InlineData("Reading package lists...")]
    [InlineData("Inst ")]
    [InlineData("Inst $(reboot) [1] (2 x [all])")]
    [InlineData("")]
    public void Any_other_line_names_none(string line) => Assert.Null(PackageChanges.Read(line));

    [Fact]
    public void Only_the_packages_that_are_named_are_asked_for()
    {
        Assert.Contains("--only-upgrade install \"$@\"", PackageChanges.Script(["nginx", "curl"]), StringComparison.Ordinal);
        Assert.Contains("names='nginx curl'", PackageChanges.Script(["nginx", "curl"]), StringComparison.Ordinal);
        Assert.Contains(" upgrade 2>&1", PackageChanges.Script(null), StringComparison.Ordinal);
    }
}
