using System.Globalization;

namespace Dure.Fleet.Roles.Gluster;

/// <summary>A machine that uses the shared files and holds no copy of them.</summary>
internal static class GlusterClientRole
{
    public const string Name = "gluster-client";

    public static readonly RoleKind Kind = new(Name, "Uses the shared files of the gluster machines, without a copy of its own.", Build)
    {
        Needs = [GlusterRole.Name],
        Demand = static _ => new(0.05, 128L << 20, 0),
    };

    private static void Build(RoleScope scope)
    {
        scope.Package("glusterfs-client", "glusterfs-cli");
        var asked = scope.Fleet.With(GlusterRole.Name).Select(member => string.Create(
            CultureInfo.InvariantCulture, $"gluster --remote-host={scope.AddressOf(member)} volume info {GlusterMount.Volume} 2> /dev/null | grep -q '^Status: Started'"));
        GlusterMount.Build(scope, string.Join(" || ", asked), "");
    }
}
