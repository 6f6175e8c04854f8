using System.Text.RegularExpressions;
using Dure.Fleet.Apply;
using Dure.Fleet.Observe;
using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>A package that a machine can have in a newer version.</summary>
/// <param name="Name">As apt says it: with its architecture where that is not the machine's own.</param>
/// <param name="Old">The installed version; null for one that comes because a new version needs it.</param>
internal sealed record PackageChange(string Name, string? Old, string New);

/// <summary>What apt would change on a machine. Only its lists are fetched; nothing is installed.</summary>
internal static partial class PackageChanges
{
    private const string Begin = """
        LC_ALL=C; export LC_ALL
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
        failed() { printf 'unread\t%s\n' "$(printf %s "$1" | tail -c 1500 | base64 -w0)"; exit 1; }
        o=$(apt-get -q update 2>&1) || failed "$o"

        """;

    private const string Named = """
        for p in $names; do
          [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | head -n 1)" = installed ] && set -- "$@" "$p" && printf 'has\t%s\n' "$p"
        done
        [ $# -gt 0 ] || exit 0
        o=$(apt-get -q -s -o Debug::NoLocking=true --no-install-recommends --no-remove --only-upgrade install "$@" 2>&1) || failed "$o"

        """;

    private const string Any = """
        o=$(apt-get -q -s -o Debug::NoLocking=true --no-install-recommends upgrade 2>&1) || failed "$o"

        """;

    /// <param name="names">Only these packages, where they are installed; null for all that apt would upgrade.</param>
    public static string Script(IReadOnlyCollection<string>? names) =>
        Begin + (names is null ? Any : $"set --; names={Shell.Word(string.Join(' ', names))}\n{Named}") + "printf '%s\\n' \"$o\" | grep '^Inst '\nexit 0\n";

    /// <summary>Asks a machine.</summary>
    /// <returns>What would change, and those of the names that are installed there.</returns>
    public static async Task<Outcome<(IReadOnlyList<PackageChange> Changes, IReadOnlyList<string> Has)>> AskAsync(MachineSession machine, IReadOnlyCollection<string>? names, CancellationToken cancel)
    {
        var (changes, has, unread) = (new List<PackageChange>(), new List<string>(), (string?)null);
        var ran = await machine.RunAsync(Script(names), line =>
        {
            if (Read(line) is { } change)
                changes.Add(change);
            else if (line.Split('\t') is ["has", var name])
                has.Add(name);
            else if (line.Split('\t') is ["unread", var packed])
                unread = machine.Unpack(packed);
        }, cancel);
        if (!ran.Ok)
            return ran.Problem;
        if (unread is not null || ran.Value != 0)
            return UpgradeErrors.PackagesUnread.With($"{machine.Machine.Name}: {unread ?? "apt-get said nothing"}");
        var pinned = machine.Desired.Packages.Where(package => package.Version is not null).Select(package => package.Name).ToHashSet(StringComparer.Ordinal);
        return ((IReadOnlyList<PackageChange>)[.. changes.Where(change => !pinned.Contains(change.Name))], (IReadOnlyList<string>)has);
    }

    /// <summary>A line of <c>apt-get --simulate</c>: <c>Inst nginx [1.22.1-9] (1.22.1-9+deb12u1 Debian:12.9/stable [amd64])</c>; null for any other.</summary>
    public static PackageChange? Read(string line) =>
        Inst().Match(line) is { Success: true } found ? new(found.Groups["name"].Value, found.Groups["old"] is { Success: true } old ? old.Value : null, found.Groups["new"].Value) : null;

    [GeneratedRegex(@"^Inst (?<name>[a-z0-9][a-z0-9+.:-]*) (?:\[(?<old>[^\]\s]+)\] )?\((?<new>[^\s)]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Inst();
}
