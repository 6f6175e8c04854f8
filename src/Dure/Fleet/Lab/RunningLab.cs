using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dure.Fleet.Model;
using Dure.Host.Programs;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>
/// A lab on this host: machines to try a fleet on, and the faults that can happen to them. Everything it touches is in its record. Each fault
/// proves that it landed, or says DURE0846.
/// </summary>
internal sealed partial class RunningLab
{
    private readonly LabPlaces _places;
    private readonly LabFolder _folder;

    private RunningLab(LabPlaces places, LabFolder folder) => (_places, _folder) = (places, folder);

    /// <summary>The folder with the key, <c>ssh_config</c> and each machine's console.</summary>
    public LabFolder Folder => _folder;

    /// <summary>What it is made of, as recorded now.</summary>
    public Outcome<LabRecord> Record() => _folder.Read();

    /// <summary>A lab that was made before, or DURE0841.</summary>
    public static Outcome<RunningLab> Open(LabPlaces places, string name)
    {
        if (!FleetReader.NamePattern().IsMatch(name))
            return LabErrors.BadSpec.With($"`{name}` is no name for a lab.");
        var read = places.Lab(name).Read();
        return read.Ok ? new RunningLab(places, places.Lab(name)) : read.Problem;
    }

    /// <summary>Makes a lab, or what is missing of it, and boots what is off. What is there and runs is left alone.</summary>
    /// <param name="mirror">Where the distribution comes from.</param>
    /// <param name="say">Told what is being done.</param>
    public static async Task<Outcome<RunningLab>> UpAsync(LabPlaces places, LabSpec spec, string mirror, Action<string> say, CancellationToken cancel)
    {
        if (spec.Check() is { } wrong)
            return wrong;
        // mount(8) reads them as separators.
        if ((places.Cache + places.State).AsSpan().ContainsAny(",:\\"))
            return LabErrors.BadSpec.With($"The folders {places.Cache} and {places.State} must have no comma, colon or backslash in their names.");
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess || !LabCgroup.IsThere)
            return LabErrors.NotPossible.With(!OperatingSystem.IsLinux() ? "It is not Linux." : Environment.IsPrivilegedProcess ? "No control groups are mounted at /sys/fs/cgroup." : "You are not root.");
        using var held = await LabLock.TakeAsync("lab-" + spec.Name, TimeSpan.FromSeconds(1), cancel);
        if (held is null)
            return LabErrors.Busy.With($"The lab {spec.Name} is being made or ended.");
        var release = LabRelease.Find(spec.Os)!;
        var image = await BaseImage.EnsureAsync(places, release, mirror, say, cancel);
        if (!image.Ok)
            return image.Problem;
        var fetched = await new PackageCache(places, release, image.Value, mirror).EnsureAsync(spec.Packages, say, cancel);
        if (!fetched.Ok)
            return fetched.Problem;
        if (fetched.Value > 0)
            say($"{fetched.Value.ToString(CultureInfo.InvariantCulture)} packages fetched");
        var folder = places.Lab(spec.Name);
        var recorded = await RecordAsync(places, folder, spec, image.Value, cancel);
        if (!recorded.Ok)
            return recorded.Problem;
        var lab = new RunningLab(places, folder);
        return await lab.StartAsync(recorded.Value, spec.Machines, say, cancel) is { } failed ? failed : lab;
    }

    /// <summary>Ends the lab and removes all it made. Images and packages stay in the cache. May be done again after it was interrupted.</summary>
    public static async Task<Outcome<bool>> DownAsync(LabPlaces places, string name, CancellationToken cancel)
    {
        var folder = places.Lab(name);
        using var held = await LabLock.TakeAsync("lab-" + name, TimeSpan.FromSeconds(1), cancel);
        if (held is null)
            return LabErrors.Busy.With($"The lab {name} is being made or ended.");
        if (IsBarelyBegun(folder))
        {
            Directory.Delete(folder.Path, recursive: true);
            return true;
        }
        var read = folder.Read();
        if (!read.Ok)
            return read.Problem;
        var removed = await RemoveAsync(folder, read.Value, cancel);
        if (removed is not null)
            return removed;
        foreach (var file in new[] { "record-" + name, "lab-" + name })
            File.Delete(Path.Combine(LabPlaces.Locks, file + ".lock"));
        return true;
    }

    /// <summary>Runs a command inside a machine, as root, without SSH. The words are not put through a shell.</summary>
    public async Task<Outcome<Ran>> ExecAsync(string machine, IReadOnlyList<string> words, CancellationToken cancel)
    {
        var found = Up(machine);
        return found.Ok ? await InsideAsync(found.Value.Leader, words, cancel) : found.Problem;
    }

    /// <summary>True when a machine of the lab is on, and its SSH server answers.</summary>
    public async Task<Outcome<bool>> IsUpAsync(string machine, CancellationToken cancel)
    {
        var read = Record();
        if (!read.Ok)
            return read.Problem;
        var found = read.Value.Find(machine);
        return found.Ok ? found.Value.Leader() is not null && await Reachable.HasSshAsync(read.Value.AddressOf(found.Value), cancel) : found.Problem;
    }

    private static bool IsBarelyBegun(LabFolder folder) =>
        Directory.Exists(folder.Path) && !File.Exists(folder.Record)
        && Directory.GetFileSystemEntries(folder.Path).All(entry => Path.GetFileName(entry).StartsWith(".lab.json.", StringComparison.Ordinal));

    private static async Task<Outcome<LabRecord>> RecordAsync(LabPlaces places, LabFolder folder, LabSpec spec, string image, CancellationToken cancel)
    {
        using var held = await LabLock.TakeAsync("subnets", TimeSpan.FromSeconds(30), cancel);
        if (held is null)
            return LabErrors.Busy.With("Another lab chooses its network.");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder.Path)))[..6];
        MachineRecord Made(LabMachine machine) => new(machine.Name, machine.Octet, string.Create(CultureInfo.InvariantCulture, $"m{machine.Octet}-{hash}"), machine.Roles, null, []);
        MachineRecord Said(MachineRecord known) => spec.Machines.FirstOrDefault(machine => machine.Name == known.Name) is { } machine ? known with { Roles = machine.Roles } : known;
        var read = folder.Read();
        if (read.Ok)
        {
            var added = spec.Machines.Where(machine => read.Value.Machines.All(known => known.Name != machine.Name)).ToList();
            if (spec.Machines.FirstOrDefault(machine => read.Value.Machines.Any(known => known.Octet == machine.Octet != (known.Name == machine.Name))) is { } moved)
                return LabErrors.BadSpec.With($"{moved.Name} would have another address than it has, or one that another has: end the lab with `dure lab down` first.");
            return Directory.Exists(read.Value.Root)
                ? await folder.ChangeAsync(record => record with { Machines = [.. record.Machines.Select(Said), .. added.Select(Made)] }, cancel)
                : LabErrors.NotUp.With($"The image {read.Value.Root} that the lab stands on is gone: end it with `dure lab down`.");
        }
        if (Directory.Exists(folder.Path) && !IsBarelyBegun(folder))
            return LabErrors.NotOurs.With($"{folder.Path} holds no lab.json and is not empty.");
        var subnet = await LabNetwork.FreeSubnetAsync(places.Labs().Select(lab => lab.Read()).Where(lab => lab.Ok).Select(lab => lab.Value), cancel);
        if (!subnet.Ok)
            return subnet.Problem;
        var (network, link) = ("dure-lab-" + spec.Name, "dl-" + hash);
        if (LabNetwork.HasNamespace(network) || LabNetwork.HasLink(link))
            return LabErrors.NotOurs.With($"The network namespace {network} or the interface {link} exists.");
        Directory.CreateDirectory(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var made = new LabRecord(LabRecord.CurrentVersion, spec.Name, spec.Os, image, subnet.Value, network, link, network, spec.DiskBytes, null, [.. spec.Machines.Select(Made)]);
        folder.Write(made);
        // Within the lock: a lab of another folder sees only by this host's routes that the subnet is taken.
        return await LabNetwork.EnsureAsync(made, cancel) is { } noNetwork ? noNetwork : made;
    }

    private static async Task<Problem?> RemoveAsync(LabFolder folder, LabRecord record, CancellationToken cancel)
    {
        await Task.WhenAll(record.Machines.Select(machine => EndAsync(machine, cancel)));
        var cgroup = new LabCgroup(record.Cgroup);
        if (await cgroup.KillAsync("", TimeSpan.FromSeconds(20), cancel) is { Count: > 0 } left)
            return LabErrors.StepFailed.With($"Processes do not end: {string.Join(", ", left)}.");
        foreach (var mounted in MountTable.Under(folder.Path))
        {
            if (await LabProgram.DoAsync(cancel, "umount", mounted) is { } busy)
                return busy;
        }
        if (await LabNetwork.RemoveAsync(record, cancel) is { } stuck)
            return stuck;
        await cgroup.RemoveAsync("", cancel);
        // systemd-nspawn removes them when it ends by itself.
        foreach (var propagated in record.Machines.Select(machine => Path.Combine("/run/systemd/nspawn/propagate", machine.Id)).Where(Directory.Exists))
            Directory.Delete(propagated);
        // The record goes last: until then, this can be done again.
        foreach (var entry in Directory.GetFileSystemEntries(folder.Path).Where(entry => entry != folder.Record))
        {
            if (await LabProgram.DoAsync(cancel, "rm", "-rf", "--one-file-system", "--", entry) is { } failed)
                return failed;
        }
        Directory.Delete(folder.Path, recursive: true);
        return null;
    }

    private async Task<Problem?> StartAsync(LabRecord record, IReadOnlyList<LabMachine> machines, Action<string> say, CancellationToken cancel)
    {
        if (await LabAccess.EnsureAsync(_folder, record, cancel) is { } noAccess)
            return noAccess;
        if (await LabNetwork.EnsureAsync(record, cancel) is { } noNetwork)
            return noNetwork;
        if (record.Server is not { IsAlive: true })
        {
            await new LabCgroup(record.Cgroup).KillAsync(PackageServer.Member, TimeSpan.FromSeconds(5), cancel);
            var server = await PackageServer.StartAsync(_places, _folder, record, cancel);
            if (!server.Ok)
                return server.Problem;
            var changed = await _folder.ChangeAsync(now => now with { Server = server.Value }, cancel);
            if (!changed.Ok)
                return changed.Problem;
        }
        var off = record.Machines.Where(machine => machines.Any(wanted => wanted.Name == machine.Name) && machine.Process is not { IsAlive: true }).ToList();
        if (off.Count > 0)
            say($"booting {string.Join(", ", off.Select(machine => machine.Name))}");
        var booted = await Task.WhenAll(off.Select(machine => StartMachineAsync(record, machine, cancel)));
        return booted.FirstOrDefault(problem => problem is not null);
    }

    /// <summary>A machine that is on, with its first process, or why it cannot be had.</summary>
    private Outcome<(LabRecord Record, MachineRecord Machine, ProcessMark Leader)> Up(string machine)
    {
        var read = Record();
        if (!read.Ok)
            return read.Problem;
        var found = read.Value.Find(machine);
        if (!found.Ok)
            return found.Problem;
        return found.Value.Leader() is { } leader
            ? (read.Value, found.Value, leader)
            : LabErrors.WrongState.With($"{machine} is {(found.Value.Process is { IsAlive: true } ? "starting" : "off")}.");
    }

    private static Task<Ran> InsideAsync(ProcessMark leader, IReadOnlyList<string> words, CancellationToken cancel) =>
        HostProgram.RunAsync([.. Enter(leader), .. words], cancel);

    private static string[] Enter(ProcessMark leader) =>
    [
        "nsenter", "-t", leader.Pid.ToString(CultureInfo.InvariantCulture), "-m", "-u", "-i", "-n", "-p", "--",
        "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
    ];
}
