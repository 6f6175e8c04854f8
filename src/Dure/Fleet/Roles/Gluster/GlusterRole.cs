using System.Globalization;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Gluster;

/// <summary>Three machines that each hold a copy of the fleet's shared files. Whoever has two of them reads and writes.</summary>
internal static class GlusterRole
{
    public const string Name = "gluster";

    public static readonly Setting<string> Mount = SettingKinds.Folder("gluster.mount", "/srv/shared", "Where the shared files are found, on every machine with gluster or gluster-client.");

    public static readonly Setting<string> Brick = SettingKinds.Folder("gluster.brick", "/srv/gluster", "Where each of the three machines keeps its copy: a disk of its own if there is one.");

    public static readonly Setting<TimeSpan> PingTimeout = SettingKinds.Duration("gluster.ping_timeout", "3s", "1s", "1m",
        "A machine that does not answer for this long is left out; until then every access waits.");

    public static readonly RoleKind Kind = new(Name, "Shared files in three copies (GlusterFS), mounted on the machines that hold them.", Build)
    {
        Settings = [Mount, Brick, PingTimeout],
        Ports = static _ =>
        [
            new(24007, "tcp", "GlusterFS management", Reach.Roles) { From = [Name, GlusterClientRole.Name] },
            new(BrickPort, "tcp", "GlusterFS copies", Reach.Roles) { Through = BrickPort + BrickPorts - 1, From = [Name, GlusterClientRole.Name] },
        ],
        Services = static _ =>
        [
            new("Shared files", "files", new Condition.MajorityOf(Name))
            {
                Note = "Of three copies two must be there; a machine that comes back is brought up to date by itself.",
            },
        ],
        Demand = static _ => new(0.2, 512L << 20, 10L << 30),
        Data = ["/srv/gluster", "/var/lib/glusterd"],
        Check = GlusterChecks.Find,
        Rolling = true,
    };

    private const string Script = "/usr/local/lib/dure/gluster-volume";

    // GlusterFS 10 and later take a random port up to 60999 for a copy, which no firewall could know.
    private const int BrickPort = 49152;
    private const int BrickPorts = 8;

    private static void Build(RoleScope scope)
    {
        scope
            .Package("glusterfs-server", "glusterfs-client")
            .Folder(scope.Get(Brick), "0700")
            .File("/etc/glusterfs/glusterd.vol", Daemon())
            .Unit("glusterd.service", with: static unit => unit with { RestartOn = ["/etc/glusterfs/glusterd.vol"] });
        if (scope.IsFirst)
        {
            scope.File(Script, Create(scope.Fleet), static file => file with { Mode = "0755" });
            GlusterMount.Build(scope, "", $"{Script} && systemctl start {GlusterMount.Unit}");
            Options(scope);
        }
        else
        {
            GlusterMount.Build(scope, Started, "");
        }

        // The next machine is changed only when this one has every write that it missed.
        scope.Healthy(
            "copies are equal",
            $"gluster volume heal {GlusterMount.Volume} info | awk '/^Number of entries: [0-9]/ {{ known++; left += $4 }} END {{ if (known < 3 || left > 0) {{ print known + 0 \" of 3 copies answer, \" left + 0 \" files are behind\"; exit 1 }} }}'",
            300);
    }

    private static string Started => $"gluster volume info {GlusterMount.Volume} | grep -q '^Status: Started'";

    private static void Options(RoleScope scope)
    {
        var seconds = ((int)Math.Ceiling(scope.Get(PingTimeout).TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        Option(scope, $"a machine that does not answer is left out after {seconds} s", "network.ping-timeout", seconds);
        // What a machine missed is looked for every 30 s, not every 10 minutes: until then a second loss would stop the files.
        Option(scope, "copies are compared every 30 s", "cluster.heal-timeout", "30");
        // A write counts when two of three copies have it. When machines went away one upon the other, a file can be another one on the third: without this it stays so until a person decides.
        Option(scope, "what one copy alone has gives way to what two have", "cluster.favorite-child-policy", "majority");
    }

    private static void Option(RoleScope scope, string name, string option, string value) => scope.Step(
        name,
        $"gluster volume info {GlusterMount.Volume} | grep -qx '{option}: {value}'",
        $"gluster --mode=script volume set {GlusterMount.Volume} {option} {value}");

    private static string Daemon() => string.Create(CultureInfo.InvariantCulture, $"""
        volume management
            type mgmt/glusterd
            option working-directory /var/lib/glusterd
            option transport-type socket
            option transport.socket.keepalive-time 10
            option transport.socket.keepalive-interval 2
            option transport.socket.read-fail-log off
            option transport.socket.listen-port 24007
            option ping-timeout 0
            option event-threads 1
            option base-port {BrickPort}
            option max-port {BrickPort + BrickPorts - 1}
        end-volume

        """);

    /// <summary>The script that makes the volume once its machines answer. What exists is left as it is.</summary>
    private static string Create(FleetModel fleet)
    {
        var members = fleet.With(Name).Select(member => fleet.AddressOf(member).ToString()).ToList();
        var bricks = members.Select(address => $"{address}:{fleet.Get(Brick)}/{GlusterMount.Volume}");
        var replica = members.Count > 1 ? $"replica {members.Count} " : "";
        return string.Create(CultureInfo.InvariantCulture, $$"""
            #!/bin/sh
            # Makes the fleet's volume when all machines that hold it answer. Safe to repeat.
            set -eu
            again() {
              tries=0
              until "$@"; do
                tries=$((tries + 1))
                [ "$tries" -lt 150 ] || exit 1
                sleep 0.5
              done
            }
            together() {
              [ "$(gluster pool list | grep -cw Connected)" -ge {{members.Count}} ]
            }
            if ! gluster volume info {{GlusterMount.Volume}} > /dev/null 2>&1; then
              for peer in {{string.Join(' ', members.Skip(1))}}; do
                again gluster --mode=script peer probe "$peer"
              done
              again together
              again gluster --mode=script volume create {{GlusterMount.Volume}} {{replica}}{{string.Join(' ', bricks)}} force
            fi
            {{Started}} || again gluster --mode=script volume start {{GlusterMount.Volume}}

            """);
    }
}
