namespace Dure.Fleet.Roles.Redis;

/// <summary>
/// One script for all that asks the sentinels. Who is primary is theirs to say: a Redis that starts knows only who was primary when it died. It asks a majority of them before each
/// start, so an old primary never comes up as a second one. When they still name this machine although it was switched off, they have not noticed yet: it lets them fail over to
/// a replica, which holds what this machine's disk may lack, and starts as primary only when none takes over (all lost power at once). A process that died is no better: while a log
/// is on its way to the disk, Redis acknowledges writes that it has not written. Then it asks for the failover itself, without waiting until the silence is noticed. Only a Redis
/// that was stopped, and so has written everything, goes on at once.
/// </summary>
internal static class RedisScript
{
    public const string Path = "/usr/local/lib/dure/redis-role";
    public const string RolePath = "/run/redis/dure.conf";

    public static string Of(RoleScope scope) => RoleScope.Invariant(
        $"""
        #!/bin/sh
        # redis-role start|stopped|watch|leads|healthy|acquainted|acquaint: all that asks the sentinels who is primary.
        set -eu
        self='{scope.Address}'
        members='{string.Join(' ', scope.Members.Select(scope.AddressOf))}'
        first='{scope.AddressOf(scope.Members[0])}'
        count={scope.Members.Count}
        majority={(scope.Members.Count / 2) + 1}
        quorum={RedisRole.QuorumOf(scope.Fleet)}
        min_replicas={RedisRole.MinReplicasOf(scope.Fleet)}
        down_after={(long)scope.Get(RedisRole.DownAfter).TotalMilliseconds}
        failover_timeout={(long)scope.Get(RedisRole.FailoverTimeout).TotalMilliseconds}
        patience={Patience(scope)}
        {Body}
        """);

    // Seconds in which the sentinels notice, agree, and try twice.
    private static long Patience(RoleScope scope) =>
        (long)Math.Ceiling((scope.Get(RedisRole.DownAfter) + (scope.Get(RedisRole.FailoverTimeout) * 3)).TotalSeconds) + 2;

    private const string Body =
        $$"""
        role={{RolePath}}
        running=/run/redis/dure-running
        stopped=/run/redis/dure-stopped
        unread=/run/redis/dure-unread
        log=/var/lib/redis/appendonlydir
        REDISCLI_AUTH=$(cat /etc/redis/dure-password)
        export REDISCLI_AUTH

        # What each sentinel that answers thinks: epoch, primary's address, how many replicas it knows.
        views() {
            for member in $members; do
                timeout 1 redis-cli -h "$member" -p 26379 SENTINEL MASTER dure 2>/dev/null | awk '
                    NR % 2 { key = $0; next }
                    { value[key] = $0 }
                    END { if (value["ip"] != "") print value["config-epoch"] + 0, value["ip"], value["num-slaves"] + 0 }' || true
            done
        }

        # The newest view, when a majority of the sentinels answers. A failover has a new epoch, which a majority has agreed to.
        primary() {
            seen=$(views)
            [ "$(printf '%s\n' "$seen" | grep -c .)" -ge "$majority" ] || return 1
            printf '%s\n' "$seen" | sort -n | tail -n 1
        }

        # The address in that view.
        leader() {
            found=$(primary) && printf '%s\n' "$found" | cut -d' ' -f2
        }

        sentinel() {
            timeout 2 redis-cli -h "$self" -p 26379 "$@"
        }

        field() {
            awk -v wanted="$1" 'NR % 2 { key = $0; next } key == wanted { print }'
        }

        info() {
            timeout 2 redis-cli -h "$self" INFO replication | tr -d '\r' | awk -F: -v wanted="$1" '$1 == wanted { print $2 }'
        }

        # Before Redis starts.
        start() {
            waited=0
            while :; do
                if found=$(primary); then
                    # shellcheck disable=SC2086
                    set -- $found
                    if [ "$2" != "$self" ]; then
                        line="replicaof $2 6379"
                        break
                    fi
                    if [ -e "$stopped" ] || [ "$3" -eq 0 ] || [ "$waited" -ge $((patience * 2)) ]; then
                        line='# primary'
                        break
                    fi
                    if [ -e "$running" ]; then
                        sentinel SENTINEL FAILOVER dure >/dev/null || true
                        rm "$running"
                    fi
                    waited=$((waited + 1))
                fi
                sleep 0.5
            done
            mkdir -p /run/redis
            printf '%s\n' "$line" >"$role"
            chown -R redis:redis /run/redis
            chmod 0640 "$role"
            # A full disk can leave a log that cannot be read. A replica gets everything anew: what it has may go aside. A primary's log is for people to look at.
            if [ -e "$unread" ] && [ "$line" != '# primary' ] && [ -d "$log" ]; then
                echo "Redis could not read $log: it goes aside, and the primary is copied"
                rm -rf "$log.unread"
                mv "$log" "$log.unread"
            fi
            rm -f "$stopped" "$unread"
            : >"$running"
        }

        # After Redis ended; systemd says how.
        stopped() {
            case "${SERVICE_RESULT:-}" in
                success) mv -f "$running" "$stopped" || true ;;
                exit-code) : >"$unread" ;;
            esac
        }

        # After Sentinel started: it watches the primary that the others know, and has this fleet's settings.
        watch() {
            # Sentinel writes the password into its own file without quotes, and cannot read such a file again.
            case $REDISCLI_AUTH in
                *[!A-Za-z0-9_.:@%+=/-]*) echo 'redis_password: Sentinel takes letters, digits and _ . : @ % + = / - only' >&2; exit 1 ;;
            esac
            tries=0
            until [ "$(sentinel PING)" = PONG ]; do
                tries=$((tries + 1))
                [ "$tries" -lt 50 ] || exit 1
                sleep 0.2
            done
            if [ -z "$(sentinel SENTINEL MASTER dure | field ip)" ]; then
                found=$(views | sort -n | tail -n 1)
                # shellcheck disable=SC2086
                set -- ${found:-0 $first}
                sentinel SENTINEL MONITOR dure "$2" 6379 "$quorum" >/dev/null
            fi
            # The password comes by standard input, where no list of processes shows it.
            said=$(printf 'SENTINEL SET dure %s\n' "auth-pass $REDISCLI_AUTH" \
                "quorum $quorum" "down-after-milliseconds $down_after" "failover-timeout $failover_timeout" "parallel-syncs 1" | sentinel)
            [ "$(printf '%s\n' "$said" | grep -cx OK)" -eq 5 ] || { printf '%s\n' "$said"; exit 1; }
        }

        leads() {
            [ "$(leader)" = "$self" ]
        }

        healthy() {
            address=$(leader) || { echo 'fewer than a majority of the sentinels answer'; exit 1; }
            if [ "$address" = "$self" ]; then
                [ "$(info role)" = master ] || { echo 'the sentinels name this machine primary, which it is not'; exit 1; }
                [ "$(info connected_slaves)" -ge "$min_replicas" ] || { echo "fewer than $min_replicas replicas follow: writes are refused"; exit 1; }
            else
                [ "$(info master_host)" = "$address" ] && [ "$(info master_link_status)" = up ] || { echo "it does not follow $address"; exit 1; }
            fi
        }

        strangers() {
            others=$(sentinel SENTINEL MASTER dure | field num-other-sentinels)
            echo $((others - count + 1))
        }

        # A replica that follows somebody else than the primary, which no sentinel mends when none of them had heard of it before that primary went.
        astray() {
            address=$(leader) && [ "$(info role)" = slave ] && [ "$address" != "$self" ] && [ "$(info master_host)" != "$address" ]
        }

        # Only a replica that the sentinels know of is told of a failover. They ask the primary for its replicas every ten seconds.
        acquainted() {
            [ "$(strangers)" -eq 0 ] && [ "$(sentinel SENTINEL MASTER dure | field num-slaves)" -ge $((count - 1)) ] && ! astray
        }

        # Sentinels never forget one that left: they are told to, and find each other again within ten seconds.
        acquaint() {
            tries=0
            until acquainted; do
                if [ $((tries % 30)) -eq 5 ]; then
                    [ "$(strangers)" -le 0 ] || sentinel SENTINEL RESET dure >/dev/null
                    ! astray || timeout 2 redis-cli -h "$self" REPLICAOF "$address" 6379 >/dev/null
                fi
                tries=$((tries + 1))
                [ "$tries" -lt 100 ] || exit 1
                sleep 1
            done
        }

        case ${1:-} in
            start | stopped | watch | leads | healthy | acquainted | acquaint) "$1" ;;
            *) echo "usage: $0 start|stopped|watch|leads|healthy|acquainted|acquaint" >&2; exit 2 ;;
        esac

        """;
}
