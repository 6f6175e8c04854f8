using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Redis;
using Xunit;

namespace Dure.Test.Fleet.Roles.Redis;

/// <summary>The real redis-server and redis-sentinel, three of each on addresses of a private loopback, started as the units start them.</summary>
public sealed class RedisScriptTest
{
    [Fact]
    public async Task A_primary_that_died_comes_back_as_a_replica_and_one_that_was_stopped_goes_on()
    {
        var (code, text) = await RunAsync(
            """
            for n in 1 2 3; do sentinel $n; done
            for n in 1 2 3; do server $n; done
            on 1 acquaint && on 1 healthy && on 2 healthy && on 3 healthy && on 1 leads || exit 10
            ! on 2 leads || exit 11
            say 2 SET known yes | grep -q READONLY || exit 12
            say 1 SET known yes | grep -q OK || exit 13

            # The process dies: another leads soon, without the silence being waited for, and this one follows.
            stop 1 server
            server 1
            on 2 leads && first=2 || first=3
            on $first leads || exit 14
            grep -q replicaof /run/1/dure.conf || exit 15
            until on 1 healthy >/dev/null; do sleep 0.1; done
            say 1 GET known | grep -q yes || exit 16

            # It is stopped, and so has written everything: it goes on as primary at once.
            until on $first healthy >/dev/null; do sleep 0.1; done
            stop $first server
            SERVICE_RESULT=success sh /role.$first stopped
            server $first
            grep -qx '# primary' /run/$first/dure.conf || exit 17
            on $first leads && say $first GET known | grep -q yes || exit 18

            # The machine loses power: another is primary, and this one follows when it is back, although its own file knows nothing of that.
            # A sentinel whose failover has not ended when the new primary dies waits until that is back: two losses within seconds. Who is primary it says before, but not of its record.
            agreed() {
                first=
                for n in 1 2 3; do
                    named=$(redis-cli -h 10.77.5.1$n -p 26379 SENTINEL MASTER dure | grep -xA1 ip | tail -n 1)
                    [ "${first:-${named#10.77.5.1}}" = "${named#10.77.5.1}" ] || return 1
                    first=${named#10.77.5.1}
                done
                on $first healthy >/dev/null
            }
            until agreed; do sleep 0.1; done
            stop $first server; stop $first sentinel; rm -rf /run/$first
            others=$(echo 1 2 3 | tr -d $first)
            led() { for n in $others; do on $n leads && return; done; return 1; }
            for try in $(seq 400); do led && break; sleep 0.1; done
            led || { tail -n 12 /tmp/sentinel.*; exit 19; }
            sentinel $first; server $first
            grep -q replicaof /run/$first/dure.conf || exit 20
            until on $first healthy >/dev/null; do :; done
            say $first GET known | grep -q yes || exit 21
            ! on $first leads || exit 22

            # Its log cannot be read: it goes aside, and the primary is copied.
            stop $first server
            for file in /var/lib/redis/$first/appendonlydir/*.aof; do printf 'not a log' >"$file"; done
            sh /role.$first start
            ! timeout 5 redis-server /run/$first/dure.conf --include /etc/redis/$first.conf >/dev/null || exit 25
            SERVICE_RESULT=exit-code sh /role.$first stopped
            server $first
            until on $first healthy >/dev/null; do sleep 0.1; done
            say $first GET known | grep -q yes && [ -d /var/lib/redis/$first/appendonlydir.unread ] || exit 26

            # A setting that changes later arrives.
            sed -i 's/^down_after=.*/down_after=7000/' /role.2 && on 2 watch || exit 23
            redis-cli -h 10.77.5.12 -p 26379 SENTINEL MASTER dure | grep -A1 down-after | grep -q 7000 || exit 24
            """);
        Assert.True(code == 0, $"{code}: {text}");
    }

    [Fact]
    public async Task A_replica_that_no_sentinel_knows_and_that_follows_nobody_is_brought_back()
    {
        var (code, text) = await RunAsync(
            """
            for n in 1 2 3; do sentinel $n; done
            for n in 1 2 3; do server $n; done
            on 1 acquaint && on 3 acquaint && on 3 healthy || exit 1
            say 3 REPLICAOF 10.77.5.19 6379
            until say 1 INFO replication | grep -q connected_slaves:1; do sleep 0.1; done
            for n in 1 2 3; do redis-cli -h 10.77.5.1$n -p 26379 SENTINEL RESET dure; done
            ! on 1 acquainted && ! on 3 acquainted && ! on 3 healthy || exit 2
            on 3 acquaint && on 3 healthy && on 1 acquaint || exit 3
            """);
        Assert.True(code == 0, $"{code}: {text}");
    }

    [Fact]
    public async Task A_server_that_hears_no_majority_of_the_sentinels_does_not_start()
    {
        var (code, text) = await RunAsync(
            """
            sentinel 1
            timeout 5 sh /role.1 start
            [ $? -eq 124 ] && [ ! -e /run/1/dure.conf ] || exit 1
            sentinel 2
            timeout 5 sh /role.1 start || exit 2
            grep -qx '# primary' /run/1/dure.conf || exit 3
            """);
        Assert.True(code == 0, $"{code}: {text}");
    }

    // Sentinel would take it, write it down without quotes, and not start again.
    [Fact]
    public async Task A_password_that_Sentinel_could_not_read_again_is_refused_at_once()
    {
        var (code, text) = await RunAsync("sentinel 1", "s\"e c");
        Assert.Equal(30, code);
        Assert.Contains("redis_password: Sentinel takes", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redis_refuses_a_setting_that_it_does_not_know()
    {
        var (code, text) = await RunAsync(
            """
            echo 'min-replicas-to-writ 1' >>/etc/redis/1.conf
            mkdir -p /run/1 /var/lib/redis/1 && : >/run/1/dure.conf
            timeout 5 redis-server /run/1/dure.conf --include /etc/redis/1.conf
            """);
        Assert.NotEqual(0, code);
        Assert.NotEqual(124, code);
        Assert.Contains("min-replicas-to-writ", text, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Text)> RunAsync(string command, string secret = "s3c:r+t")
    {
        var fleet = FleetSamples.Of([("redis.down_after", "1s")], ("n1", "redis"), ("n2", "redis"), ("n3", "redis"));
        return DataValidators.Data.RunAsync($"{Tools}\n({command}\n)\ncode=$?\nfor file in /pid.*; do kill -9 $(cat $file) 2>/dev/null; done\nexit $code",
            TestContext.Current.CancellationToken, fleet.Machines.SelectMany(machine => Files(fleet, machine, secret)));
    }

    // Three machines in one folder: each has paths of its own, and nothing else differs.
    private static IEnumerable<(string Path, string Text)> Files(FleetModel fleet, Machine machine, string secret)
    {
        var number = machine.Order + 1;
        var state = FleetState.Of(fleet, machine, _ => secret);
        string Text(string path) => state.Files.Single(file => file.Path == path).Text
            .Replace("/run/redis", $"/run/{number}", StringComparison.Ordinal)
            .Replace("/var/lib/redis", $"/var/lib/redis/{number}", StringComparison.Ordinal)
            .Replace(" 127.0.0.1", "", StringComparison.Ordinal);
        yield return ($"/etc/redis/{number}.conf", Text("/etc/redis/dure.conf"));
        yield return ($"/etc/redis/sentinel-{number}.conf", Text("/etc/redis/dure-sentinel.conf"));
        yield return ($"/role.{number}", Text(RedisScript.Path));
        yield return ($"/var/lib/redis/{number}/sentinel.conf", Text("/var/lib/redis/sentinel.conf"));
        yield return ("/etc/redis/dure-password", Text("/etc/redis/dure-password"));
    }

    private const string Tools =
        """
        for n in 1 2 3; do ip addr add 10.77.5.1$n/24 dev lo; done
        export REDISCLI_AUTH="$(cat /etc/redis/dure-password)"
        sentinel() {
            redis-sentinel /var/lib/redis/$1/sentinel.conf --include /etc/redis/sentinel-$1.conf >/tmp/sentinel.$1 2>&1 &
            echo $! >/pid.$1.sentinel
            sh /role.$1 watch || { tail -n 3 /tmp/sentinel.$1; exit 30; }
        }
        server() {
            sh /role.$1 start
            redis-server /run/$1/dure.conf --include /etc/redis/$1.conf >/tmp/server.$1 2>&1 &
            echo $! >/pid.$1.server
            until say $1 PING | grep -q PONG; do kill -0 $(cat /pid.$1.server) || { tail -n 3 /tmp/server.$1; exit 31; }; sleep 0.1; done
        }
        stop() { kill -9 $(cat /pid.$1.$2); }
        say() { n=$1; shift; redis-cli -h 10.77.5.1$n "$@" 2>&1; }
        on() { sh /role.$1 $2; }
        """;
}
