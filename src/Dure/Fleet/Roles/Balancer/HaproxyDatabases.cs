using System.Text;
using Dure.Fleet.Model;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>The databases on the virtual address. Redis is not among them: its clients ask the Sentinels.</summary>
internal static class HaproxyDatabases
{
    /// <summary>Adds a section for each kind of database that the fleet has.</summary>
    public static void Add(StringBuilder text, RoleScope scope)
    {
        var galera = scope.Fleet.With("galera");
        if (galera.Count > 0)
            AddGalera(text, scope, galera);
        var postgres = scope.Fleet.With("postgres");
        if (postgres.Count == 0)
            return;
        AddPostgres(text, scope, "postgres", BalancerPorts.Postgres, "/primary", postgres);
        AddPostgres(text, scope, "postgres_read", BalancerPorts.PostgresReadOnly, "/read-only", postgres);
    }

    // One machine is written to at a time. The table remembers which (balancers tell each other), so that one that returns does not become a second writer beside the one in use.
    private static void AddGalera(StringBuilder text, RoleScope scope, IReadOnlyList<Machine> servers)
    {
        text.Append(Invariant(
            $"""
            listen galera
                {HaproxyConfig.Bind(scope.Fleet.Front?.Vip, BalancerPorts.Galera)}
                mode tcp
                option tcplog
                option httpchk
                http-check send meth GET uri /
                http-check expect status 200
                stick-table type ip size 1 nopurge peers fleet
                stick on dst

            """));
        foreach (var (index, server) in servers.Index())
            text.Append(Invariant($"    server {server.Name} {scope.AddressOf(server)}:{BalancerPorts.Galera} port {BalancerPorts.GaleraCheck}{(index == 0 ? "" : " backup")} on-marked-down shutdown-sessions\n"));
        text.Append('\n');
    }

    // Patroni says which one it is; a primary that is none any more loses its sessions, so that nobody goes on writing to it.
    private static void AddPostgres(StringBuilder text, RoleScope scope, string name, int port, string path, IReadOnlyList<Machine> servers)
    {
        text.Append(Invariant(
            $"""
            listen {name}
                {HaproxyConfig.Bind(scope.Fleet.Front?.Vip, port)}
                mode tcp
                option tcplog
                balance leastconn
                option httpchk
                http-check send meth OPTIONS uri {path}
                http-check expect status 200

            """));

        // Patroni says it once it is so: to ask twice would only make a failover longer.
        foreach (var server in servers)
            text.Append(Invariant($"    server {server.Name} {scope.AddressOf(server)}:{BalancerPorts.Postgres} port {BalancerPorts.Patroni} rise 1 on-marked-down shutdown-sessions\n"));
        text.Append('\n');
    }
}
