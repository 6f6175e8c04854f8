namespace Dure.Fleet.Roles.Galera;

/// <summary>
/// Who founds the cluster, on the first start as after a power loss of all. Before MariaDB starts, each member asks the others on port 9200. When one is in a Primary cluster, it
/// joins. Otherwise all say how far they have come, and the one with the newest position founds the cluster, among equals the first of the file; the others wait for it. The
/// founder first says that it means to, waits, and looks again, so that two never do. When not all come back, a majority goes on after <see cref="GaleraRole.RecoveryWait"/>,
/// but only with data: empty members never found a cluster while one that may hold data is away. A member that still runs without a majority takes part by a restart.
/// </summary>
internal static class GaleraRecovery
{
    public const string Path = "/usr/local/lib/dure/galera-recover";
    public const string State = "/run/dure-galera/state";
    public const string Environment = "/run/dure-galera/environment";

    public static string Of(RoleScope scope) => RoleScope.Invariant(
        $"""
        #!/bin/sh
        # galera-recover start|watch|leads: who founds the cluster, and whom the balancer writes to.
        set -eu
        self='{Quoting.Host(scope.Address)}'
        members='{string.Join(' ', scope.Members.Select(machine => Quoting.Host(scope.Fleet.AddressOf(machine))))}'
        count={scope.Members.Count}
        patience={(long)scope.Get(GaleraRole.RecoveryWait).TotalSeconds}
        {Body}
        """);

    private const string Body =
        $$"""
        state={{State}}
        environment={{Environment}}
        none=00000000-0000-0000-0000-000000000000
        data=/var/lib/mysql

        tell() {
            printf '%s\n' "$1" >"$state.new"
            chmod 0644 "$state.new"
            mv "$state.new" "$state"
        }

        # What the others say: a line each, "STATE UUID:SEQNO ADDRESS".
        look() {
            for member in $members; do
                [ "$member" != "$self" ] || continue
                if line=$(curl -fs --noproxy '*' --max-time 1 "http://$member:9200/position"); then
                    printf '%s %s\n' "$line" "$member"
                fi
            done
        }

        # Of lines "UUID:SEQNO ADDRESS" the address that founds: the newest position, then the place in the file. Fails when they come from two clusters.
        newest() {
            awk -v members="$members" -v none="$none" '
                BEGIN { n = split(members, list, " "); for (i = 1; i <= n; i++) place[list[i]] = i }
                {
                    at = index($1, ":"); uuid = substr($1, 1, at - 1); seqno = substr($1, at + 1) + 0
                    if (uuid == none) seqno = -2
                    else if (cluster == "") cluster = uuid
                    else if (cluster != uuid) two = 1
                    if (best == "" || seqno > top || (seqno == top && place[$2] < place[best])) { best = $2; top = seqno }
                }
                END { if (two) exit 1; print best, top }'
        }

        position() {
            if [ ! -e "$data/grastate.dat" ]; then
                echo "$none:-1"
                return
            fi
            found=$(cd / && runuser -u mysql -- /usr/bin/galera_recovery 2>/dev/null) || return 1
            found=${found#*=}
            [ -n "$found" ] || return 1
            printf '%s\n' "$found"
        }

        settle() {
            rm -f "$data/gvwstate.dat"
            printf '%s\n' "$1" >"$environment"
            exit 0
        }

        joins() {
            tell "joining $mine"
            settle ''
        }

        founds() {
            tell "founding $mine"
            [ ! -e "$data/grastate.dat" ] || sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$data/grastate.dat"
            echo 'No member is in a Primary cluster and this one is the newest: it founds the cluster'
            settle _WSREP_NEW_CLUSTER=--wsrep-new-cluster
        }

        # Is this member the one that founds, by what is seen? $seen holds what the others say, $1 the states that take part.
        chosen() {
            takes_part=$(printf '%s\n' "$seen" | grep -E "^($1) " | cut -d' ' -f2-) || takes_part=
            present=$(printf '%s\n' "$takes_part" | grep -c .) || true
            present=$((present + 1))
            best=$(printf '%s\n%s %s\n' "$takes_part" "$mine" "$self" | grep . | newest) || { hint='the members hold data of two different clusters: a person has to choose'; return 1; }
            hint="$present of $count members are here"
            [ "${best% *}" = "$self" ] || return 1
            [ "$present" -lt "$count" ] || return 0
            [ "$waited" -ge "$patience" ] && [ $((present * 2)) -gt "$count" ] && [ "${best#* }" -ge -1 ] && ! printf '%s\n' "$seen" | grep -q '^nonprimary '
        }

        start() {
            mkdir -p -m 0755 "${state%/*}"
            mine=-
            seen=$(look)
            if printf '%s\n' "$seen" | grep -q '^primary '; then joins; fi
            tell 'starting -'
            mine=$(position)
            tell "recovering $mine"
            waited=0 hint=
            began=$(cut -d. -f1 /proc/uptime)
            while :; do
                seen=$(look)
                if printf '%s\n' "$seen" | grep -q '^primary '; then joins; fi
                if ! printf '%s\n' "$seen" | grep -qE '^(candidate|founding) ' && chosen recovering; then
                    tell "candidate $mine"
                    sleep 2
                    seen=$(look)
                    if printf '%s\n' "$seen" | grep -q '^primary '; then joins; fi
                    if ! printf '%s\n' "$seen" | grep -q '^founding ' && chosen 'recovering|candidate'; then founds; fi
                    tell "recovering $mine"
                fi
                waited=$(($(cut -d. -f1 /proc/uptime) - began))
                [ $((waited % 15)) -ne 14 ] || echo "Waiting for the others after $waited s: $hint"
                sleep 0.5
            done
        }

        # A member that runs without a majority while others wait to recover: it takes part once it starts anew.
        watch() {
            seen_waiting=0
            while sleep 3; do
                case $(curl -fs --noproxy '*' --max-time 2 "http://$self:9200/position") in nonprimary*) ;; *) seen_waiting=0; continue ;; esac
                seen=$(look)
                if printf '%s\n' "$seen" | grep -q '^recovering ' && ! printf '%s\n' "$seen" | grep -qE '^(primary|founding) '; then
                    seen_waiting=$((seen_waiting + 1))
                else
                    seen_waiting=0
                fi
                if [ "$seen_waiting" -ge 2 ]; then
                    echo 'This member has no majority, and another waits to recover: MariaDB starts anew'
                    systemctl --no-block restart mariadb.service
                    sleep 20
                fi
            done
        }

        # The balancer writes to the first of the file that serves.
        leads() {
            for member in $members; do
                if curl -fs --noproxy '*' --max-time 1 -o /dev/null "http://$member:9200/"; then
                    [ "$member" = "$self" ]
                    return
                fi
            done
            return 1
        }

        case ${1:-} in
            start | watch | leads) "$1" ;;
            *) echo "usage: $0 start|watch|leads" >&2; exit 2 ;;
        esac

        """;
}
