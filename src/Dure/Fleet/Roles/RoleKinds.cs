using Dure.Fleet.Roles.Etcd;
using Dure.Fleet.Roles.Galera;
using Dure.Fleet.Roles.Postgres;
using Dure.Fleet.Roles.Redis;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>Every role that there is, in the order in which a machine gets them.</summary>
internal static class RoleKinds
{
    /// <summary>All of them. <c>base</c> is every machine's and is not named in the file.</summary>
    public static IReadOnlyList<RoleKind> All { get; } =
    [
        BaseRole.Kind,
        EtcdRole.Kind,
        PostgresRole.Kind,
        RedisRole.Kind,
        GaleraRole.Kind,
    ];

    /// <summary>Those that a file may name.</summary>
    public static IEnumerable<RoleKind> Named => All.Where(role => role != BaseRole.Kind);

    /// <summary>The settings of all roles by key.</summary>
    public static IReadOnlyDictionary<string, Setting> Settings { get; } =
        All.SelectMany(role => role.Settings).ToDictionary(setting => setting.Key, StringComparer.Ordinal);

    public static RoleKind? Find(string name) => Named.FirstOrDefault(role => role.Name == name);
}
