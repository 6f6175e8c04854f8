using System.Globalization;
using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Fleet.Plan;
using Dure.Host.Ssh;

namespace Dure.Fleet.Apply;

/// <summary>Writes the script that carries a machine's plan out. Every change is on its own: it begins, it is done or it failed, and a failure puts back all that this apply replaced.</summary>
internal static class ApplyScript
{
    /// <summary>How long a change that may cut the machine off waits for a fresh session to confirm it.</summary>
    public static readonly TimeSpan ConfirmLimit = TimeSpan.FromSeconds(20);

    private const string UndoAtBoot = "/etc/systemd/system/dure-undo-boot.service";
    private const string UndoWanted = "/etc/systemd/system/multi-user.target.wants/dure-undo-boot.service";

    /// <param name="id">This apply's name: letters, digits and dashes.</param>
    /// <param name="who">Who applies, from where; shown to others who want to apply meanwhile.</param>
    /// <param name="seen">What the plan was made from; when another apply was there since, nothing is done.</param>
    public static string Of(MachinePlan plan, Lowered desired, Observation seen, string id, string who)
    {
        var script = new StringBuilder();
        script.Append(CultureInfo.InvariantCulture, $"S={MachineTarget.StateFolder}; ID={id}; U=$S/applies/$ID; WHO={Shell.Word(who)}\n").Append(ApplyLibrary.Text);
        script.Append(CultureInfo.InvariantCulture, $"fresh {seen.ManifestDigest}\n");
        script.Append("[ ! -f $S/manifest ] || cp $S/manifest \"$U/manifest.before\"\n");
        script.Append(CultureInfo.InvariantCulture, $"put $S/manifest.next 0600 root root '' {Shell.Input(plan.Manifest.Text)}");
        script.Append(CultureInfo.InvariantCulture, $"put $S/manifest 0600 root root '' {Shell.Input(Manifest.During(seen.Manifest, plan.Manifest).Text)}");
        var guarded = false;
        // What goes for good comes last, and goes only when all that was started has stayed and is healthy: until then everything can be put back.
        var lasting = plan.Changes.TakeWhile(change => !change.IsForGood).Count();
        for (var i = 0; i < lasting; i++)
        {
            if (plan.Changes[i].Guarded && !guarded)
            {
                guarded = true;
                Guard(script, id, i);
            }

            Carry(script, plan.Changes, i);
        }

        if (guarded)
            Confirm(script);
        script.Append("stayed\n");
        Health(script, plan, desired);
        for (var i = lasting; i < plan.Changes.Count; i++)
            Carry(script, plan.Changes, i);
        script.Append("mv -f $S/manifest.next $S/manifest\n");
        script.Append(CultureInfo.InvariantCulture, $"put \"$U/summary\" 0600 root root '' {Shell.Input(Summary(plan, who))}");
        foreach (var path in plan.Changes.Select(change => Forgotten(change.Act)).OfType<string>())
            script.Append(CultureInfo.InvariantCulture, $"forget {Shell.Word(path)}\n");
        // The last twenty applies can be looked at; what they replaced is kept no longer than that.
        script.Append("ls -1t $S/applies | tail -n +21 | while read -r old; do rm -rf -- \"$S/applies/$old\"; done\n");
        script.Append("printf 'applied\\n'\n");
        return script.ToString();
    }

    private static void Carry(StringBuilder script, IReadOnlyList<Change> changes, int at) =>
        script.Append(CultureInfo.InvariantCulture, $"begin {at}\n( set -e\n{Before(changes, at)}{(Reread(changes, at) ? ":\n" : Do(changes[at].Act))}) >\"$U/log\" 2>&1\nended {at} $?\n");

    /// <summary>What is the fleet's no more, and needs no way back to what was there before.</summary>
    private static string? Forgotten(Act act) => act switch
    {
        Act.RestoreFile restore => restore.Path,
        Act.RemoveFolder folder => folder.Path,
        Act.RemoveTree tree => tree.Path,
        _ => null,
    };

    private static string Summary(MachinePlan plan, string who) => $"{who}\n" + string.Concat(plan.Changes.Select(change => $"{change.Sign} {change.What}{(change.Why.Length > 0 ? $" ({change.Why})" : "")}\n"));

    /// <summary>From here on the machine undoes what follows by itself, unless it is told within the limit that somebody still gets in.</summary>
    private static void Guard(StringBuilder script, string id, int first)
    {
        var seconds = (int)ConfirmLimit.TotalSeconds + 5;
        script.Append(CultureInfo.InvariantCulture, $$"""
            M=$U; U=$U/guarded; mkdir -p "$U/files" "$U/units"
            unguard() { systemctl stop dure-undo-{{id}}.timer 2>/dev/null; rm -f {{UndoAtBoot}} {{UndoWanted}}; }
            cat >"$U/undo.sh" <<'UNDO'
            S={{MachineTarget.StateFolder}}; U=$S/applies/{{id}}/guarded
            if [ ! -e "$U/confirmed" ]; then
              for f in $(ls "$U/files" | grep undo | sort -rn); do sh "$U/files/$f"; done
              systemctl daemon-reload
              for f in "$U"/units/*; do [ -f "$f" ] && sh "$f"; done
              : >"$U/undone"
            fi
            # After a boot nothing of this apply runs any more.
            [ "${1:-}" != boot ] || rm -f $S/manifest.next
            rm -f {{UndoAtBoot}} {{UndoWanted}}
            UNDO
            # The timer goes with the machine's power.
            printf '[Unit]\nDescription=Undoes what nobody had confirmed when this machine went down\nAfter=network.target nftables.service dure-firewall.service\n[Service]\nType=oneshot\nExecStart=/bin/sh %s boot\n' "$U/undo.sh" >{{UndoAtBoot}}
            mkdir -p {{Path.GetDirectoryName(UndoWanted)}}; ln -sf {{UndoAtBoot}} {{UndoWanted}}; sync {{UndoAtBoot}} "$U/undo.sh"
            systemd-run --quiet --collect --on-active={{seconds}}s --timer-property=AccuracySec=200ms --unit=dure-undo-{{id}} sh "$U/undo.sh" >"$U/log" 2>&1 || ended {{first}} $?

            """);
    }

    private static void Confirm(StringBuilder script)
    {
        var seconds = (int)ConfirmLimit.TotalSeconds;
        script.Append(CultureInfo.InvariantCulture, $$"""
            printf 'confirm\t%s\n' "$U/confirmed"
            end=$(($(date +%s)+{{seconds}}))
            until [ -e "$U/confirmed" ]; do
              if [ "$(date +%s)" -gt $end ] || [ -e "$U/undone" ]; then
                undo >"$M/undo.log" 2>&1
                printf 'cutoff\n'; exit 1
              fi
              sleep 0.2
            done
            unguard
            U=$M; M=

            """);
    }

    /// <summary>All checks at once, each until it passes or its time is over. Only a role that was changed is put back when it does not become healthy.</summary>
    private static void Health(StringBuilder script, MachinePlan plan, Lowered desired)
    {
        if (desired.Health.Count == 0)
            return;
        for (var i = 0; i < desired.Health.Count; i++)
        {
            var check = desired.Health[i];
            script.Append(CultureInfo.InvariantCulture, $"cat >\"$U/health.{i}\" <<'DURE_CHECK'\n{check.Command}\nDURE_CHECK\n");
            script.Append(CultureInfo.InvariantCulture, $$"""
                ( s=$(date +%s%3N); i=0
                  while :; do
                    o=$(timeout -k 2 10 sh "$U/health.{{i}}" 2>&1 9>&-); r=$?; t=$(($(date +%s%3N)-s))
                    if [ $r = 0 ]; then printf 'healthy\t{{i}}\t%s\n' $t; exit 0; fi
                    [ $t -lt {{(long)check.Limit.TotalMilliseconds}} ] || { : >"$U/unhealthy.{{i}}"; printf 'unhealthy\t{{i}}\t%s\t%s\n' $t "$(printf %s "$o" | tail -c 600 | packed)"; exit 1; }
                    sleep 0.3
                  done ) &

                """);
        }

        var changed = plan.Changes.Select(change => change.Role).ToHashSet(StringComparer.Ordinal);
        var mine = Enumerable.Range(0, desired.Health.Count).Where(i => changed.Contains(desired.Health[i].Role)).Select(i => $"\"$U/unhealthy.{i.ToString(CultureInfo.InvariantCulture)}\"").ToList();
        script.Append("wait\n");
        if (mine.Count > 0)
            script.Append(CultureInfo.InvariantCulture, $"for f in {string.Join(' ', mine)}; do if [ -e \"$f\" ]; then undo >\"$U/undo.log\" 2>&1; printf 'undone\\t%s\\n' \"$(tail -c 1500 \"$U/undo.log\" | packed)\"; exit 1; fi; done\n");
    }

    /// <summary>What comes before a change itself. Units that start one after the other are made ready together, by the first of them, so that systemd reads all its units once.</summary>
    private static string Before(IReadOnlyList<Change> changes, int at)
    {
        if (Starting(changes, at) is null || (at > 0 && Starting(changes, at - 1) is not null && !FirstGuarded(changes, at)))
            return "";
        var units = new List<string>();
        for (var i = at; i < changes.Count && Starting(changes, i) is { } unit && (i == at || !FirstGuarded(changes, i)); i++)
            units.Add(unit);
        return $"ready {(at > 0 && Reread(changes, at - 1) ? "reread" : "''")} {string.Join(' ', units)}\n";
    }

    /// <summary>systemd is to read its units, which the start that follows sees to.</summary>
    private static bool Reread(IReadOnlyList<Change> changes, int at) =>
        changes[at].Act is Act.ReadUnits && at + 1 < changes.Count && Starting(changes, at + 1) is not null && !FirstGuarded(changes, at + 1);

    private static bool FirstGuarded(IReadOnlyList<Change> changes, int at) => changes[at].Guarded && (at == 0 || !changes[at - 1].Guarded);

    private static string? Starting(IReadOnlyList<Change> changes, int at) => changes[at].Act is Act.StartUnit start ? start.Unit.Name : null;

    private static string Do(Act act) => act switch
    {
        Act.InstallPackages install => $"install {Shell.Words(install.Packages.Select(package => package.Version is { } version ? $"{package.Name}={version}" : package.Name))}\n",
        Act.RemovePackages remove => $"apt -y remove {Shell.Words(remove.Names)}\n",
        Act.MakeUser { User: var user } =>
            $"getent passwd {Shell.Word(user.Name)} >/dev/null || useradd --system --home-dir {Shell.Word(user.Home)} --shell {user.Shell} --no-create-home {(user.Uid is { } uid ? $"--uid {uid.ToString(CultureInfo.InvariantCulture)} " : "")}{Shell.Word(user.Name)}\n"
            + string.Concat(user.Groups.Select(group => $"getent group {Shell.Word(group)} >/dev/null || groupadd --system {Shell.Word(group)}\nusermod -a -G {Shell.Word(group)} {Shell.Word(user.Name)}\n")),
        Act.RemoveUser { Name: var name } => $"! getent passwd {Shell.Word(name)} >/dev/null || userdel {Shell.Word(name)}\n",
        Act.MakeFolder { Folder: var folder } =>
            $"[ -d {Shell.Word(folder.Path)} ] || {{ keep {Shell.Word(folder.Path)}; rm -f -- {Shell.Word(folder.Path)}; mkdir -p {Shell.Word(folder.Path)}; }}\nchown {folder.Owner}:{folder.Group} {Shell.Word(folder.Path)}; chmod {folder.Mode} {Shell.Word(folder.Path)}\n",
        Act.RemoveFolder { Path: var path } => $"rmdir --ignore-fail-on-non-empty -- {Shell.Word(path)}\n",
        Act.WriteFile write => $"put {Shell.Word(write.File.Path)} {write.File.Mode} {write.File.Owner} {write.File.Group} {Shell.Word(write.File.Check)} {Shell.Input(write.Text)}",
        Act.RemoveFile { File.Path: var path } => $"keep {Shell.Word(path)}; rm -rf -- {Shell.Word(path)}\n",
        Act.RestoreFile { IsBlock: true } block => $"unblock {Shell.Word(block.Path)} {Shell.Word(Block.Begin)} {Shell.Word(Block.End)}\n",
        Act.RestoreFile { Path: var path } => $"restore {Shell.Word(path)}\n",
        Act.SendTree { Tree: var tree } => $"keep {Shell.Word(tree.Path)}; rm -rf -- {Shell.Word(tree.Path)}; mv -T -- {Shell.Word(Incoming(tree))} {Shell.Word(tree.Path)}\n",
        Act.RemoveTree { Path: var path } => $"keep {Shell.Word(path)}; rm -rf -- {Shell.Word(path)}\n",
        Act.SetSysctl { Sysctl: var sysctl } => $"printf '%s\\n' {Shell.Word(sysctl.Value)} >/proc/sys/{sysctl.Key.Replace('.', '/')}\n",
        Act.ReadUnits => "systemctl daemon-reload\n",
        Act.StartUnit { Unit: var unit, Stamp: var stamp } => Started(unit, stamp, unit.Start.Length > 0 ? unit.Start : $"systemctl start -- {unit.Name}"),
        Act.RestartUnit { Unit: var unit, Stamp: var stamp } => $"ready '' {unit.Name}\n" + Started(unit, stamp, $"systemctl restart -- {unit.Name}"),
        Act.ReloadUnit { Unit: var unit, Stamp: var stamp } => $"was {unit.Name}; systemctl reload -- {unit.Name} || systemctl restart -- {unit.Name}\nup {unit.Name} {Seconds(unit.StartLimit)}\nstamp {unit.Name} {Shell.Word(stamp)}\n",
        Act.EnableUnit { Unit: var unit } => $"was {unit.Name}; systemctl unmask -- {unit.Name}; systemctl enable -- {unit.Name}\n",
        Act.StopUnit stop => $"was {stop.Name}; systemctl disable --now -- {stop.Name} || systemctl stop -- {stop.Name} || :\nrm -f $S/units/{stop.Name}\n" + (stop.Mask ? $"systemctl mask -- {stop.Name}\n" : ""),
        // The record is written at the end of every apply.
        Act.Record => ":\n",
        // The machine has left before the apply began, see ApplyRun.
        Act.LeaveRole => ":\n",
        Act.RunStep { Step: var step } => Shell.Script("set -eu\n" + step.Do, Seconds(step.Limit)),
        _ => throw new InvalidOperationException($"There is no script for {act.GetType().Name}."),
    };

    /// <summary>Where a tree lies between its arrival and its place.</summary>
    public static string Incoming(DesiredTree tree) => tree.Path + ".dure-new";

    private static string Started(DesiredUnit unit, string stamp, string start) =>
        (unit.WaitFor.Length > 0 ? $"waitfor {Shell.Word(unit.WaitFor)} {Seconds(unit.StartLimit).ToString(CultureInfo.InvariantCulture)}\nsystemctl reset-failed -- {unit.Name} 2>/dev/null || :\n" : "")
        + $"{start} || {{ why {unit.Name}; exit 1; }}\nup {unit.Name} {Seconds(unit.StartLimit).ToString(CultureInfo.InvariantCulture)}\nstamp {unit.Name} {Shell.Word(stamp)}\n";

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)Math.Ceiling(time.TotalSeconds));
}
