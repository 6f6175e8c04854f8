using System.Globalization;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Gluster;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>slurmctld: the first machine with the role leads, the next waits and takes over. What they must both know lies in a folder that both see.</summary>
internal static class SlurmControllerRole
{
    public const string Name = "slurm-controller";

    public const int Port = 6817;

    public static readonly RoleKind Kind = new(Name, "Slurm's queue: slurmctld, one that leads and one that takes over, with their state on shared files.", Build)
    {
        Settings = [SlurmSettings.Cluster, SlurmSettings.ControllerTimeout, SlurmSettings.State, SlurmSettings.Partition],
        Secrets = SlurmConfiguration.Secrets,
        Ports = static _ => [new(Port, "tcp", "slurmctld", Reach.Roles) { From = SlurmClientRole.Speakers }, .. SlurmClientRole.SubmitPorts],
        Services = static fleet =>
        [
            new("Slurm", "slurmctld", new Condition.Both([.. Works(fleet)]))
            {
                Note = "Running jobs go on meanwhile. Slurm writes its queue up to 5 s after it answers: what was submitted in the last seconds before a power cut has to be submitted again.",
            },
        ],
        Needs = [SlurmNodeRole.Name],
        Includes = [SlurmClientRole.Name],
        Demand = static _ => new(0.2, 256L << 20, 1L << 30),
        Data = ["/srv/shared/slurm-state"],
        Check = SlurmChecks.Controllers,
        Rolling = true,
        // The first that answers is the one that leads: a controller that took over steps back as soon as one before it is there.
        Leads = "timeout 20 scontrol ping | awk '/ is UP/ { print $3; exit }' | grep -qx \"$(hostname -s)\"",
    };

    private const string Unit = "/etc/systemd/system/slurmctld.service.d/dure.conf";
    private const string HandOver = "/usr/local/lib/dure/slurmctld-hand-over";
    private const string Watch = "/usr/local/lib/dure/slurmctld-watch";
    private const string WatchUnit = "dure-slurmctld-watch.service";
    private const string WatchFile = "/etc/systemd/system/" + WatchUnit;

    private static IEnumerable<Condition> Works(FleetModel fleet)
    {
        yield return new Condition.AnyOf(Name);
        var sources = SlurmConfiguration.Controllers(fleet).Select(controller => StateFolder.Of(fleet, controller, fleet.Get(SlurmSettings.State)).Source).ToHashSet();
        if (sources.Contains(FolderSource.Gluster))
            yield return new Condition.MajorityOf(GlusterRole.Name);
        if (sources.Contains(FolderSource.Nfs))
            yield return new Condition.AnyOf(Nfs.NfsRole.Name);
    }

    private static void Build(RoleScope scope)
    {
        var state = scope.Get(SlurmSettings.State);
        var several = scope.Members.Count > 1;
        if (several)
            Pair(scope);

        scope
            .Package("slurmctld")
            .File(Unit, UnitText(scope.Fleet, scope.Machine, state, several))
            .Unit("slurmctld.service", with: unit => unit with
            {
                RestartOn = [SlurmConfiguration.Main, SlurmConfiguration.Gres, Unit],
                ReloadOn = [SlurmConfiguration.Tuning],
                WaitFor = Ready(scope, state),
                StartLimit = TimeSpan.FromSeconds(180),
            });
        if (several)
            scope.Unit(WatchUnit, with: static unit => unit with { RestartOn = [Watch, WatchFile] });
        scope
            .Step(
                "the state holds what is counted",
                // Slurm writes it after minutes; a controller that takes over before that, while the accounting is away, would end at once.
                $"[ -s {state}/last_tres ]",
                $"timeout 20 scontrol reconfigure; tries=0; until [ -s {state}/last_tres ]; do tries=$((tries + 1)); [ \"$tries\" -lt 40 ]; sleep 0.5; done")
            .Healthy(
                "the controller answers",
                $"timeout 20 scontrol ping | grep -q ' at {scope.Machine.Name} is UP' || {{ echo \"no controller called {scope.Machine.Name} answers; this machine calls itself $(hostname -s)\"; exit 1; }}",
                60);
    }

    /// <summary>What a machine needs when its controller is one of several.</summary>
    private static void Pair(RoleScope scope) => scope
        .File(HandOver, """
            #!/bin/sh
            # The machine is going down and its controller leads: the next one takes over now, and not when this one is missed.
            [ "$(systemctl is-system-running)" = stopping ] || exit 0
            timeout 10 scontrol ping | awk '/ is UP/ { print $3; exit }' | grep -qx "$(hostname -s)" || exit 0
            timeout 15 scontrol takeover || true

            """, static file => file with { Mode = "0755" })
        .File(Watch, string.Create(CultureInfo.InvariantCulture, $$"""
            #!/bin/sh
            # A controller can hang while it hands the queue back to one that returned: it neither leads nor waits, the other waits for it for half a minute, and nobody would take
            # over the next time. One that does not listen while the other asks it for control is ended after a few seconds, what it had to write is written; any that does not
            # listen for a minute too. systemd starts it again.
            silent=0
            asked=0
            while sleep 1; do
              if [ "$(systemctl is-active slurmctld.service)" != active ] || ss -Hltn 'sport = :{{Port}}' | grep -q .; then
                silent=0
                asked=0
                continue
              fi
              silent=$((silent + 1))
              if ss -Htn state established 'sport = :{{Port}}' | grep -qE '(^|[^0-9])({{Others(scope)}})\]?:'; then asked=$((asked + 1)); fi
              if [ "$silent" -ge 60 ] || [ "$asked" -ge 5 ]; then
                echo "slurmctld did not listen for $silent s and is started again"
                systemctl kill --signal=KILL slurmctld.service
                silent=0
                asked=0
              fi
            done

            """), static file => file with { Mode = "0755" })
        .File(WatchFile, $"""
            [Unit]
            Description=Starts a Slurm controller again that hangs
            After=slurmctld.service

            [Service]
            ExecStart={Watch}
            Restart=always

            [Install]
            WantedBy=multi-user.target

            """);

    private static string Others(RoleScope scope) => string.Join('|', scope.Members.Where(member => member != scope.Machine).Select(member => scope.AddressOf(member).ToString().Replace(".", "[.]", StringComparison.Ordinal)));

    /// <summary>The first time slurmctld must learn from slurmdbd what is counted, or it ends at once; later it knows it from its state.</summary>
    private static string Ready(RoleScope scope, string state)
    {
        var accounts = scope.Fleet.With(SlurmDbRole.Name).Select(machine =>
            string.Create(CultureInfo.InvariantCulture, $"timeout 1 bash -c '</dev/tcp/{scope.AddressOf(machine)}/{SlurmDbRole.Port}'")).ToList();
        return accounts.Count == 0 ? "" : $"[ -s {state}/last_tres ] || {string.Join(" || ", accounts)}";
    }

    private static string UnitText(FleetModel fleet, Machine machine, string state, bool several)
    {
        var folder = StateFolder.Of(fleet, machine, state);
        var needs = folder.Source switch
        {
            FolderSource.Gluster => $"Wants={GlusterMount.Unit}\nAfter={GlusterMount.Unit}\n",
            FolderSource.Local => "",
            _ => $"RequiresMountsFor={state}\n",
        };
        // Without the mount it would begin an empty queue on the machine's own disk.
        var mounted = folder.Source is FolderSource.Local || (folder.Source is FolderSource.Nfs && machine.Has(Nfs.NfsRole.Name))
            ? ""
            : $"ExecStartPre=+/usr/bin/mountpoint -q {folder.Mount}\n";
        return string.Create(CultureInfo.InvariantCulture, $"""
            [Unit]
            {needs}StartLimitIntervalSec=0

            [Service]
            {mounted}ExecStartPre=+/usr/bin/install -d -o slurm -g slurm -m 0755 {state}
            {(several ? $"ExecStop=-{HandOver}\n" : "")}Restart=on-failure
            RestartSec=1

            """);
    }
}
