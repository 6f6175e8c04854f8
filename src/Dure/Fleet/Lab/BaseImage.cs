using System.Security.Cryptography;
using System.Text;
using Dure.Host.Programs;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>The root file system that lies read-only below every machine: what a bare server has, and what makes packages install fast.</summary>
internal static class BaseImage
{
    /// <summary>What a bare machine has beside the smallest Debian: it boots, is reached over SSH, and runs what `dure apply` sends.</summary>
    private static readonly string[] Packages =
    [
        "systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "python3-minimal", "ca-certificates", "nftables", "sudo", "procps", "iputils-ping",
    ];

    // There is no way out of a lab: what wants to fetch by itself only fails, and takes time at every start.
    private static readonly string[] Masked = ["apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer", "systemd-networkd-wait-online.service"];

    private const string Dpkg =
        """
        # A lab's disks need not survive a power cut of the host, and nobody reads manuals in it.
        force-unsafe-io
        path-exclude=/usr/share/man/*
        path-exclude=/usr/share/doc/*
        path-exclude=/usr/share/locale/*
        path-exclude=/usr/share/info/*

        """;

    private const string Apt =
        """
        APT::Install-Recommends "false";
        Acquire::Languages "none";
        Acquire::Retries "2";

        """;

    /// <summary>The folder of all images and packages of a release.</summary>
    public static string FolderOf(LabPlaces places, LabRelease release) => Path.Combine(places.Cache, release.Os);

    /// <summary>Where the image of this version of Dure stands. What it is made of is part of its name, so that running labs keep theirs.</summary>
    public static string PathOf(LabPlaces places, LabRelease release)
    {
        var made = string.Join('\n', [.. Packages, .. Masked, Dpkg, Apt, release.Suite]);
        return Path.Combine(FolderOf(places, release), "root-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(made)))[..8]);
    }

    /// <summary>Where debootstrap takes a distribution from when nobody says; null when it is not installed or does not say.</summary>
    public static string? DefaultMirror
    {
        get
        {
            const string program = "/usr/sbin/debootstrap", begin = "DEF_MIRROR=\"";
            var line = File.Exists(program) ? File.ReadLines(program).FirstOrDefault(line => line.StartsWith(begin, StringComparison.Ordinal)) : null;
            return line?[begin.Length..].TrimEnd('"');
        }
    }

    /// <summary>Builds the image when it is not there. Takes about a minute, once.</summary>
    /// <returns>Its path.</returns>
    public static async Task<Outcome<string>> EnsureAsync(LabPlaces places, LabRelease release, string mirror, Action<string> say, CancellationToken cancel)
    {
        var path = PathOf(places, release);
        if (Directory.Exists(path))
            return path;
        using var held = await LabLock.TakeAsync("image", TimeSpan.FromMinutes(15), cancel);
        if (held is null)
            return LabErrors.Busy.With("Another lab has been building images for 15 minutes.");
        if (Directory.Exists(path))
            return path;
        var began = TimeProvider.System.GetTimestamp();
        say($"building the image of {release.Os} from {mirror}, once: about a minute");
        var half = path + ".half";
        // One whose dure was killed may still be at work.
        if (await LabProgram.DoAsync(cancel, [.. LabProgram.Alone("debootstrap"), "true"]) is { } busy)
            return busy;
        if (await DiscardAsync(half, cancel) is { } stuck)
            return stuck;
        Directory.CreateDirectory(FolderOf(places, release));
        string[] words = [.. LabProgram.Alone("debootstrap"), "debootstrap", "--variant=minbase", "--include=" + string.Join(',', Packages), release.Suite, half, mirror];
        var ran = await HostProgram.RunAsync(words, cancel, line: line => Tell(line, say));
        if (LabProgram.Failure(words, ran) is { } failed)
            return failed;
        Settle(half);
        Directory.Move(half, path);
        say($"the image stands in {path} after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0} s");
        return path;
    }

    /// <summary>Removes an image, or what an interrupted build left of one.</summary>
    public static async Task<Problem?> DiscardAsync(string path, CancellationToken cancel)
    {
        // debootstrap mounts proc and sys inside while it works.
        foreach (var mounted in MountTable.Under(path))
        {
            if (await LabProgram.DoAsync(cancel, "umount", mounted) is { } busy)
                return busy;
        }
        return Directory.Exists(path) ? await LabProgram.DoAsync(cancel, "rm", "-rf", "--one-file-system", "--", path) : null;
    }

    // It says a line for each package; what takes long is enough.
    private static void Tell(string line, Action<string> say)
    {
        string[] stages = ["I: Found additional", "I: Installing core packages", "I: Unpacking required packages", "I: Configuring required packages", "I: Unpacking the base system", "I: Configuring the base system", "W:", "E:"];
        if (stages.Any(stage => line.StartsWith(stage, StringComparison.Ordinal)))
            say("  " + (line.StartsWith("I: ", StringComparison.Ordinal) ? line[3..] : line));
    }

    private static void Settle(string root)
    {
        foreach (var key in Directory.GetFiles(Path.Combine(root, "etc/ssh"), "ssh_host_*"))
            File.Delete(key);
        Replace(root, "etc/machine-id", "");
        // A machine without an id would take this one: all machines would have the same.
        File.Delete(Path.Combine(root, "var/lib/dbus/machine-id"));
        Replace(root, "etc/resolv.conf", "");
        Replace(root, "etc/dpkg/dpkg.cfg.d/dure-lab", Dpkg);
        Replace(root, "etc/apt/apt.conf.d/90dure-lab", Apt);
        foreach (var unit in Masked)
        {
            var link = Path.Combine(root, "etc/systemd/system", unit);
            File.Delete(link);
            File.CreateSymbolicLink(link, "/dev/null");
        }
        foreach (var archive in Directory.GetFiles(Path.Combine(root, "var/cache/apt/archives"), "*.deb"))
            File.Delete(archive);
        foreach (var list in Directory.GetFiles(Path.Combine(root, "var/lib/apt/lists")))
            File.Delete(list);
    }

    // The old name goes first: written through, an absolute link would lead to the host's own file.
    private static void Replace(string root, string file, string text)
    {
        var path = Path.Combine(root, file);
        File.Delete(path);
        File.WriteAllText(path, text);
    }
}
