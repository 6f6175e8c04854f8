using Dure.Fleet.Model;
using Dure.Fleet.Roles.Gluster;
using Dure.Fleet.Roles.Nfs;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>Where a machine has a folder from.</summary>
internal enum FolderSource
{
    /// <summary>Its own disk.</summary>
    Local,

    /// <summary>The fleet's GlusterFS volume.</summary>
    Gluster,

    /// <summary>The fleet's NFS server, or it is that server.</summary>
    Nfs,

    /// <summary>A disk that the file declares and that several machines can have: a remote one.</summary>
    Disk,
}

/// <summary>Where a machine has a folder from, and under which path that is mounted.</summary>
/// <param name="What">What tells it from another: two machines see the same files when it is equal.</param>
internal sealed record StateFolder(FolderSource Source, string Mount, string What)
{
    private static readonly string[] RemoteFileSystems = ["nfs", "nfs4", "glusterfs", "ceph", "cifs", "lustre", "beegfs", "gfs2", "ocfs2", "gpfs"];

    public static StateFolder Of(FleetModel fleet, Machine machine, string path)
    {
        var disk = machine.Disks.Where(disk => Under(path, disk.Path)).MaxBy(disk => disk.Path.Length);
        var gluster = machine.Has(GlusterRole.Name) || machine.Has(GlusterClientRole.Name) ? fleet.Get(GlusterRole.Mount) : null;
        var nfs = machine.Has(NfsRole.Name) || machine.Has(NfsClientRole.Name) ? fleet.Get(NfsRole.Folder) : null;
        if (gluster is not null && Under(path, gluster))
            return new(FolderSource.Gluster, gluster, "gluster");
        if (nfs is not null && Under(path, nfs))
            return new(FolderSource.Nfs, nfs, "nfs");
        return disk is not null && RemoteFileSystems.Contains(disk.FileSystem, StringComparer.Ordinal)
            ? new(FolderSource.Disk, disk.Path, disk.Device)
            : new(FolderSource.Local, "/", machine.Name);
    }

    private static bool Under(string path, string folder) => path == folder || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);
}
