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
    public static IEnumerable<RoleKind> On(FleetModel fleet, Machine machine) =>
        All.Where(role => role.Everywhere?.Invoke(fleet) ?? machine.Has(role.Name) || machine.Roles.Any(given => Comes(role.Name, Find(given.Role))));

    /// <summary>The settings of all roles by key.</summary>
    public static IReadOnlyDictionary<string, Setting> Settings { get; } =
        All.SelectMany(role => role.Settings).ToDictionary(setting => setting.Key, StringComparer.Ordinal);

    /// <summary>Every tier that a fleet can have objectives for.</summary>
    public static IReadOnlyList<string> Tiers { get; } = ["vip", "web", "api", "postgres", "redis", "galera", "slurm-db", "slurmctld", "files", "monitor"];

    public static RoleKind? Find(string name) => Named.FirstOrDefault(role => role.Name == name);

    private static bool Comes(string role, RoleKind? with) =>
        with is not null && with.Includes.Any(included => included == role || Comes(role, Find(included)));
}
