using System.Globalization;
using System.Runtime.CompilerServices;
using Dure.Host.Programs;
using Dure.Host;

namespace Dure.Apps.Running;

/// <summary>Apps as services of systemd: they live on while Dure's own server is restarted, and come up with the machine.</summary>
internal sealed class SystemdUnits : IAppProcesses
{
    private const string Units = "/etc/systemd/system";
    private const string States = "/var/lib/private/dure-apps";

    /// <summary>Whether this machine runs systemd and this server may tell it what to do.</summary>
    public static bool IsThere => Environment.IsPrivilegedProcess && Directory.Exists("/run/systemd/system");

    public async Task<Problem?> StartAsync(AppRun run, CancellationToken cancel)
    {
        var name = UnitFile.NameOf(run.Id, run.Number);
        var (path, text) = (Path.Combine(Units, name), UnitFile.Of(run, VirtualEnvironment.FoldersOf(run.Spec.VirtualEnvironment, AppContext.BaseDirectory, run.Spec.Kind)));
        if (!File.Exists(path) || await File.ReadAllTextAsync(path, cancel) != text)
        {
            await File.WriteAllTextAsync(path + ".dure-new", text, cancel);
            File.Move(path + ".dure-new", path, overwrite: true);
            if (await ControlAsync(cancel, "daemon-reload") is { } unread)
                return unread;
        }

        if (await ControlAsync(cancel, "enable", "--quiet", name) is { } disabled)
            return disabled;
        return await ControlAsync(cancel, "start", "--no-block", name);
    }

    public Task<Problem?> RestartAsync(AppRun run, CancellationToken cancel) => ControlAsync(cancel, "restart", UnitFile.NameOf(run.Id, run.Number));

    public async Task StopAsync(string id, int number)
    {
        await ControlAsync(CancellationToken.None, "disable", "--quiet", UnitFile.NameOf(id, number));
        await ControlAsync(CancellationToken.None, "stop", UnitFile.NameOf(id, number));
    }

    public Task RemoveAsync(string id, int number) => RemoveUnitAsync(UnitFile.NameOf(id, number));

    public Task RemoveStateAsync(string id)
    {
        var state = Path.Combine(States, id);
        if (Directory.Exists(state))
            Directory.Delete(state, recursive: true);
        var link = new FileInfo(Path.Combine("/var/lib/dure-apps", id));
        if (link.LinkTarget is not null)
            link.Delete();
        foreach (var folder in new[] { States, "/var/lib/dure-apps" })
        {
            if (Directory.Exists(folder) && new DirectoryInfo(folder).LinkTarget is null && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }

        return Task.CompletedTask;
    }

    /// <summary>What systemd says of a unit now, by property; times in seconds since 1970.</summary>
    /// <param name="properties">Names, with commas between them.</param>
    public static async Task<IReadOnlyDictionary<string, string>> FactsAsync(string unit, string properties, CancellationToken cancel)
    {
        var said = await HostProgram.RunAsync(["systemctl", "show", unit, "--timestamp=unix", "-p", properties], cancel);
        return said.Output.Split('\n').Select(line => line.Split('=', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
    }

    public async Task<ProcessFacts> LookAsync(string id, int number, CancellationToken cancel)
    {
        var name = UnitFile.NameOf(id, number);
        var facts = await FactsAsync(name, "LoadState,ActiveState,SubState,MainPID,NRestarts,ActiveEnterTimestamp", cancel);
        string Of(string key) => facts.GetValueOrDefault(key, "");
        int Number(string key) => int.TryParse(Of(key), CultureInfo.InvariantCulture, out var value) ? value : 0;
        var state = Of("LoadState") != "loaded" ? ProcessFacts.Absent
            : Of("ActiveState") == "active" ? ProcessFacts.Running
            : Of("ActiveState") is "activating" ? ProcessFacts.Restarting
            : Of("ActiveState") is "failed" ? ProcessFacts.Failed : ProcessFacts.Absent;
        var since = long.TryParse(Of("ActiveEnterTimestamp").TrimStart('@'), CultureInfo.InvariantCulture, out var seconds) && seconds > 0 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : (DateTimeOffset?)null;
        return new(name, state, Number("MainPID") is > 0 and var pid ? pid : null, Number("NRestarts"), since);
    }

    public async IAsyncEnumerable<string> LinesAsync(string id, int number, int last, bool follow, [EnumeratorCancellation] CancellationToken cancel)
    {
        string[] words = ["journalctl", "--no-pager", "-q", "-o", "cat", "-u", UnitFile.NameOf(id, number), "-n", last.ToString(CultureInfo.InvariantCulture), .. follow ? new[] { "-f" } : []];
        await foreach (var line in HostProgram.LinesAsync(words, cancel))
            yield return line;
    }

    public async Task SweepAsync(IReadOnlySet<string> needed)
    {
        foreach (var path in Directory.GetFiles(Units, "paper-*@*.service"))
        {
            var name = Path.GetFileName(path);
            var tag = name["paper-".Length..^".service".Length];
            if (!needed.Contains(tag) && (await File.ReadAllTextAsync(path)).StartsWith(UnitFile.Mark, StringComparison.Ordinal))
                await RemoveUnitAsync(name);
        }
    }

    public ValueTask DisposeAsync() => default;

    private static async Task RemoveUnitAsync(string name)
    {
        var path = Path.Combine(Units, name);
        if (!File.Exists(path))
            return;
        await ControlAsync(CancellationToken.None, "stop", name);
        await ControlAsync(CancellationToken.None, "disable", "--quiet", name);
        File.Delete(path);
        await ControlAsync(CancellationToken.None, "daemon-reload");
        await ControlAsync(CancellationToken.None, "reset-failed", name);
    }

    private static async Task<Problem?> ControlAsync(CancellationToken cancel, params string[] words)
    {
        var ran = await HostProgram.RunAsync(["systemctl", .. words], cancel);
        return ran.ExitCode == 0 ? null : AppErrors.NotStarted.With($"systemctl {string.Join(' ', words)}: {(ran.Output + ran.Error).Trim()}");
    }
}
