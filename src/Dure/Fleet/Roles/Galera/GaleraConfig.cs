using System.Globalization;

namespace Dure.Fleet.Roles.Galera;

/// <summary>MariaDB's settings for a member of the cluster.</summary>
internal static class GaleraConfig
{
    /// <summary>Read after the distribution's own files, and so over them.</summary>
    public const string Path = "/etc/mysql/mariadb.conf.d/90-dure.cnf";

    /// <summary>It finds unknown settings, but not misspelt words within <c>wsrep_provider_options</c>.</summary>
    public const string Check = "mariadbd --defaults-file=\"$new\" --user=mysql --help --verbose >/dev/null";

    public static string Of(RoleScope scope)
    {
        var host = Quoting.Host(scope.Address);
        var members = scope.Members.Select(machine => Quoting.Host(scope.Fleet.AddressOf(machine)));

        // A copy stops the member that gives it from taking writes. The balancer writes to the first: it gives last.
        var donors = scope.Members.Reverse().Where(machine => machine != scope.Machine).Select(machine => machine.Name);
        return RoleScope.Invariant(
            $"""
            [mysqld]
            bind-address = {scope.Address}
            max_connections = 200
            max_allowed_packet = 64M
            innodb_buffer_pool_size = {scope.Get(GaleraRole.BufferPool)}
            innodb_flush_log_at_trx_commit = {scope.Get(GaleraRole.Flush)}
            innodb_autoinc_lock_mode = 2
            innodb_lock_wait_timeout = 900
            default_storage_engine = InnoDB
            binlog_format = ROW
            transaction_isolation = READ-COMMITTED
            skip-name-resolve

            wsrep_on = ON
            wsrep_provider = /usr/lib/galera/libgalera_smm.so
            wsrep_cluster_name = dure
            wsrep_cluster_address = gcomm://{string.Join(',', members)}
            wsrep_node_name = {scope.Machine.Name}
            wsrep_node_address = {host}
            wsrep_slave_threads = 4
            wsrep_sst_method = rsync
            wsrep_sst_donor = {string.Concat(donors.Select(name => name + ","))}
            wsrep_provider_options = "{string.Join("; ", Provider(scope, host))}"

            """);
    }

    // Recovery of a lost majority is this role's own script, which sees positions; the provider's would not wait for the newest.
    private static IEnumerable<string> Provider(RoleScope scope, string host) =>
    [
        $"gmcast.listen_addr=tcp://{host}:4567",
        "evs.keepalive_period=PT0.5S",
        "evs.inactive_check_period=PT0.25S",
        $"evs.suspect_timeout={Seconds(scope.Get(GaleraRole.Suspect))}",
        $"evs.inactive_timeout={Seconds(scope.Get(GaleraRole.Inactive))}",
        $"evs.install_timeout={Seconds(scope.Get(GaleraRole.Inactive))}",
        string.Create(CultureInfo.InvariantCulture, $"gcache.size={scope.Get(GaleraRole.Gcache) >> 20}M"),
        "gcache.recover=yes",
        "pc.recovery=false",
    ];

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"PT{time.TotalSeconds:0.###}S");
}
