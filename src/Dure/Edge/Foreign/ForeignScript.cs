using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dure.Host.Ssh;

namespace Dure.Edge.Foreign;

/// <summary>
/// What is run as root on the edge to take locations out of other people's files, as POSIX shell. Of each file a copy is kept beside it, and until all is well a note beside our snippet says
/// which: whoever comes next after a cut puts the files back with it.
/// </summary>
internal static partial class ForeignScript
{
    /// <summary>A file is not what it was when it was read.</summary>
    public const int Changed = 15;

    /// <summary>The edge does not reach the new version.</summary>
    public const int Unreached = 14;

    /// <summary>No app has this id: nothing of it was cut off.</summary>
    public const string Nobody = "_adopt";

    /// <summary>What a line begins with that names a file and its copy.</summary>
    public const string CopiedMark = "dure-copied ";

    /// <summary>Defines <c>giveback</c>: files of others are as they were before they were changed, unless somebody changed them since.</summary>
    public const string GiveBack = """
        hash() { sha256sum <"$1" | cut -d' ' -f1; }
        giveback() {
            [ -e "$conf.dure-adopt" ] || return 0
            while IFS='|' read -r real copy now; do
                [ -e "$copy" ] || continue
                if [ "$(hash "$real")" = "$now" ]; then
                    cp -p "$copy" "${real%/*}/.${real##*/}.dure-new"
                    mv "${real%/*}/.${real##*/}.dure-new" "$real"
                fi
                if cmp -s "$copy" "$real"; then rm -f "$copy"; else echo "$real was changed by somebody; what it was before is in $copy."; fi
            done <"$conf.dure-adopt"
            rm -f "$conf.dure-adopt"
        }

        """;

    /// <summary>What was cut off half way is undone, also in the running nginx.</summary>
    public const string Settle = """
        if [ -e "$conf.dure-adopt" ]; then undo; reload || :; fi

        """;

    /// <summary>Prints all of nginx's configuration, packed so that no line of it is lost.</summary>
    public const string Dump = """
        command -v nginx >/dev/null || { echo 'There is no nginx.'; exit 11; }
        all=$(mktemp); trap 'rm -f "$all"' EXIT
        nginx -T >"$all" 2>/dev/null || { echo 'Its configuration is broken:'; nginx -t 2>&1; exit 1; }
        base64 "$all"

        """;

    /// <summary>Takes what is to go out of each file. Expects what the edge's script defines.</summary>
    /// <param name="includes">Patterns of files that nginx reads: no copy may be one of them.</param>
    /// <param name="probe">The new version, as the edge reaches it.</param>
    public static string Take(IReadOnlyList<ForeignFile> files, IEnumerable<string> includes, string probe)
    {
        var script = $$"""
            if command -v curl >/dev/null; then
                code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 {{Shell.Word(probe)}}) || :
                case $code in 2*|3*) ;; *) echo {{Shell.Word(probe)}}" answers the edge with $code."; undo; exit {{Unreached}} ;; esac
            fi
            included() { for one in {{string.Join(' ', includes.Where(pattern => PlainPattern().IsMatch(pattern)))}}; do [ "$one" -ef "$1" ] && return 0; done; return 1; }
            take() {
                real=$(readlink -f "$1")
                [ "$(hash "$real")" = "$2" ] || { echo "$1 is not what nginx read."; undo; exit {{Changed}}; }
                copy=$real.dure-adopted
                n=1
                while [ -e "$copy" ]; do n=$((n + 1)); copy=$real.dure-adopted.$n; done
                : >"$copy"
                if included "$copy"; then
                    rm -f "$copy"
                    mkdir -p /var/backups/dure
                    copy=/var/backups/dure/${real##*/}.dure-adopted
                    while [ -e "$copy" ]; do n=$((n + 1)); copy=/var/backups/dure/${real##*/}.dure-adopted.$n; done
                fi
                cp -p "$real" "$copy"
                printf '%s|%s|%s\n' "$real" "$copy" "$3" >>"$conf.dure-adopt"
                new=${real%/*}/.${real##*/}.dure-new
                cp -p "$real" "$new"
                base64 -d >"$new"
                mv "$new" "$real"
                echo {{Shell.Word(CopiedMark)}}"$real|$copy"
            }

            """;
        return script + string.Concat(files.Select(file => $"take {Shell.Word(file.Name)} {Hash(file.Before)} {Hash(file.After)} {Shell.Input(file.After)}"));
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    [GeneratedRegex(@"^/[A-Za-z0-9._/@+*?\[\]-]+\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PlainPattern();
}
