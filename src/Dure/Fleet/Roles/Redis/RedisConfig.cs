namespace Dure.Fleet.Roles.Redis;

/// <summary>
/// What Redis and Sentinel are told. Both rewrite the file that they are started with, and write all that they run with into it: so neither is started with these. They come
/// as an include at the end of the command line, where they overrule what was written before, and a changed setting arrives with the next start.
/// </summary>
internal static class RedisConfig
{
    public static string Server(RoleScope scope) => RoleScope.Invariant(
        $"""
        bind {scope.Address} 127.0.0.1
        port 6379
        protected-mode yes
        dir /var/lib/redis
        logfile ""
        requirepass {Quoting.Redis(scope.Secret("redis_password"))}
        masterauth {Quoting.Redis(scope.Secret("redis_password"))}
        replica-announce-ip {scope.Address}
        replica-announce-port 6379
        appendonly yes
        appendfsync {scope.Get(RedisRole.Fsync)}
        save ""
        min-replicas-to-write {RedisRole.MinReplicasOf(scope.Fleet)}
        min-replicas-max-lag {(long)scope.Get(RedisRole.MaxLag).TotalSeconds}
        repl-diskless-sync yes
        repl-diskless-sync-delay 0
        repl-timeout 10
        repl-ping-replica-period 1
        tcp-keepalive 10
        maxmemory {scope.Get(RedisRole.Memory)}
        maxmemory-policy volatile-lru

        """);

    public static string Sentinel(RoleScope scope) =>
        $"""
        bind {scope.Address} 127.0.0.1
        port 26379
        protected-mode yes
        dir /var/lib/redis
        logfile ""
        requirepass {Quoting.Redis(scope.Secret("redis_password"))}
        sentinel announce-ip {scope.Address}

        """;
}
