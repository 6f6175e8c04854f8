using Dure.Fleet.Model;
using Dure.Fleet.Roles.Gluster;
using Dure.Fleet.Roles.Munge;
using Dure.Fleet.Roles.Nfs;
using Dure.Fleet.Roles.Slurm;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>Every role that there is, in the order in which a machine gets them.</summary>
internal static class RoleKinds
{
    /// <summary>All of them. <c>base</c> is every machine's and is not named in the file.</summary>
    public static IReadOnlyList<RoleKind> All { get; } =
    [
        BaseRole.Kind,
        MungeRole.Kind,
        GlusterRole.Kind,
        GlusterClientRole.Kind,
        NfsRole.Kind,
        NfsClientRole.Kind,
        SlurmClientRole.Kind,
        SlurmDbRole.Kind,
        SlurmControllerRole.Kind,
        SlurmNodeRole.Kind,
    ];

    /// <summary>Those that a file may name.</summary>
    public static IEnumerable<RoleKind> Named => All.Where(role => role != BaseRole.Kind);

    /// <summary>The settings of all roles by key.</summary>
    public static IReadOnlyDictionary<string, Setting> Settings { get; } =
        All.SelectMany(role => role.Settings).ToDictionary(setting => setting.Key, StringComparer.Ordinal);

    /// <summary>What a machine gets, in order: <c>base</c>, the roles that it names, and those that come with them.</summary>
    public static IEnumerable<RoleKind> On(Machine machine) =>
        All.Where(role => role == BaseRole.Kind || machine.Has(role.Name) || machine.Roles.Any(given => Comes(role.Name, Find(given.Role))));

    public static RoleKind? Find(string name) => Named.FirstOrDefault(role => role.Name == name);

    private static bool Comes(string role, RoleKind? with) =>
        with is not null && with.Includes.Any(included => included == role || Comes(role, Find(included)));
}
