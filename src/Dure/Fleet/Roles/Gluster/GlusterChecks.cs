using System.Globalization;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Gluster;

/// <summary>What only GlusterFS's own rules find.</summary>
internal static class GlusterChecks
{
    public static IEnumerable<Finding> Find(FleetModel fleet)
    {
        var members = fleet.With(GlusterRole.Name);
        if (members.Count is not (0 or 3))
        {
            yield return new(
                "gluster-copies",
                Severity.Error,
                members[^1].Place,
                string.Create(CultureInfo.InvariantCulture, $"gluster is on {members.Count} machines ({string.Join(", ", members.Select(member => member.Name))}): files are kept in three copies, so that two agree when one is lost."),
                "Give gluster to exactly three machines; others that need the files get gluster-client.");
        }

        foreach (var machine in members.Where(member => member.Has(GlusterClientRole.Name)))
        {
            yield return new(
                "gluster-twice",
                Severity.Error,
                machine.Place,
                $"{machine.Name} has both gluster and gluster-client: the first mounts the files already.",
                $"Take gluster-client from {machine.Name}.");
        }

        if (members.Count > 0 && (Within(fleet.Get(GlusterRole.Brick), fleet.Get(GlusterRole.Mount)) || Within(fleet.Get(GlusterRole.Mount), fleet.Get(GlusterRole.Brick))))
        {
            yield return new(
                "gluster-folders",
                Severity.Error,
                members[0].Place,
                $"gluster.brick ({fleet.Get(GlusterRole.Brick)}) and gluster.mount ({fleet.Get(GlusterRole.Mount)}) lie in each other: the mount would hide the copy that it is made of.",
                "Choose two folders that are apart, such as /srv/gluster and /srv/shared.");
        }
    }

    private static bool Within(string path, string folder) =>
        path == folder || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);
}
