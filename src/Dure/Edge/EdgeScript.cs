using Dure.Edge.Foreign;
using Dure.Edge.Waf;
using Dure.Host.Ssh;

namespace Dure.Edge;

/// <summary>What is run as root on the edge, as POSIX shell. Commands are data: tests read them, and the lab runs them.</summary>
/// <param name="folder">That nginx includes inside the server block that faces the world.</param>
/// <param name="httpFolder">That nginx includes inside http.</param>
internal sealed class EdgeScript(string folder, string httpFolder)
{
    /// <summary>There is no nginx, or it does not read our folder.</summary>
    public const int NoNginx = 11;

    /// <summary>Another file has a location for the path; its name is printed.</summary>
    public const int Taken = 12;

    /// <summary>The firewall is wanted, and its packages are not there.</summary>
    public const int NoWaf = 13;

    public string Folder => folder;

    private string Shared => httpFolder + "/dure-apps.conf";

    /// <summary>Writes a snippet, lets nginx test it, and reloads. What was there lies beside it until <see cref="Keep"/> or <see cref="Undo"/>.</summary>
    /// <param name="take">What is done to files of others before the snippet is put in; then a location for the path is no reason to refuse.</param>
    public string Put(AppRoute route, string? take = null) => Begin(route.Id) + ForeignScript.Settle +
        $$"""
        command -v nginx >/dev/null || { echo 'There is no nginx.'; exit {{NoNginx}}; }
        all=$(mktemp); trap 'rm -f "$all"' EXIT
        nginx -T >"$all" 2>&1 || { echo 'Its configuration was broken before anything was changed:'; nginx -t 2>&1; exit 1; }
        grep -E '^[[:space:]]*include[[:space:]]' "$all" | grep -qF "$folder/" || { echo "Its nginx does not include $folder/*.conf."; exit {{NoNginx}}; }
        grep -E '^[[:space:]]*include[[:space:]]' "$all" | grep -qF "${shared%/*}/" || { echo "Its nginx does not include ${shared%/*}/*.conf."; exit {{NoNginx}}; }
        {{(take is null ? Untaken(route) : "")}}{{Wanted(route)}}undo
        if [ -e "$conf" ]; then ln -f "$conf" "$conf.dure-old"; else : >"$conf.dure-none"; fi
        mkdir -p /var/cache/nginx
        base64 -d >"$shared.dure-new" {{Shell.Input(NginxSnippet.Shared).TrimEnd('\n')}}
        if cmp -s "$shared.dure-new" "$shared"; then rm "$shared.dure-new"; else mv "$shared.dure-new" "$shared"; fi
        {{take}}{{WafFiles(route)}}base64 -d >"$conf.dure-new" {{Shell.Input(NginxSnippet.Of(route)).TrimEnd('\n')}}
        mv "$conf.dure-new" "$conf"
        nginx -t -q 2>"$all" || { cat "$all"; undo; exit 1; }
        reload >"$all" 2>&1 || { cat "$all"; undo; exit 1; }
        sync -f "$conf" 2>/dev/null || :

        """;

    /// <summary>What <see cref="Put"/> wrote stays.</summary>
    public string Keep(string id) => Begin(id) + "rm -f \"$conf.dure-old\" \"$conf.dure-none\" \"$conf.dure-adopt\"\n";

    /// <summary>As it was before <see cref="Put"/>.</summary>
    public string Undo(string id) => Begin(id) + "undo\nreload\n";

    /// <summary>Files of others are given back when a <see cref="Put"/> that took from them came to no end.</summary>
    public string Settle(string id) => Begin(id) + ForeignScript.Settle;

    /// <summary>Finishes what was cut off, and prints all that nginx reads.</summary>
    public string Read(string id) => Begin(id) + ForeignScript.Settle + ForeignScript.Dump;

    /// <summary>Takes a snippet away.</summary>
    public string Remove(string id) => Begin(id) + ForeignScript.Settle +
        $$"""
        rm -f "$conf.dure-old" "$conf.dure-none" "$conf.dure-new"
        [ -e "$conf" ] || { forget; exit 0; }
        mv "$conf" "$conf.dure-old"
        forget
        command -v nginx >/dev/null || { rm -f "$conf.dure-old"; exit 0; }
        # A configuration that is broken by others must not keep us from leaving.
        if nginx -t -q 2>/dev/null; then reload; else echo 'Removed; nginx was not reloaded because its other configuration is broken.' >&2; fi
        rm -f "$conf.dure-old" {{Shell.Word(NginxSnippet.LogOf(id, "access"))}}* {{Shell.Word(NginxSnippet.LogOf(id, "error"))}}*

        """;

    /// <summary>Puts the index where visitors find it, or takes it away when it is empty.</summary>
    /// <param name="there">Pictures that are there already.</param>
    public string PutIndex(IndexFiles index, IReadOnlyCollection<string> there) => index.Empty ? IndexScript.Remove(Begin(IndexScript.Id)) : IndexScript.Of(Begin(IndexScript.Id), index, there);

    /// <summary>Prints names and values: nginx, running, tests, snippet (ours, other, none), upstream (status that the app answers the edge with).</summary>
    public string Look(AppRoute route, string health, bool asleep) =>
        $$"""
        conf={{Shell.Word($"{folder}/{route.Id}.conf")}}
        command -v nginx >/dev/null && echo "nginx yes" || { echo "nginx no"; exit 0; }
        pgrep -x nginx >/dev/null 2>&1 || kill -0 "$(cat /run/nginx.pid 2>/dev/null)" 2>/dev/null && echo "running yes" || echo "running no"
        nginx -t -q 2>/dev/null && echo "tests yes" || echo "tests $(nginx -t 2>&1 | head -n 1)"
        base64 -d >/tmp/dure-look.$$ {{Shell.Input(NginxSnippet.Of(route)).TrimEnd('\n')}}
        if [ ! -e "$conf" ]; then echo "snippet none"; elif cmp -s /tmp/dure-look.$$ "$conf"; then echo "snippet same"; else echo "snippet other"; fi
        rm -f /tmp/dure-look.$$
        {{AskGatekeeper(route)}}
        echo "upstream $(curl -s -o /dev/null -w '%{http_code}' --max-time 5 {{Shell.Word(asleep ? route.WakeAt + WakeDoor.ProbePath : Upstream(route, health))}})"

        """;

    /// <summary>The app itself, as the edge reaches it.</summary>
    public static string Upstream(AppRoute route, string health) => $"{route.Upstream}{(route.KeepsPrefix ? route.Prefix : "/")}{health}";

    private static string AskGatekeeper(AppRoute route) => route is { IsGuarded: true, Gatekeeper: { } gatekeeper }
        ? "echo \"gatekeeper $(curl -s -o /dev/null -w '%{http_code}' --max-time 5 " + Shell.Word($"{gatekeeper}/check/{route.Id}") + ")\"" : ":";

    // A put that was cut off left what was before beside it: the next put begins with undoing it.
    private string Begin(string id) =>
        $$"""
        set -eu
        umask 022
        {{ForeignScript.GiveBack}}
        folder={{Shell.Word(folder)}}
        conf={{Shell.Word($"{folder}/{id}.conf")}}
        shared={{Shell.Word(Shared)}}
        waf={{Shell.Word($"{httpFolder}/{WafNginx.HttpFile}")}}
        forget() {
            grep -qs {{Shell.Word("^" + NginxSnippet.Mark)}} "$folder"/*.conf || rm -rf "$shared" /var/cache/nginx/dure-apps
            # The firewall goes with the last who asks for it, unless the fleet put it there.
            if [ -e "$waf" ] && ! grep -qs {{Shell.Word(WafNginx.Fleets + "$")}} "$waf" && ! grep -qs '^ *modsecurity on;' "$folder"/*.conf; then
                rm -f "$waf" "${waf%.conf}.rules" {{WafNginx.RotateFile}} {{WafRules.Log}}*
                rmdir {{WafNginx.LogFolder}} 2>/dev/null || :
            fi
        }
        undo() {
            if [ -e "$conf.dure-old" ]; then mv "$conf.dure-old" "$conf"; fi
            if [ -e "$conf.dure-none" ]; then rm -f "$conf" "$conf.dure-none"; fi
            rm -f "$conf.dure-new" "$shared.dure-new"
            giveback
            forget
        }
        reload() { systemctl reload nginx 2>/dev/null || nginx -s reload; }
        exec 9>/run/dure-edge.lock
        flock -w 30 9 || { echo 'Another publish has been changing the edge for 30 s.'; exit 1; }

        """;

    private static string Untaken(AppRoute route) =>
        $$"""
        taken=$(awk -v prefix={{Shell.Word(route.Prefix.TrimEnd('/'))}} -v ours="$conf" '
            /^# configuration file / { file = $4; sub(/:$/, "", file); next }
            file != ours && $1 == "location" { for (i = 2; i <= NF; i++) { at = $i; gsub(/["{;]/, "", at); sub(/\/$/, "", at); if (at == prefix) { print file; exit } } }' "$all")
        [ -z "$taken" ] || { echo "$taken"; exit {{Taken}}; }

        """;

    private static string Wanted(AppRoute route) => !route.Waf.Looks ? "" :
        $$"""
        grep -qE '^[[:space:]]*load_module[[:space:]].*ngx_http_modsecurity_module' "$all" && [ -d /usr/share/modsecurity-crs/rules ] || { echo 'There is no module or there are no rules.'; exit {{NoWaf}}; }

        """;

    // What the fleet put there is the fleet's. The log's folder is there before nginx opens the log.
    private string WafFiles(AppRoute route) => !route.Waf.Looks ? "" :
        $$"""
        if ! grep -qs {{Shell.Word(WafNginx.Fleets + "$")}} "$waf"; then
            # What the rules matched stands in its log.
            [ -d {{WafNginx.LogFolder}} ] || mkdir -m 750 {{WafNginx.LogFolder}}
            put() { cmp -s "$1.dure-new" "$1" && rm -f "$1.dure-new" || mv "$1.dure-new" "$1"; }
            base64 -d >"${waf%.conf}.rules.dure-new" {{Shell.Input(WafRules.Text()).TrimEnd('\n')}}
            put "${waf%.conf}.rules"
            base64 -d >"$waf.dure-new" {{Shell.Input(WafNginx.Http(route.Rates, httpFolder)).TrimEnd('\n')}}
            put "$waf"
            base64 -d >{{WafNginx.RotateFile}} {{Shell.Input(WafNginx.Rotate).TrimEnd('\n')}}
        fi

        """;
}
