using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Dure.Fleet.Desired;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet;

/// <summary>
/// A folder with programs of the distribution, so that generated configuration meets the program that will read it. Packages are fetched by this machine's apt
/// into a folder under <c>artifacts/validators</c> and only unpacked: none of their scripts run, nothing is installed, no service starts. Each command runs in a throw-away
/// overlay of that folder, in namespaces of its own without a network. It works without root where users may make namespaces; else its tests are skipped.
/// </summary>
internal sealed class ValidatorRoot
{
    private const int UidFirst = 900;

    private static readonly ConcurrentDictionary<string, ValidatorRoot> Known = new(StringComparer.Ordinal);

    private readonly string _name;
    private readonly string[] _packages;
    private readonly string[] _users;
    private readonly Lazy<Task<string>> _ready;

    private ValidatorRoot(string name, string[] packages, string[] users)
    {
        (_name, _packages, _users) = (name, packages, users);
        _ready = new(BuildAsync);
    }

    private string Folder => Path.Combine(Repository.Root, "artifacts", "validators", _name);

    /// <summary>The root of a name; it is built on its first use, and again when the lists change.</summary>
    /// <param name="packages">Names of the distribution. One with <c>|</c> between several takes the first that there is.</param>
    /// <param name="users">Those that the packages' scripts would have made; each gets a group of its name.</param>
    public static ValidatorRoot Of(string name, string[] packages, string[] users) => Known.GetOrAdd(name, _ => new(name, packages, users));

    /// <summary>The unpacked packages, for who runs servers of them; skips the test where there are none.</summary>
    public async Task<string> PathAsync()
    {
        var why = await _ready.Value;
        Assert.SkipWhen(why.Length > 0, why);
        return Path.Combine(Folder, "root");
    }

    /// <summary>Runs a shell command as root of the folder, with these files in it.</summary>
    /// <returns>The exit code, and all that was written to both outputs.</returns>
    public async Task<(int Code, string Text)> RunAsync(string command, CancellationToken cancel, params IEnumerable<(string Path, string Text)> files)
    {
        var why = await _ready.Value;
        Assert.SkipWhen(why.Length > 0, why);
        using var scratch = new Scratch();
        foreach (var (path, text) in files)
        {
            var file = scratch["files", path.TrimStart('/')];
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text, cancel);
        }

        Directory.CreateDirectory(scratch["files"]);
        Directory.CreateDirectory(scratch["top"]);
        await File.WriteAllTextAsync(scratch["run"], Enter, cancel);
        string[] user = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        var (code, said) = await Child.RunAsync(cancel,
            ["unshare", .. user, "--mount", "--net", "--ipc", "--uts", "sh", scratch["run"], Path.Combine(Folder, "root"), scratch["top"], scratch["files"], command]);
        Assert.SkipWhen(code == EnterFailed, $"This machine allows no overlay in namespaces of one's own: {said}");
        return (code, said);
    }

    /// <summary>
    /// Runs the file's own <see cref="DesiredFile.Check"/> as <c>apply</c> would: every other file of the machine is in place, this one lies beside its target.
    /// </summary>
    /// <param name="text">Instead of what the machine should have: the bad control.</param>
    public async Task<(int Code, string Text)> CheckAsync(DesiredMachine machine, string path, CancellationToken cancel, string? text = null)
    {
        var file = machine.Files.Single(known => known.Path == path);
        Assert.NotEmpty(file.Check);
        var others = machine.Files
            .Where(known => known.Path != path && known.Kind is not (FileKind.Block or FileKind.Absent))
            .Select(known => (known.Path, known.Text));
        var gone = string.Concat(machine.Files.Where(known => known.Kind == FileKind.Absent).Select(known => $"rm -f '{known.Path}'\n"));
        var folders = string.Concat(machine.Folders.Select(known => $"mkdir -p '{known.Path}'\n"));
        return await RunAsync($"{gone}{folders}new='{path}.dure-new'\n{file.Check}", cancel, [.. others, ($"{path}.dure-new", text ?? file.Text)]);
    }

    private const int EnterFailed = 77;

    // A private mount namespace: what is mounted and written here is gone with the command.
    private static readonly string Enter =
        $$"""
        root=$1 top=$2 files=$3 command=$4
        {
            mount -t tmpfs none "$top" && mkdir "$top/up" "$top/work" "$top/root" &&
            mount -t overlay overlay -o "lowerdir=$root,upperdir=$top/up,workdir=$top/work" "$top/root" &&
            mkdir -p "$top/root/proc" "$top/root/dev" "$top/root/tmp" "$top/root/run" && mount --rbind /proc "$top/root/proc" && mount --rbind /dev "$top/root/dev" &&
            cp -R "$files/." "$top/root/"
        } >&2 || exit {{EnterFailed}}
        ip link set lo up 2>/dev/null
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
        unset TMPDIR
        exec chroot "$top/root" /bin/sh -c "cd /
        $command"
        """;

    // apt answers from an empty list of installed packages, so that everything down to the C library is fetched.
    private const string Fetch =
        """
        set -eu
        folder=$1
        shift
        rm -rf "$folder" "$folder.new"
        mkdir -p "$folder.new/apt/lists/partial" "$folder.new/apt/cache/archives/partial" "$folder.new/root"
        : >"$folder.new/apt/status"
        get() {
            apt-get -qq -o Dir::State="$folder.new/apt" -o Dir::State::lists="$folder.new/apt/lists" -o Dir::State::status="$folder.new/apt/status" \
                -o Dir::Cache="$folder.new/apt/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Retries=3 "$@"
        }
        get update || true
        names=
        for choice in "$@"; do
            found=
            for name in $(echo "$choice" | tr '|' ' '); do
                if get install -y --no-install-recommends --print-uris "$name" >/dev/null 2>&1; then found=$name; break; fi
            done
            [ "$found" ] || { echo "apt has no package $choice"; exit 1; }
            names="$names $found"
        done
        get install -y --no-install-recommends --download-only base-files base-passwd coreutils dash grep sed mawk $names >&2
        cd "$folder.new/root"
        mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc dev proc run tmp root var/log
        ln -s usr/bin usr/sbin usr/lib usr/lib64 .
        chmod 1777 tmp
        for package in "$folder.new"/apt/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar --keep-directory-symlink -xf -; done
        [ -e bin/sh ] || ln -s dash bin/sh
        [ -e bin/awk ] || ln -s mawk bin/awk
        cp usr/share/base-passwd/passwd.master etc/passwd
        cp usr/share/base-passwd/group.master etc/group
        rm -rf "$folder.new/apt"
        """;

    private async Task<string> BuildAsync()
    {
        foreach (var program in new[] { "/usr/bin/apt-get", "/usr/bin/dpkg-deb", "/usr/bin/unshare", "/usr/bin/tar" })
        {
            if (!File.Exists(program))
                return $"{program} is not here: the distribution's validators can be unpacked on Debian and Ubuntu only.";
        }

        var stamp = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Fetch}\n{string.Join(' ', _packages)}\n{string.Join(' ', _users)}")));
        Directory.CreateDirectory(Path.GetDirectoryName(Folder)!);
        await using var held = await LockAsync(Folder + ".lock");
        if (File.Exists(Path.Combine(Folder, "stamp")) && await File.ReadAllTextAsync(Path.Combine(Folder, "stamp")) == stamp)
            return "";
        var (code, text) = await Child.RunAsync(CancellationToken.None, ["sh", "-c", Fetch, "sh", Folder, .. _packages]);
        if (code != 0)
            return $"apt could not fetch the validators {string.Join(' ', _packages)}: {text}";
        var etc = Path.Combine(Folder + ".new", "root", "etc");
        await File.AppendAllLinesAsync(Path.Combine(etc, "passwd"), _users.Select((user, index) => $"{user}:x:{UidFirst + index}:{UidFirst + index}::/var/lib/{user}:/usr/sbin/nologin"));
        await File.AppendAllLinesAsync(Path.Combine(etc, "group"), _users.Select((user, index) => $"{user}:x:{UidFirst + index}:"));
        await File.WriteAllTextAsync(Path.Combine(Folder + ".new", "stamp"), stamp);
        Directory.Move(Folder + ".new", Folder);
        return "";
    }

    // Two test runs of one checkout build one after the other.
    private static async Task<FileStream> LockAsync(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(200);
            }
        }
    }
}
