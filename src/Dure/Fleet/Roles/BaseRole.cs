using Dure.Fleet.Desired;

namespace Dure.Fleet.Roles;

/// <summary>What every machine of a fleet has: the names of the others.</summary>
internal static class BaseRole
{
    public static readonly RoleKind Kind = new("base", "Every machine: names of the others, and the fleet's mounts.", Build)
    {
        Everywhere = static _ => true,
        Ports = static _ => [new(22, "tcp", "SSH", Reach.Management)],
    };

    private static void Build(RoleScope scope)
    {
        var names = scope.Fleet.Machines.Select(machine =>
            $"{scope.AddressOf(machine)} {machine.Name}{(scope.Fleet.Domain.Length > 0 ? $" {machine.Name}.{scope.Fleet.Domain}" : "")}");
        scope.File("/etc/hosts", string.Join('\n', names) + "\n", file => file with { Kind = FileKind.Block });
        foreach (var disk in scope.Machine.Disks)
            scope.Mount(disk.Path, disk.Device, disk.FileSystem, disk.Options);
    }
}
