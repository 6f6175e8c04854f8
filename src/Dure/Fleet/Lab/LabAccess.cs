using System.Text;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>How the operator signs in: a key for the lab, the machines' own keys known beforehand, and a configuration for OpenSSH.</summary>
internal static class LabAccess
{
    /// <summary>The file of a machine's own key.</summary>
    public static string HostKey(LabFolder folder, string machine) => Path.Combine(folder.Machine(machine), "ssh_host_ed25519_key");

    /// <summary>Makes what is missing and writes the configuration.</summary>
    public static async Task<Problem?> EnsureAsync(LabFolder folder, LabRecord record, CancellationToken cancel)
    {
        var makes = new List<Task<Problem?>> { MakeKeyAsync(folder.Key, "dure-lab-" + record.Name, cancel) };
        foreach (var machine in record.Machines)
        {
            Directory.CreateDirectory(folder.Machine(machine.Name));
            makes.Add(MakeKeyAsync(HostKey(folder, machine.Name), machine.Name, cancel));
        }
        foreach (var failed in await Task.WhenAll(makes))
        {
            if (failed is not null)
                return failed;
        }
        var known = new StringBuilder();
        var config = new StringBuilder($"# Made by dure lab: ssh -F {folder.SshConfig} {record.Machines[0].Name}\n");
        foreach (var machine in record.Machines)
        {
            var address = record.AddressOf(machine);
            var key = (await File.ReadAllTextAsync(HostKey(folder, machine.Name) + ".pub", cancel)).Split(' ');
            known.Append($"{machine.Name},{address} {key[0]} {key[1]}\n");
            config.Append($"Host {machine.Name} {address}\n    HostName {address}\n    HostKeyAlias {machine.Name}\n");
        }
        config.Append($"""
            Host *
                User root
                IdentityFile "{folder.Key}"
                IdentitiesOnly yes
                UserKnownHostsFile "{folder.KnownHosts}"
                GlobalKnownHostsFile /dev/null
                StrictHostKeyChecking yes
                ConnectTimeout 5

            """);
        await File.WriteAllTextAsync(folder.KnownHosts, known.ToString(), cancel);
        await File.WriteAllTextAsync(folder.SshConfig, config.ToString(), cancel);
        return null;
    }

    private static async Task<Problem?> MakeKeyAsync(string path, string comment, CancellationToken cancel)
    {
        // The public half is written last.
        if (File.Exists(path + ".pub"))
            return null;
        File.Delete(path);
        return await LabProgram.DoAsync(cancel, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path);
    }
}
