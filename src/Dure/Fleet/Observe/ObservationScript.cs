using System.Globalization;
using System.Text;
using Dure.Fleet.Plan;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Observe;

/// <summary>
/// Writes the script that tells what a machine is: facts, records of earlier applies, digests, packages, units, in one round trip and with few processes. It changes
/// nothing. Its lines have fields with tabs between, the first of which says what the line is; <see cref="Observation"/> reads them.
/// </summary>
internal static class ObservationScript
{
    /// <summary>Facts alone: for <c>dure init</c> and for machines that nothing is asked of.</summary>
    public const string Facts = """
        LC_ALL=C; export LC_ALL
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
        . /etc/os-release
        printf 'fact\tos\t%s-%s\n' "$ID" "${VERSION_ID:-}"
        read -r h </proc/sys/kernel/hostname && printf 'fact\thostname\t%s\n' "$h"
        read -r h </proc/sys/kernel/osrelease && printf 'fact\tkernel\t%s\n' "$h"
        while read -r k v _; do case $k in MemTotal:) printf 'fact\tmemory_kib\t%s\n' "$v"; break;; esac; done </proc/meminfo
        printf 'fact\tcores\t%s\n' "$(nproc)"
        [ -d /run/systemd/system ] && printf 'fact\tinit\tsystemd\n'

        """;

    /// <param name="withHealth">Also runs the health checks once.</param>
    public static string Of(Lowered desired, IEnumerable<RoleKind> roles, bool withHealth)
    {
        var script = new StringBuilder(Facts);
        script.Append(CultureInfo.InvariantCulture, $"S={Shell.StateFolder}\n");
        // A change that may cut the machine off is under way, or who made it is gone: what is there is known once it was confirmed or has undone itself.
        script.Append("for g in $S/applies/*/guarded; do { [ -d \"$g\" ] && [ ! -e \"$g/confirmed\" ] && [ ! -e \"$g/undone\" ]; } || continue; a=${g%/guarded}; a=dure-undo-${a##*/}; i=0; "
            + "while [ $i -lt 200 ] && systemctl -q is-active \"$a.timer\" \"$a.service\"; do sleep 0.2; i=$((i+1)); done; [ $i = 0 ] || flock -w 20 $S/lock true; done\n");
        script.Append("m=$S/manifest; [ -f $m ] || m=/dev/null\n");
        script.Append("while IFS= read -r l; do printf 'manifest\\t%s\\n' \"$l\"; done <$m\n");
        Background(script, desired, roles, withHealth);
        Paths(script, desired);
        Packages(script, desired);
        Units(script, desired);
        foreach (var sysctl in desired.Sysctls)
            script.Append(CultureInfo.InvariantCulture, $"v=; read -r v </proc/sys/{sysctl.Key.Replace('.', '/')} 2>/dev/null; printf 'sysctl\\t%s\\t%s\\n' {sysctl.Key} \"$v\"\n");
        foreach (var user in desired.Users)
            script.Append(CultureInfo.InvariantCulture, $"getent passwd {Shell.Word(user.Name)} | sed 's/^/user\\t/'; printf 'groups\\t%s\\t%s\\n' {Shell.Word(user.Name)} \"$(id -nG {Shell.Word(user.Name)} 2>/dev/null)\"\n");
        script.Append("wait\nprintf 'end\\n'\n");
        return script.ToString();
    }

    /// <summary>What may take its time runs beside the rest: steps that look whether they are done, leaders, health.</summary>
    private static void Background(StringBuilder script, Lowered desired, IEnumerable<RoleKind> roles, bool withHealth)
    {
        for (var i = 0; i < desired.Steps.Count; i++)
            script.Append(CultureInfo.InvariantCulture, $"( {Shell.Script(desired.Steps[i].Done, 10)}printf 'step\\t{i}\\t%s\\n' $? ) 2>/dev/null | tail -n 1 &\n");
        foreach (var role in roles.Where(role => role.Leads.Length > 0))
            script.Append(CultureInfo.InvariantCulture, $"( {Shell.Script(role.Leads, 10)}printf 'leads\\t{role.Name}\\t%s\\n' $? ) 2>/dev/null | tail -n 1 &\n");
        for (var i = 0; withHealth && i < desired.Health.Count; i++)
            script.Append(CultureInfo.InvariantCulture, $"( o=$({Shell.Script(desired.Health[i].Command, 10)}); printf 'health\\t{i}\\t%s\\t%s\\n' $? \"$(printf %s \"$o\" | head -c 400 | base64 -w0)\" ) 2>&1 | tail -n 1 &\n");
    }

    /// <summary>Every path that is asked for or was once written: what it is, whose, and its digest.</summary>
    private static void Paths(StringBuilder script, Lowered desired)
    {
        var paths = desired.Files.Select(file => file.Path).Concat(desired.Folders.Select(folder => folder.Path)).Concat(desired.Trees.Select(tree => tree.Path));
        script.Append(CultureInfo.InvariantCulture, $"paths=$( {{ cat <<'P'\n{string.Join('\n', paths)}\nP\nsed -n 's/^\\(file\\|folder\\|tree\\)\t[^\t]*\t\\([^\t]*\\).*/\\2/p' $m; }} | sort -u )\n");
        script.Append("printf '%s\\n' \"$paths\" | xargs -r -d '\\n' stat --printf 'stat\\t%n\\t%f\\t%a\\t%U\\t%G\\n' -- 2>/dev/null\n");
        script.Append("printf '%s\\n' \"$paths\" | xargs -r -d '\\n' sha256sum -- 2>/dev/null | sed 's/^\\\\\\{0,1\\}\\([0-9a-f]*\\)  /sum\\t\\1\\t/'\n");
        foreach (var file in desired.Files.Where(file => file.Kind == Fleet.Desired.FileKind.Block))
            script.Append(CultureInfo.InvariantCulture, $"printf 'text\\t%s\\t%s\\n' {Shell.Word(file.Path)} \"$(base64 -w0 {Shell.Word(file.Path)} 2>/dev/null)\"\n");
    }

    private static void Packages(StringBuilder script, Lowered desired)
    {
        script.Append("p=$(sed -n 's/^package\\t[^\\t]*\\t\\([^\\t]*\\).*/\\1/p' $m)\n");
        script.Append(CultureInfo.InvariantCulture, $"set -- {Shell.Words(desired.Packages.Select(package => package.Name))} $p\n");
        script.Append("[ $# = 0 ] || dpkg-query -W -f 'package\\t${Package}\\t${db:Status-Status}\\t${Version}\\n' \"$@\" 2>/dev/null\n");
    }

    private static void Units(StringBuilder script, Lowered desired)
    {
        script.Append("u=$(sed -n 's/^unit\\t[^\\t]*\\t\\([^\\t]*\\).*/\\1/p' $m)\n");
        script.Append(CultureInfo.InvariantCulture, $"set -- {Shell.Words(desired.Units.Select(unit => unit.Name))} $u\n");
        script.Append("if [ $# != 0 ]; then printf 'units\\t%s\\n' \"$*\"; systemctl show --no-pager -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload -- \"$@\" | sed 's/^/unit\\t/'; fi\n");
        script.Append("for f in \"$S\"/units/*; do [ -f \"$f\" ] && read -r s <\"$f\" && printf 'stamp\\t%s\\t%s\\n' \"${f##*/}\" \"$s\"; done\n");
    }
}
