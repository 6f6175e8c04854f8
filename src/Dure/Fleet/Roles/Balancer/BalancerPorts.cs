using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>What balancers listen on. The ports of databases are bound on the virtual address alone, so a machine may have the database too.</summary>
internal static class BalancerPorts
{
    /// <summary>HAProxy's own pages: alive, metrics, statistics.</summary>
    public const int Internal = 8404;

    /// <summary>Balancers tell each other which database they write to.</summary>
    public const int Peers = 8405;

    public const int Galera = 3306;

    /// <summary>Where a machine of Galera tells whether it may serve.</summary>
    public const int GaleraCheck = 9200;

    public const int Postgres = 5432;

    public const int PostgresReadOnly = 5433;

    /// <summary>Patroni's REST interface.</summary>
    public const int Patroni = 8008;

    public static IEnumerable<Port> Of(FleetModel fleet)
    {
        var only = fleet.Front is not null;
        yield return new(80, "tcp", "HTTP", Reach.World) { OnVip = true, OnlyVip = only };
        if (fleet.Get(BalancerSettings.Tls))
            yield return new(443, "tcp", "HTTPS", Reach.World) { OnVip = true, OnlyVip = only };
        if (fleet.Front is not null && fleet.With("balancer").Count > 1)
            yield return new(0, "vrrp", "VRRP", Reach.Roles) { From = ["balancer"] };
        yield return new(Internal, "tcp", "HAProxy's pages", Reach.Roles) { From = ["monitor", "balancer"] };
        yield return new(Peers, "tcp", "HAProxy's peers", Reach.Roles) { From = ["balancer"] };
        if (fleet.With("galera").Count > 0)
            yield return new(Galera, "tcp", "MariaDB's writer", Reach.Fleet) { OnVip = true, OnlyVip = only };
        if (fleet.With("postgres").Count == 0)
            yield break;
        yield return new(Postgres, "tcp", "PostgreSQL's primary", Reach.Fleet) { OnVip = true, OnlyVip = only };
        yield return new(PostgresReadOnly, "tcp", "PostgreSQL to read", Reach.Fleet) { OnVip = true, OnlyVip = only };
    }
}
