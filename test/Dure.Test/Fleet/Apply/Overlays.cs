namespace Dure.Test.Fleet.Apply;

/// <summary>Overlays that tests apply: two states of the same machines.</summary>
internal static class Overlays
{
    public const string Config = "/etc/dure-test/one.conf";
    public const string Motd = "/etc/motd";

    public static string Service(string command) => $"[Unit]\nDescription=A service of a test\n[Service]\nExecStart={command}\n[Install]\nWantedBy=multi-user.target\n";

    /// <summary>One service, two files, a script.</summary>
    public static void A(ApplyLab lab)
    {
        lab.Clear();
        lab.Files("overlay/all/etc/motd", "state A\n");
        lab.Files("overlay/all/etc/dure-test/one.conf", "state = A\n");
        lab.Files("overlay/all/etc/dure-test/only-a.conf", "only A\n");
        lab.Files("overlay/all/etc/systemd/system/one.service", Service("/bin/sleep 100001"));
        lab.Files("overlay/n1/etc/dure-test/mine.conf", "n1 in A\n");
        lab.Fleet("overlay", "overlay", "roles: {overlay: {packages: psmisc}}");
    }

    /// <summary>The service with another command, a second one, other files, and no package.</summary>
    public static void B(ApplyLab lab)
    {
        lab.Clear();
        lab.Files("overlay/all/etc/motd", "state B\n");
        lab.Files("overlay/all/etc/dure-test/one.conf", "state = B\n");
        lab.Files("overlay/all/etc/dure-test/only-b.conf", "only B\n");
        lab.Files("overlay/all/etc/systemd/system/one.service", Service("/bin/sleep 100002"));
        lab.Files("overlay/all/etc/systemd/system/two.service", Service("/bin/sleep 100003"));
        lab.Fleet("overlay", "overlay");
    }

    /// <summary>What a machine shows of the state, in one text; empty lines where something is not there.</summary>
    public const string Show =
        """
        cat /etc/motd /etc/dure-test/one.conf; ls /etc/dure-test
        for u in one two; do systemctl is-active $u.service; systemctl is-enabled $u.service 2>/dev/null; systemctl show -p ExecStart --value $u.service | grep -o 'sleep [0-9][0-9]*' | head -n 1; done
        dpkg-query -W -f '${db:Status-Status}\n' psmisc 2>/dev/null | grep -x installed
        """;

    /// <summary>What must not be left anywhere.</summary>
    public const string Left =
        """
        find / -xdev -name '*.dure-new*' -not -path '/proc/*' 2>/dev/null
        ls /usr/sbin/policy-rc.d /var/lib/dure-fleet/manifest.next /var/lib/dure-fleet/original.new 2>/dev/null
        systemctl list-units --no-legend --plain 'dure-undo-*'
        dpkg --audit
        flock -n /var/lib/dure-fleet/lock true || echo 'the lock is held'
        """;

    public static string ShownA(string machine) =>
        $"state A\nstate = A\nhere\n{(machine == "n1" ? "mine.conf\n" : "")}one.conf\nonly-a.conf\nactive\nenabled\nsleep 100001\ninactive\ninstalled";

    public const string ShownB = "state B\nstate = B\nhere\none.conf\nonly-b.conf\nactive\nenabled\nsleep 100002\nactive\nenabled\nsleep 100003";
}
