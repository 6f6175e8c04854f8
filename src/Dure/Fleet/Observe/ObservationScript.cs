using System.Globalization;
using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Plan;
using Dure.Fleet.Roles;
using Dure.Host.Ssh;

namespace Dure.Fleet.Observe;

/// <summary>
/// Writes the script that tells what a machine is: facts, records of earlier applies, digests, packages, units, in one round trip and with few processes. It changes
/// nothing. Its lines have fields with tabs between, the first of which says what the line is; <see cref="Observation"/> reads them.
/// </summary>
internal static class ObservationScript
{
    /// <summary>Which system this is; no process is started for it.</summary>
    private const string Release = """
        LC_ALL=C; export LC_ALL
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
        . /etc/os-release
        printf 'fact\tos\t%s-%s\n' "$ID" "${VERSION_ID:-}"
        read -r h </proc/sys/kernel/hostname && printf 'fact\thostname\t%s\n' "$h"
        read -r h </proc/sys/kernel/osrelease && printf 'fact\tkernel\t%s\n' "$h"
        [ -d /run/systemd/system ] && printf 'fact\tinit\tsystemd\n'

        """;

    /// <summary>Facts alone: for <c>dure init</c> and for machines that nothing is asked of.</summary>
    public const string Facts = Release + """
        while read -r k v _; do case $k in MemTotal:) printf 'fact\tmemory_kib\t%s\n' "$v"; break;; esac; done </proc/meminfo
        printf 'fact\tcores\t%s\n' "$(nproc)"

        """;

    /// <summary>
    /// Reads what earlier applies made and adds to what is asked for whatever of it is asked for no more: <c>paths</c> has one a line, <c>packages</c> and <c>units</c>
    /// have blanks between. The shell does this itself; on a machine that is as it should be, processes are what an observation takes its time for.
    /// </summary>
    private const string Earlier = """
        m=$S/manifest; [ -f $m ] || m=/dev/null
        while IFS=$t read -r kind role name mark; do
          printf 'manifest\t%s\t%s\t%s\t%s\n' "$kind" "$role" "$name" "$mark"
          case $kind in
            file|folder|tree) case $n$paths in *"$n$name$n"*) ;; *) paths=$paths$name$n;; esac;;
            package) case " $packages " in *" $name "*) ;; *) packages="$packages $name";; esac;;
            unit) case " $units " in *" $name "*) ;; *) units="$units $name";; esac;;
          esac
        done <$m
        # each COMMAND...: with all paths, at once where a command line can hold them
        each() {
          if [ ${#paths} -gt 100000 ]; then printf '%s' "$paths" | xargs -r -d '\n' "$@" --; return; fi
          set -f; IFS=$n; [ -z "$paths" ] || "$@" -- $paths
          unset IFS; set +f
        }
        each stat --printf 'stat\t%n\t%f\t%a\t%U\t%G\n' 2>/dev/null
        each sha256sum 2>/dev/null
        [ -z "${packages# }" ] || dpkg-query -W -f 'package\t${Package}\t${db:Status-Status}\t${Version}\n' $packages 2>/dev/null
        if [ -n "${units# }" ]; then
          printf 'units\t%s\n' "$units"
          systemctl show --no-pager -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload -- $units
          for f in "$S"/units/*; do [ -f "$f" ] && read -r s <"$f" && printf 'stamp\t%s\t%s\n' "${f##*/}" "$s"; done
        fi

        """;

    /// <param name="withHealth">Also runs the health checks once.</param>
    public static string Of(Lowered desired, IEnumerable<RoleKind> roles, bool withHealth)
    {
        var script = new StringBuilder(Release);
        // A change that may cut the machine off is under way, or who made it is gone: what is there is known once it was confirmed or has undone itself.
        script.Append(CultureInfo.InvariantCulture, $"S={MachineTarget.StateFolder}\n");
        script.Append("for g in $S/applies/*/guarded; do { [ -d \"$g\" ] && [ ! -e \"$g/confirmed\" ] && [ ! -e \"$g/undone\" ]; } || continue; a=${g%/guarded}; a=dure-undo-${a##*/}; i=0; "
            + "while [ $i -lt 200 ] && systemctl -q is-active \"$a.timer\" \"$a.service\"; do sleep 0.2; i=$((i+1)); done; [ $i = 0 ] || { flock -w 20 $S/lock true; i=0; "
            + "while [ $i -lt 50 ] && systemctl list-jobs --no-legend | grep -q .; do sleep 0.2; i=$((i+1)); done; }; done\n");
        var beside = Beside(desired, roles, withHealth);
        // What runs beside tells into a pipe, which is read last: programs do not write whole lines, and those of two must not mix.
        if (beside.Length > 0)
            script.Append("{\n").Append(beside).Append("wait\n} | {\n");
        Asked(script, desired);
        if (beside.Length > 0)
            script.Append("cat\n}\n");
        script.Append("printf 'end\\n'\n");
        return script.ToString();
    }

    /// <summary>What may take its time runs beside the rest: steps that look whether they are done, leaders, health.</summary>
    private static string Beside(Lowered desired, IEnumerable<RoleKind> roles, bool withHealth)
    {
        var script = new StringBuilder();
        for (var i = 0; i < desired.Steps.Count; i++)
            script.Append(CultureInfo.InvariantCulture, $"( {Shell.Script(desired.Steps[i].Done, 10)}printf 'step\\t{i}\\t%s\\n' $? ) 2>/dev/null | tail -n 1 &\n");
        foreach (var role in roles.Where(role => role.Leads.Length > 0))
            script.Append(CultureInfo.InvariantCulture, $"{Leads(role)} &\n");
        for (var i = 0; withHealth && i < desired.Health.Count; i++)
            script.Append(CultureInfo.InvariantCulture, $"( o=$({Shell.Script(desired.Health[i].Command, 10)}); printf 'health\\t{i}\\t%s\\t%s\\n' $? \"$(printf %s \"$o\" | head -c 400 | base64 -w0)\" ) 2>&1 | tail -n 1 &\n");
        return script.ToString();
    }

    /// <summary>Asks whether the machine leads a role: <c>leads ROLE 0</c> when it does.</summary>
    internal static string Leads(RoleKind role) => $"( {Shell.Script(role.Leads, 10)}printf 'leads\\t{role.Name}\\t%s\\n' $? ) 2>/dev/null | tail -n 1";

    /// <summary>Everything that is asked for or was once made: paths with what they are, whose, and their digest; packages; units; kernel settings; users.</summary>
    private static void Asked(StringBuilder script, Lowered desired)
    {
        var paths = desired.Files.Select(file => file.Path).Concat(desired.Folders.Select(folder => folder.Path)).Concat(desired.Trees.Select(tree => tree.Path)).Distinct(StringComparer.Ordinal);
        script.Append(CultureInfo.InvariantCulture, $"n='\n'\nt='\t'\n");
        script.Append("paths=").Append(Shell.Word(string.Concat(paths.Select(path => path + "\n")))).Append('\n');
        script.Append(CultureInfo.InvariantCulture, $"packages={Shell.Word(string.Join(' ', desired.Packages.Select(package => package.Name)))}\n");
        script.Append(CultureInfo.InvariantCulture, $"units={Shell.Word(string.Join(' ', desired.Units.Select(unit => unit.Name)))}\n");
        script.Append(Earlier);
        foreach (var file in desired.Files.Where(file => file.Kind == Fleet.Desired.FileKind.Block))
            script.Append(CultureInfo.InvariantCulture, $"printf 'text\\t%s\\t%s\\n' {Shell.Word(file.Path)} \"$(base64 -w0 {Shell.Word(file.Path)} 2>/dev/null)\"\n");
        foreach (var sysctl in desired.Sysctls)
            script.Append(CultureInfo.InvariantCulture, $"v=; read -r v </proc/sys/{sysctl.Key.Replace('.', '/')} 2>/dev/null; printf 'sysctl\\t%s\\t%s\\n' {sysctl.Key} \"$v\"\n");
        foreach (var user in desired.Users)
            script.Append(CultureInfo.InvariantCulture, $"getent passwd {Shell.Word(user.Name)} | sed 's/^/user\\t/'; printf 'groups\\t%s\\t%s\\n' {Shell.Word(user.Name)} \"$(id -nG {Shell.Word(user.Name)} 2>/dev/null)\"\n");
    }
}
