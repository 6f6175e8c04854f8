using System.Diagnostics;
using System.Runtime.InteropServices;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Spectre.Console;

namespace Dure.Host.Commands;

/// <summary>What packages are wanted for.</summary>
internal enum PackageUse
{
    /// <summary>Without it the server does not work.</summary>
    Server,

    /// <summary>Some functions need it; the server works without.</summary>
    Some,

    /// <summary>The project's own tests need it.</summary>
    Tests,
}

/// <summary>A Debian package and how to see that it is there.</summary>
/// <param name="Sign">A program on PATH, an absolute path, or <c>lib:</c> and a library's file name.</param>
internal sealed record Package(string Name, string Sign, string Why, PackageUse Use);

/// <summary>Finds what this machine lacks and installs it, asking first.</summary>
internal static class Packages
{
    private const string Builds = "builds the small program that starts functions";
    private const string ObjectTests = "a real client for tests of object storage";

    /// <summary>What `dure lab` needs.</summary>
    public static readonly IReadOnlyList<Package> Lab =
    [
        new("systemd-container", "systemd-nspawn", "runs the machines of a lab", PackageUse.Tests),
        new("debootstrap", "debootstrap", "builds the image of a lab's machines", PackageUse.Tests),
        new("debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg", "proves that packages are Debian's", PackageUse.Tests),
        new("apt-utils", "apt-ftparchive", "indexes the packages that a lab serves", PackageUse.Tests),
        new("openssh-client", "ssh", "signs in to machines", PackageUse.Tests),
        new("iproute2", "ip", "makes the network of a lab", PackageUse.Tests),
        new("iputils-ping", "ping", "sees whether a machine of a lab is on its network", PackageUse.Tests),
        new("e2fsprogs", "mkfs.ext4", "makes the disks of a lab's machines", PackageUse.Tests),
    ];

    public static readonly IReadOnlyList<Package> All =
    [
        new("bubblewrap", "bwrap", "isolates functions from each other and from this machine", PackageUse.Server),
        new("slirp4netns", "slirp4netns", "gives functions a network without showing them this machine", PackageUse.Server),
        new("libsqlite3-0", "lib:libsqlite3.so.0", "the embedded database", PackageUse.Server),
        new("python3", "/usr/bin/python3", "runs Python functions", PackageUse.Server),
        new("gcc", "gcc", Builds, PackageUse.Server),
        new("libc6-dev", "/usr/include/stdio.h", Builds, PackageUse.Server),
        new("libargon2-1", "lib:libargon2.so.1", "hashes passwords in the way that is hardest to guess", PackageUse.Some),
        new("python3-pip", "pip3", "installs the requirements.txt of Python functions", PackageUse.Some),
        new("nodejs", "node", "runs Node.js functions", PackageUse.Some),
        new("npm", "npm", "installs the package.json of Node.js functions", PackageUse.Some),
        new("golang", "go", "compiles Go functions", PackageUse.Some),
        new("g++", "g++", "compiles C++ functions", PackageUse.Some),
        new("cmake", "cmake", "compiles C++ functions that have a CMakeLists.txt", PackageUse.Some),
        new("esbuild", "esbuild", "compiles TypeScript functions where Node.js cannot run them as they are", PackageUse.Some),
        new("zsh", "zsh", "tests of shell completion", PackageUse.Tests),
        new("faketime", "faketime", "tests of clocks that jump", PackageUse.Tests),
        new("awscli", "aws", ObjectTests, PackageUse.Tests),
        new("rclone", "rclone", ObjectTests, PackageUse.Tests),
        new("s3cmd", "s3cmd", ObjectTests, PackageUse.Tests),
        new("restic", "restic", ObjectTests, PackageUse.Tests),
        new("curl", "curl", ObjectTests, PackageUse.Tests),
        new("chromium", "chromium", "tests that look at the portal", PackageUse.Tests),
        new("openssl", "openssl", "certificates for tests over https", PackageUse.Tests),
        new("python3-aiosmtpd", "/usr/lib/python3/dist-packages/aiosmtpd/main.py", "a mail server for tests of notifications", PackageUse.Tests),
        .. Lab,
    ];

    /// <summary>Those that are wanted for a use and not there.</summary>
    public static IReadOnlyList<Package> Missing(PackageUse use) =>
        [.. All.Where(package => package.Use <= use && !(package.Why == Builds && use < PackageUse.Tests && HasRuntimes) && !IsThere(package.Sign))];

    /// <summary>What runs inside sandboxes came compiled with this program.</summary>
    private static bool HasRuntimes => File.Exists(Path.Combine(AppContext.BaseDirectory, "runtimes", "digest"));

    /// <summary>Installs what is missing for a use, after asking on a terminal or with <paramref name="yes"/>.</summary>
    /// <returns>True once everything is there, or DURE0423 with the command to type.</returns>
    public static Task<Outcome<bool>> EnsureAsync(Screen screen, PackageUse use, bool yes, CancellationToken cancel) => EnsureAsync(screen, () => Missing(use), yes, cancel);

    /// <summary>The same for a list of them.</summary>
    public static Task<Outcome<bool>> EnsureAsync(Screen screen, IReadOnlyList<Package> wanted, bool yes, CancellationToken cancel) =>
        EnsureAsync(screen, () => [.. wanted.Where(package => !IsThere(package.Sign))], yes, cancel);

    private static async Task<Outcome<bool>> EnsureAsync(Screen screen, Func<IReadOnlyList<Package>> look, bool yes, CancellationToken cancel)
    {
        var missing = look();
        if (missing.Count == 0)
        {
            return true;
        }

        var names = missing.Select(package => package.Name).ToList();
        string[] command = [.. Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["sudo"], "apt-get", "install", "--yes", "--no-install-recommends", .. names];
        var line = string.Join(' ', command);
        screen.Say("This machine lacks:");
        foreach (var package in missing)
        {
            screen.Say($"  {package.Name,-14} {package.Why}");
        }

        screen.Say("To install:");
        screen.Say("  " + line);
        var asked = screen.Traits is { InIsTerminal: true, ErrIsTerminal: true };
        if (!IsThere("apt-get") || (!Environment.IsPrivilegedProcess && !(IsThere("sudo") && (asked || yes))) || (!asked && !yes))
        {
            return CommandErrors.PackagesMissing.With(string.Join(", ", names) + (IsThere("apt-get") ? "" : "; this machine has no apt-get, so install them its own way"));
        }

        if (!yes && !await new ConfirmationPrompt("Install now?").ShowAsync(screen.Talk, cancel))
        {
            return CommandErrors.PackagesMissing.With(string.Join(", ", names));
        }

        return await InstallAsync(screen, command, look, cancel);
    }

    /// <summary>True when a program, file or library is there.</summary>
    internal static bool IsThere(string sign)
    {
        if (sign.StartsWith("lib:", StringComparison.Ordinal))
        {
            return NativeLibrary.TryLoad(sign[4..], out _);
        }

        return sign.StartsWith('/')
            ? File.Exists(sign)
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, sign)));
    }

    private static async Task<Outcome<bool>> InstallAsync(Screen screen, string[] command, Func<IReadOnlyList<Package>> look, CancellationToken cancel)
    {
        // A fresh machine or container has no package lists yet, and then every name is unknown.
        string[] update = [.. command.TakeWhile(word => word != "install"), "update", "--quiet"];
        if (await RunAsync(screen, command, cancel) != 0 && (await RunAsync(screen, update, cancel) != 0 || await RunAsync(screen, command, cancel) != 0))
        {
            return CommandErrors.ToolFailed.With(string.Join(' ', command));
        }

        var still = look();
        return still.Count == 0 ? true : CommandErrors.PackagesMissing.With(string.Join(", ", still.Select(package => package.Name)));
    }

    private static async Task<int> RunAsync(Screen screen, string[] command, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(command[0]) { UseShellExecute = false, RedirectStandardOutput = true, Environment = { ["DEBIAN_FRONTEND"] = "noninteractive" } };
        foreach (var word in command.Skip(1))
        {
            start.ArgumentList.Add(word);
        }

        using var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            screen.Note("  " + line);
        }

        await process.WaitForExitAsync(cancel);
        return process.ExitCode;
    }
}
