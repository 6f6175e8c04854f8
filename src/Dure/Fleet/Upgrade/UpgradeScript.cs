using System.Globalization;
using Dure.Fleet.Apply;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Host.Ssh;

namespace Dure.Fleet.Upgrade;

/// <summary>
/// Writes what upgrades the packages of one machine. It runs there as a unit of its own and not in the session, so it comes to its end, forwards or back, whatever becomes of the
/// session; when it is killed its unit returns to the old packages, and when the machine loses its power the next start does.
/// </summary>
internal static class UpgradeScript
{
    /// <summary>Longest wait until all that ran before runs again, seconds.</summary>
    private const int SteadySeconds = 90;

    /// <param name="withoutWayBack">Also packages of which the installed version is nowhere any more.</param>
    public static string Of(MachineSession machine, IReadOnlyList<PackageChange> changes, string id, string who, bool withoutWayBack)
    {
        var head = Head(id, who);
        var units = string.Join(' ', machine.Desired.Units.Where(unit => unit.State == UnitState.Running && unit.Name.EndsWith(".service", StringComparison.Ordinal)).Select(unit => unit.Name));
        var library = string.Create(CultureInfo.InvariantCulture, $"{ApplyLibrary.Text}UNITS={Shell.Word(units)}; WAYLESS={(withoutWayBack ? "yes" : "no")}; STEADY={SteadySeconds}\nhealthy() {{\n{HealthLoop.Of(machine.Desired.Health)}}}\n{UpgradeLibrary.Text}");
        var plan = string.Concat(changes.Select(change => $"{change.Name}\t{change.Old ?? "-"}\t{change.New}\n"));
        return $"""
            {head}mkdir -p "$W" && chmod 700 $S
            base64 -d >"$W/plan" {Shell.Input(plan)}base64 -d >"$W/run.sh" {Shell.Input($"{head}{library}fresh {machine.Seen.ManifestDigest}\nupgrade\n")}base64 -d >"$W/back.sh" {Shell.Input($"{head}{BackOnly}{library}back\n")}{Run(id, "run", "run.sh", $"-p TimeoutStopSec=1h -p \"ExecStopPost=/bin/sh -c 'sh $W/back.sh >>$W/told 2>&1'\"")}
            """;
    }

    /// <summary>Takes a machine back whose upgrade itself went well, because something else did not.</summary>
    public static string Back(string id, string who) => Head(id, who) + Run(id, "again", "back.sh again", "");

    // One that ended, either way, is not taken back by its unit's end or by a start of the machine.
    private const string BackOnly = "[ -e \"$W/begun\" ] && { [ \"${1:-}\" = again ] || [ ! -e \"$W/done\" ]; } || exit 0\nflock -w 300 $S/lock true\n";

    private static string Head(string id, string who) => $"S={MachineTarget.StateFolder}; ID={id}; U=$S/applies/$ID; W=$S/upgrades/$ID; WHO={Shell.Word(who)}\n";

    /// <summary>Starts it and tells what it says until it ends.</summary>
    private static string Run(string id, string kind, string script, string more) => $$"""
        T=$W/told; : >"$T"
        systemd-run --quiet --collect --unit=dure-upgrade-{{id}}-{{kind}} {{more}} sh -c "exec sh $W/{{script}} >$T 2>&1" || exit 1
        p=$(systemctl show -p MainPID --value dure-upgrade-{{id}}-{{kind}}.service)
        case $p in ''|0) ;; *) tail -n +1 -f -s 0.2 --pid="$p" "$T" >/dev/null;; esac
        cat "$T"

        """;
}
