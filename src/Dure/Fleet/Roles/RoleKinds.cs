using System.Collections.Frozen;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Etcd;
using Dure.Fleet.Roles.Firewall;
using Dure.Fleet.Roles.Galera;
using Dure.Fleet.Roles.Gluster;
using Dure.Fleet.Roles.Monitor;
using Dure.Fleet.Roles.Munge;
using Dure.Fleet.Roles.Nfs;
using Dure.Fleet.Roles.Overlay;
using Dure.Fleet.Roles.Postgres;
using Dure.Fleet.Roles.Redis;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Slurm;
using Dure.Fleet.Roles.Web;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>Every role that there is, in the order in which a machine gets them.</summary>
internal static class RoleKinds
{
    /// <summary>All of them. <c>base</c> is every machine's and is not named in the file.</summary>
    public static IReadOnlyList<RoleKind> All { get; } =
    [
        BaseRole.Kind,
        OverlayRole.Kind,
        ServerRole.Kind,
        WebRole.Kind,
        EdgeRole.Kind,
        BalancerRole.Kind,
        MonitorRole.Kind,
        EtcdRole.Kind,
        PostgresRole.Kind,
        RedisRole.Kind,
        GaleraRole.Kind,
        MungeRole.Kind,
        GlusterRole.Kind,
        GlusterClientRole.Kind,
        NfsRole.Kind,
        NfsClientRole.Kind,
        SlurmClientRole.Kind,
        SlurmDbRole.Kind,
        SlurmControllerRole.Kind,
        SlurmNodeRole.Kind,

        // These look at the roles before them: what they call healthy, and what they listen on.
        ExporterRole.Kind,
        FirewallRole.Kind,
    ];

    /// <summary>Those that a file may name.</summary>
    public static IEnumerable<RoleKind> Named => All.Where(role => role.Everywhere is null);

    /// <summary>What a machine gets, in order: the roles that every machine has, those that the file gives it, and those that come with them.</summary>
    public static IEnumerable<RoleKind> On(FleetModel fleet, Machine machine) => All.Where(role => Has(fleet, machine, role));

    /// <summary>Whether a machine gets a role.</summary>
    public static bool Has(FleetModel fleet, Machine machine, RoleKind role)
    {
        if (role.Everywhere is { } everywhere)
            return everywhere(fleet);
        foreach (var given in machine.Roles)
        {
            if (given.Role == role.Name || (Brought.TryGetValue(given.Role, out var brought) && brought.Contains(role.Name)))
                return true;
        }

        return false;
    }

    /// <summary>The settings of all roles by key.</summary>
    public static IReadOnlyDictionary<string, Setting> Settings { get; } =
        All.SelectMany(role => role.Settings).ToDictionary(setting => setting.Key, StringComparer.Ordinal);

    /// <summary>Every tier that a fleet can have objectives for.</summary>
    public static IReadOnlyList<string> Tiers { get; } = ["vip", "web", "api", "functions", "websocket", "postgres", "redis", "galera", "slurm-db", "slurmctld", "files", "monitor"];

    public static RoleKind? Find(string name) => ByName.GetValueOrDefault(name);

    private static readonly FrozenDictionary<string, RoleKind> ByName = Named.ToFrozenDictionary(role => role.Name, StringComparer.Ordinal);

    // By a role's name: what comes with it, and with that, and so on.
    private static readonly FrozenDictionary<string, FrozenSet<string>> Brought =
        Named.Where(role => role.Includes.Count > 0).ToFrozenDictionary(role => role.Name, role => Inclusions(role).ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);

    private static IEnumerable<string> Inclusions(RoleKind role) => role.Includes.Concat(role.Includes.SelectMany(included => Find(included) is { } kind ? Inclusions(kind) : []));
}
