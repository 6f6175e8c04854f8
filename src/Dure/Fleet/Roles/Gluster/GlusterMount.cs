using System.Globalization;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Gluster;

/// <summary>
/// The volume's mount, the same on the machines that hold it and on those that only use it. It is a service and not a mount unit: systemd does not try a mount
/// again, and after a power cut of all machines the volume answers only when two of them are back.
/// </summary>
internal static class GlusterMount
{
    /// <summary>The one volume of the fleet.</summary>
    public const string Volume = "shared";

    /// <summary>The service that holds the mount.</summary>
    public const string Unit = "dure-gluster-mount.service";

    private const string UnitFile = "/etc/systemd/system/" + Unit;

    /// <param name="waitFor">What must hold before it is started.</param>
    /// <param name="start">Shell commands instead of a plain start; empty for a plain one.</param>
    public static void Build(RoleScope scope, string waitFor, string start)
    {
        var path = scope.Get(GlusterRole.Mount);
        scope
            .File(UnitFile, Text(scope.Fleet, scope.Machine, path))
            .Unit(Unit, with: unit => unit with { RestartOn = [UnitFile], WaitFor = waitFor, Start = start, StartLimit = TimeSpan.FromSeconds(120) })
            .Healthy("shared files answer", $"mountpoint -q {path} && timeout 10 stat -f {path} > /dev/null", 60);
    }

    private static string Text(FleetModel fleet, Machine machine, string path)
    {
        // The machine's own copy of the volume's description is asked first.
        var servers = fleet.With(GlusterRole.Name).OrderBy(member => member == machine ? 0 : 1).Select(member => $"--volfile-server={fleet.AddressOf(member)}");
        return string.Create(CultureInfo.InvariantCulture, $"""
            [Unit]
            Description=Shared files of the fleet at {path}
            Wants=network-online.target
            After=network-online.target glusterd.service
            StartLimitIntervalSec=0

            [Service]
            ExecStartPre=-/bin/umount -l {path}
            ExecStartPre=/bin/mkdir -p {path}
            ExecStart=/usr/sbin/glusterfs --no-daemon --process-name fuse {string.Join(' ', servers)} --volfile-id=/{Volume} {path}
            ExecStartPost=/bin/sh -c 'until mountpoint -q {path}; do sleep 0.1; done'
            ExecStopPost=-/bin/umount -l {path}
            TimeoutStartSec=30
            Restart=always
            RestartSec=1

            [Install]
            WantedBy=multi-user.target

            """);
    }
}
