using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Nfs;

/// <summary>
/// One server with the kernel's NFS. Its generated files are compared with golden ones and read by exportfs; it was not run: the kernel that the lab's machines
/// share has no NFS, neither as server nor as client.
/// </summary>
internal static class NfsRole
{
    public const string Name = "nfs";

    public static readonly Setting<string> Folder = SettingKinds.Folder("nfs.folder", "/srv/shared", "The shared folder: on the server and, under the same name, on every machine with nfs-client.");

    public static readonly RoleKind Kind = new(Name, "One server that shares a folder over NFS 4.2 (checked by golden files and exportfs; lab machines have no NFS in their kernel).", Build)
    {
        Settings = [Folder],
        Ports = static _ => [new(2049, "tcp", "NFS", Reach.Roles) { From = [NfsClientRole.Name] }],
        Services = static _ =>
        [
            new("NFS files", "files", new Condition.AnyOf(Name)) { Note = "Without the server its clients wait, and go on when it is back; nothing that was written is lost." },
        ],
        Demand = static _ => new(0.1, 256L << 20, 10L << 30),
        Data = ["/srv/shared"],
        Check = Find,
    };

    private const string Exports = "/etc/exports.d/dure.exports";
    private const string Server = "/etc/nfs.conf.d/dure.conf";

    private static void Build(RoleScope scope) => scope
        .Package("nfs-kernel-server")
        .Folder(scope.Get(Folder))
        .File(Server, "[nfsd]\nvers3=n\nvers4=y\nvers4.2=y\nthreads=16\n[mountd]\nmanage-gids=y\n")
        .File(Exports, Text(scope.Fleet))
        // NFS 4 needs neither the port mapper nor its helpers.
        .Unit("rpcbind.socket", Desired.UnitState.Masked)
        .Unit("rpcbind.service", Desired.UnitState.Masked)
        .Unit("nfs-server.service", with: static unit => unit with { RestartOn = [Server], ReloadOn = [Exports] })
        .Healthy("the folder is shared", "exportfs -s | grep -q . && timeout 2 bash -c '</dev/tcp/127.0.0.1/2049'");

    /// <summary>One line a client. <c>sync</c>: what was answered is on the disk. <c>no_root_squash</c>: services of the clients make their folders as root.</summary>
    private static string Text(FleetModel fleet)
    {
        var clients = fleet.With(NfsClientRole.Name).Select(client => $"{fleet.Get(Folder)} {fleet.AddressOf(client)}(rw,sync,no_subtree_check,no_root_squash)\n");
        return string.Concat(clients);
    }

    private static IEnumerable<Finding> Find(FleetModel fleet)
    {
        var servers = fleet.With(Name);
        foreach (var more in servers.Skip(1))
        {
            yield return new(
                "nfs-servers",
                Severity.Error,
                more.Place,
                $"nfs is on {string.Join(" and ", servers.Select(server => server.Name))}: each would share a folder of its own, with different files.",
                $"Leave nfs on one machine and give {more.Name} nfs-client, or use gluster for files in three copies.");
        }

        foreach (var machine in servers.Where(server => server.Has(NfsClientRole.Name)))
            yield return new("nfs-twice", Severity.Error, machine.Place, $"{machine.Name} has both nfs and nfs-client: it would mount its own folder over itself.", $"Take nfs-client from {machine.Name}.");

        foreach (var machine in fleet.Machines.Where(machine =>
            fleet.Get(Folder) == fleet.Get(Gluster.GlusterRole.Mount) && (machine.Has(Name) || machine.Has(NfsClientRole.Name))
            && (machine.Has(Gluster.GlusterRole.Name) || machine.Has(Gluster.GlusterClientRole.Name))))
        {
            yield return new(
                "nfs-over-gluster",
                Severity.Error,
                machine.Place,
                $"{machine.Name} would find both NFS's and GlusterFS's files at {fleet.Get(Folder)}.",
                "Set nfs.folder or gluster.mount to another folder.");
        }
    }
}
