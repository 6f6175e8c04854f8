using System.Text.Json;
using Dure.Host.Programs;
using Dure.Host;
using Dure.Host.Files;

namespace Dure.Fleet.Lab;

/// <summary>What the package cache holds.</summary>
/// <param name="Wanted">The packages that were asked for; with each, all that a bare machine lacks for it.</param>
internal sealed record PackageIndex(IReadOnlyList<string> Wanted);

/// <summary>
/// The apt repository of a lab: exactly what its machines may install and do not have. It is filled with the host's apt, which believes that the
/// base image is what is installed, and which checks the distribution's signatures.
/// </summary>
internal sealed class PackageCache(LabPlaces places, LabRelease release, string image, string mirror)
{
    private readonly string _folder = BaseImage.FolderOf(places, release);

    /// <summary>What the package server serves.</summary>
    public string Repository => Path.Combine(_folder, "packages");

    private string Apt => Path.Combine(_folder, "apt");

    private string Index => Path.Combine(_folder, "packages.json");

    /// <summary>Fetches what is missing and indexes it. Nothing is fetched or asked for when all was had before.</summary>
    /// <returns>How many packages were fetched.</returns>
    public async Task<Outcome<int>> EnsureAsync(IReadOnlyList<string> wanted, Action<string> say, CancellationToken cancel)
    {
        using var held = await LabLock.TakeAsync("packages", TimeSpan.FromMinutes(15), cancel);
        if (held is null)
            return LabErrors.Busy.With("Another lab has been fetching packages for 15 minutes.");
        var known = Read();
        var all = known.Wanted.Union(wanted, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (all.Count == known.Wanted.Count && File.Exists(Path.Combine(Repository, "Release")))
            return 0;
        Prepare();
        var before = Files().Count;
        // Those that were had before are there with what they need: to ask for each of them again takes minutes.
        var missing = File.Exists(Path.Combine(Repository, "Release")) ? all.Except(known.Wanted, StringComparer.Ordinal).ToList() : all;
        if (missing.Count > 0)
        {
            say($"fetching {string.Join(' ', missing)} and what they need");
            if (await FetchAsync(missing, all, say, cancel) is { } failed)
                return failed;
        }
        if (await WriteIndexAsync(cancel) is { } unwritten)
            return unwritten;
        DurableFile.Write(Index, JsonSerializer.SerializeToUtf8Bytes(new PackageIndex(all), LabJson.Default.PackageIndex), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return Files().Count - before;
    }

    private List<string> Files() => [.. Directory.GetFiles(Repository, "*.deb")];

    private PackageIndex Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Index), LabJson.Default.PackageIndex) ?? new([]);
        }
        catch (Exception gone) when (gone is IOException or JsonException)
        {
            return new([]);
        }
    }

    private void Prepare()
    {
        foreach (var folder in new[] { Repository, Path.Combine(Repository, "partial"), Apt, Path.Combine(Apt, "none"), Path.Combine(Apt, "lists", "partial"), Path.Combine(Apt, "cache") })
            Directory.CreateDirectory(folder);
        const string keys = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
        File.WriteAllText(Path.Combine(Apt, "sources.list"), string.Join('\n', new[]
        {
            $"deb {keys} {mirror} {release.Suite} main",
            $"deb {keys} {mirror} {release.Suite}-updates main",
            $"deb {keys} {mirror}-security {release.Suite}-security main",
        }) + "\n");
        File.WriteAllText(Path.Combine(Apt, "apt.conf"), $"""
            Dir::State "{Apt}";
            Dir::State::Lists "{Apt}/lists";
            Dir::State::status "{image}/var/lib/dpkg/status";
            Dir::State::extended_states "{Apt}/extended_states";
            Dir::Cache "{Apt}/cache";
            Dir::Cache::archives "{Repository}";
            Dir::Etc::main "{Apt}/none/apt.conf";
            Dir::Etc::parts "{Apt}/none";
            Dir::Etc::sourcelist "{Apt}/sources.list";
            Dir::Etc::sourceparts "{Apt}/none";
            Dir::Etc::preferences "{Apt}/none/preferences";
            Dir::Etc::preferencesparts "{Apt}/none";
            APT::Install-Recommends "false";
            APT::Sandbox::User "root";
            Acquire::Languages "none";
            Acquire::Retries "3";

            """);
    }

    private async Task<Problem?> FetchAsync(IReadOnlyList<string> missing, IReadOnlyList<string> all, Action<string> say, CancellationToken cancel)
    {
        // The host's proxies are the only thing of its configuration that matters here.
        var proxies = await HostProgram.RunAsync(["apt-config", "dump", "Acquire::http::Proxy", "Acquire::https::Proxy"], cancel);
        if (proxies.ExitCode == 0)
            await File.AppendAllTextAsync(Path.Combine(Apt, "apt.conf"), proxies.Output, cancel);
        if (await GetAsync(["update"], null, cancel) is { } stale)
            return stale;
        // What the archive has renewed since may fit with itself only.
        var renewed = Directory.GetFiles(Path.Combine(Apt, "lists")).Any(list => File.GetLastWriteTimeUtc(list) > File.GetLastWriteTimeUtc(Index));
        var wanted = renewed ? all : missing;
        string[] install = ["install", "--yes", "--download-only", "--no-install-recommends"];
        var together = await GetAsync([.. install, .. wanted], line => Tell(line, say), cancel);
        if (together is null)
            return null;
        // Some may exclude each other: each of them can still be installed on some machine.
        foreach (var package in wanted)
        {
            if (await GetAsync([.. install, package], line => Tell(line, say), cancel) is { } failed)
                return failed;
        }
        return null;
    }

    private static void Tell(string line, Action<string> say)
    {
        if (line.StartsWith("Need to get ", StringComparison.Ordinal))
            say("  " + line);
    }

    private async Task<Problem?> GetAsync(IReadOnlyList<string> words, Action<string>? line, CancellationToken cancel)
    {
        var ran = await HostProgram.RunAsync([.. LabProgram.Alone("apt"), "apt-get", .. words], cancel, line: line, environment: new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["APT_CONFIG"] = Path.Combine(Apt, "apt.conf"),
            ["DEBIAN_FRONTEND"] = "noninteractive",
        });
        return ran.ExitCode == 0 ? null : LabErrors.NoPackages.With($"apt-get {string.Join(' ', words)}: {ran.Why}");
    }

    private async Task<Problem?> WriteIndexAsync(CancellationToken cancel)
    {
        string[] packages = ["env", "-C", Repository, "apt-ftparchive", "--db", Path.Combine(Apt, "contents.db"), "packages", "."];
        var listed = await HostProgram.RunAsync(packages, cancel);
        if (LabProgram.Failure(packages, listed) is { } unlisted)
            return unlisted;
        await PutAsync("Packages", listed.Output, cancel);
        string[] summary = ["env", "-C", Repository, "apt-ftparchive", "-o", "APT::FTPArchive::Release::Suite=" + release.Suite, "-o", "APT::FTPArchive::Release::Origin=dure-lab", "release", "."];
        var summed = await HostProgram.RunAsync(summary, cancel);
        if (LabProgram.Failure(summary, summed) is { } unsummed)
            return unsummed;
        await PutAsync("Release", summed.Output, cancel);
        return null;
    }

    private async Task PutAsync(string name, string text, CancellationToken cancel)
    {
        var path = Path.Combine(_folder, name + ".new");
        await File.WriteAllTextAsync(path, text, cancel);
        File.Move(path, Path.Combine(Repository, name), overwrite: true);
    }
}
