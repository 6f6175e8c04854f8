using System.Text.RegularExpressions;

namespace Dure.Test.Tidy;

/// <summary>The repository knows nothing of the machine on which it was written: no paths, no private registries.</summary>
internal static partial class MachineRules
{
    private static readonly string[] PublicHosts =
    [
        // In two pieces, because this rule reads this file as well.
        "nuget" + ".org", "npmjs" + ".org", "pypi" + ".org", "pythonhosted" + ".org", "golang" + ".org", "debian" + ".org", "ubuntu" + ".com", "crates" + ".io",
        "microsoft.com", "github.com", "nodesource.com", "localhost",
    ];

    /// <summary>Where package tools of this machine are told where to look.</summary>
    private static readonly string[] RegistrySettings =
    [
        "~/.nuget/NuGet/NuGet.Config", "~/.npmrc", "/etc/npmrc", "/usr/etc/npmrc", "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf",
        "~/.config/go/env", "~/.cargo/config.toml", "/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d",
    ];

    /// <summary>None of the given words stands in a file.</summary>
    public static IEnumerable<string> Mentions(IEnumerable<SourceFile> files, IReadOnlyCollection<string> words) =>
        from file in files
        from line in file.Text.Split('\n').Index()
        from word in words
        where line.Item.Contains(word, StringComparison.OrdinalIgnoreCase)
        select file.Fault(line.Index + 1, "names this machine: one of its folders or a registry that only it can reach.");

    /// <summary>Lock files name public registries only.</summary>
    public static IEnumerable<string> LockFiles(IEnumerable<SourceFile> files) =>
        from file in files
        where Path.GetFileName(file.Path) is "package-lock.json" or "yarn.lock" or "pnpm-lock.yaml" or "NuGet.Config" or "nuget.config" or ".npmrc" or "pip.conf"
            || Path.GetFileName(file.Path).StartsWith("requirements", StringComparison.Ordinal)
        from line in file.Text.Split('\n').Index()
        // Packages also say where to read about them and to whom to give money.
        where Path.GetFileName(file.Path) != "package-lock.json" || line.Item.Contains("\"resolved\"", StringComparison.Ordinal)
        from host in HostsIn(line.Item)
        select file.Fault(line.Index + 1, $"{host} is no public registry.");

    /// <summary>What must not be mentioned, read from this machine itself.</summary>
    public static IReadOnlyCollection<string> WordsOfThisMachine()
    {
        var common = SourceTree.Git("rev-parse", "--path-format=absolute", "--git-common-dir") is [var folder] ? Path.GetDirectoryName(folder) : null;
        var settings = RegistrySettings
            .Select(path => path.Replace("~", Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), StringComparison.Ordinal))
            .SelectMany(path => Directory.Exists(path) ? Directory.GetFiles(path) : File.Exists(path) ? [path] : []);
        return
        [
            .. new[] { SourceTree.Root, common }.OfType<string>().Where(path => path.Count(letter => letter == '/') > 1).Distinct(StringComparer.Ordinal),
            .. settings.SelectMany(path => HostsIn(File.ReadAllText(path))).Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>The hosts of addresses in a text, but for the public ones.</summary>
    public static IEnumerable<string> HostsIn(string text) =>
        Address().Matches(text)
            .Select(match => match.Groups["host"].Value)
            .Where(host => !PublicHosts.Any(known => host == known || host.EndsWith("." + known, StringComparison.Ordinal)))
            .Where(host => !host.StartsWith("127.", StringComparison.Ordinal));

    [GeneratedRegex("https?://(?:[^/@\\s\"']*@)?(?<host>[A-Za-z0-9.-]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Address();
}
