using System.Security.Cryptography;
using System.Text;
using Dure.Host.Programs;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>
/// A machine's disk: an overlay of the base image whose upper layer is an ext4 file system of the machine's own, in a sparse file. So it is as
/// large as the spec says and can be full; what the machine did not write costs nothing.
/// </summary>
internal sealed class MachineDisk(LabFolder folder, LabRecord record, MachineRecord machine)
{
    private const string NetworkUnit = "dure-lab-network.service";
    private readonly string _folder = folder.Machine(machine.Name);

    /// <summary>The machine's root file system while it is mounted.</summary>
    public string Root => Path.Combine(_folder, "root");

    private string Image => Path.Combine(_folder, "disk.img");

    private string Mounted => Path.Combine(_folder, "disk");

    private string Upper => Path.Combine(Mounted, "upper");

    private string Whole => Path.Combine(_folder, "disk.made");

    /// <summary>Bytes of the host's disk that it takes.</summary>
    public async Task<long> UsedAsync(CancellationToken cancel)
    {
        var ran = await HostProgram.RunAsync(["stat", "--format=%b", Image], cancel);
        return long.TryParse(ran.Output.Trim(), out var blocks) ? blocks * 512 : 0;
    }

    /// <summary>Makes it at the first time, and mounts it.</summary>
    public async Task<Problem?> MountAsync(CancellationToken cancel)
    {
        if (MountTable.Under(Root).Count > 0)
            return null;
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Mounted);
        if (MountTable.Under(Mounted).Count == 0)
        {
            if (await (File.Exists(Whole) ? RepairAsync(cancel) : MakeAsync(cancel)) is { } failed)
                return failed;
            if (await LabProgram.DoAsync(cancel, "mount", "-o", "loop,noatime", Image, Mounted) is { } unmounted)
                return unmounted;
        }
        if (!File.Exists(Whole))
        {
            await SeedAsync(cancel);
            await File.WriteAllTextAsync(Whole, "", cancel);
        }
        var layers = $"lowerdir={record.Root},upperdir={Upper},workdir={Path.Combine(Mounted, "work")}";
        return await LabProgram.DoAsync(cancel, "mount", "-t", "overlay", "dure-lab-" + machine.Id, "-o", layers, Root);
    }

    private async Task<Problem?> MakeAsync(CancellationToken cancel)
    {
        File.Delete(Image);
        await using (var file = new FileStream(Image, FileMode.CreateNew))
            file.SetLength(record.DiskBytes);
        // No journal: a lab's disk that was not closed cleanly is repaired or thrown away, and commits are as fast as on a server's disk.
        return await LabProgram.DoAsync(cancel, "mkfs.ext4", "-q", "-m", "0", "-i", "32768", "-O", "^has_journal", "-E", "assume_storage_prezeroed=1", Image);
    }

    // The host may have gone down with it.
    private async Task<Problem?> RepairAsync(CancellationToken cancel)
    {
        string[] words = ["e2fsck", "-p", Image];
        var ran = await HostProgram.RunAsync(words, cancel);
        return ran.ExitCode <= 1 ? null : LabProgram.Failure(words, ran);
    }

    // The upper layer is empty and ours alone: no link of the image can lead a write elsewhere.
    private async Task SeedAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.Combine(Mounted, "work"));
        Folder("", UnixFileMode.None);
        Folder("root", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, exact: true);
        Folder("root/.ssh", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, exact: true);
        foreach (var shared in new[] { "etc", "etc/ssh", "etc/ssh/sshd_config.d", "etc/apt", "etc/systemd", "etc/systemd/system", "etc/systemd/system/multi-user.target.wants" })
            Folder(shared, UnixFileMode.None);
        await PutAsync("root/.ssh/authorized_keys", await File.ReadAllTextAsync(folder.Key + ".pub", cancel), secret: true, cancel);
        await PutAsync("etc/hostname", machine.Name + "\n", secret: false, cancel);
        await PutAsync("etc/machine-id", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder.Path + machine.Id)))[..32] + "\n", secret: false, cancel);
        await PutAsync("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" + string.Concat(record.Machines.Select(other => $"{record.AddressOf(other)} {other.Name}\n")), secret: false, cancel);
        await PutAsync("etc/apt/sources.list", PackageServer.SourceLine(record), secret: false, cancel);
        var key = LabAccess.HostKey(folder, machine.Name);
        await PutAsync("etc/ssh/ssh_host_ed25519_key", await File.ReadAllTextAsync(key, cancel), secret: true, cancel);
        await PutAsync("etc/ssh/ssh_host_ed25519_key.pub", await File.ReadAllTextAsync(key + ".pub", cancel), secret: false, cancel);
        await PutAsync("etc/ssh/sshd_config.d/dure-lab.conf", "HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\n", secret: false, cancel);
        await PutAsync("etc/systemd/system/" + NetworkUnit, Unit(), secret: false, cancel);
        File.CreateSymbolicLink(Path.Combine(Upper, "etc/systemd/system/multi-user.target.wants", NetworkUnit), "/etc/systemd/system/" + NetworkUnit);
    }

    // The machine takes its address by itself, so that it has it again after a reboot from inside. Without a default route, what has no way out fails at once.
    private string Unit() => $"""
        [Unit]
        Description=The address of this machine in its lab
        DefaultDependencies=no
        Wants=network.target
        Before=network.target ssh.service
        After=systemd-sysctl.service

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/bin/ip addr replace {record.AddressOf(machine)}/24 dev host0
        ExecStart=/bin/ip link set host0 up

        [Install]
        WantedBy=multi-user.target

        """;

    // As it is below, or exactly as said.
    private void Folder(string path, UnixFileMode mode, bool exact = false)
    {
        var made = Path.Combine(Upper, path);
        Directory.CreateDirectory(made);
        File.SetUnixFileMode(made, exact ? mode : File.GetUnixFileMode(Path.Combine(record.Root, path)));
    }

    private async Task PutAsync(string file, string text, bool secret, CancellationToken cancel)
    {
        var path = Path.Combine(Upper, file);
        await File.WriteAllTextAsync(path, text, cancel);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | (secret ? UnixFileMode.None : UnixFileMode.GroupRead | UnixFileMode.OtherRead));
    }
}
