using Dure.Test.Fleet.Apply;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

/// <summary>A package of tests, in an archive that both machines have on their own disks, and a service of the role overlay that runs it.</summary>
internal static class Probe
{
    /// <summary>A version that runs.</summary>
    public const string Good = "exec sleep 100007";

    public static readonly string[] Machines = ["n1", "n2"];

    /// <summary>Both machines have version 1 of the probe and run it, by their roles.</summary>
    public static async Task PrepareAsync(ApplyLab lab, string roles, string vip = "")
    {
        await lab.ResetAsync();
        foreach (var machine in Machines)
            await lab.ShellAsync(machine, "rm -rf /srv/probe; mkdir -p /srv/probe; echo 'deb [trusted=yes] file:/srv/probe ./' >/etc/apt/sources.list.d/probe.list; dpkg --purge dure-probe");
        await PublishAsync(lab, "1", Good);
        lab.Files("overlay/all/etc/systemd/system/probe.service", Overlays.Service("/usr/lib/dure-probe/run"));
        lab.Fleet(roles, roles, "roles: {overlay: {packages: dure-probe}}", vip);
        foreach (var machine in Machines)
            await lab.ShellAsync(machine, "apt-get -qq update");
        await lab.GoodAsync("apply", "--yes");
    }

    /// <summary>Puts a version of the probe into the archive of both machines.</summary>
    public static async Task PublishAsync(ApplyLab lab, string version, string run, string postinst = ":", string forget = "none")
    {
        var script =
            $"""
            set -e
            b=$(mktemp -d); chmod 755 $b; mkdir -p $b/DEBIAN $b/usr/lib/dure-probe; cd $b
            printf 'Package: dure-probe\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: a probe\n' >DEBIAN/control
            printf '#!/bin/sh\n%s\n' '{run}' >usr/lib/dure-probe/run
            printf '#!/bin/sh\n%s\n' '{postinst}' >DEBIAN/postinst
            chmod 755 usr/lib/dure-probe/run DEBIAN/postinst
            dpkg-deb --root-owner-group -b $b /srv/probe/dure-probe_{version}_all.deb >/dev/null
            cd /srv/probe; rm -rf $b dure-probe_{forget}_all.deb
            for f in *.deb; do dpkg-deb -f $f; printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' $f $(stat -c %s $f) $(sha256sum $f | cut -c1-64); done >Packages
            """;
        foreach (var machine in Machines)
        {
            var (code, text) = await lab.ShellAsync(machine, script);
            Assert.True(code == 0, text);
        }
    }
}
