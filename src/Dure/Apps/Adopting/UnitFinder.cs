using Dure.Apps.Running;
using Dure.Host.Programs;

namespace Dure.Apps.Adopting;

/// <summary>Finds the services on this machine that somebody made by hand, as far as they could be apps.</summary>
internal static class UnitFinder
{
    private const string Units = "/etc/systemd/system";
    private const string Users = "/etc/passwd";
    private const string Own = "dure";

    /// <summary>Those that serve something, by name.</summary>
    public static async Task<IReadOnlyList<FoundUnit>> FindAsync(CancellationToken cancel)
    {
        var homes = (await File.ReadAllLinesAsync(Users, cancel)).Select(line => line.Split(':')).Where(fields => fields.Length > 5).DistinctBy(fields => fields[0], StringComparer.Ordinal).ToDictionary(fields => fields[0], fields => fields[5], StringComparer.Ordinal);
        var found = new List<FoundUnit>();
        foreach (var (name, file) in await NamesAsync(cancel))
        {
            var said = await HostProgram.RunAsync(["systemctl", "cat", name], cancel);
            if (said.ExitCode == 0 && UnitReader.Read(name, file, said.Output, homes.GetValueOrDefault) is { } unit)
                found.Add(await SeenAsync(unit, cancel));
        }

        return found;
    }

    /// <summary>Ends a service for good: it does not come back at boot. Its file stays.</summary>
    /// <returns>What systemd says against it; null when it is done.</returns>
    public static async Task<string?> RetireAsync(string name)
    {
        var ran = await HostProgram.RunAsync(["systemctl", "disable", "--now", "--quiet", name], CancellationToken.None);
        return ran.ExitCode == 0 ? null : $"systemctl disable --now {name}: {ran.Why}";
    }

    private static async Task<List<(string Name, string File)>> NamesAsync(CancellationToken cancel)
    {
        var names = new List<(string, string)>();
        foreach (var info in new DirectoryInfo(Units).GetFiles("*.service").OrderBy(info => info.Name, StringComparer.Ordinal))
        {
            // A link is a service of a package that is enabled under another name, or one that is masked.
            if (info.LinkTarget is not null || info.Name.StartsWith(Own, StringComparison.Ordinal))
                continue;
            var text = await File.ReadAllTextAsync(info.FullName, cancel);
            if (text.StartsWith(UnitFile.Mark, StringComparison.Ordinal) || !text.Contains("ExecStart", StringComparison.Ordinal))
                continue;
            if (!info.Name.EndsWith("@.service", StringComparison.Ordinal))
            {
                names.Add((info.Name, info.FullName));
                continue;
            }

            var listed = await HostProgram.RunAsync(["systemctl", "list-units", "--all", "--plain", "--no-legend", info.Name.Replace("@.", "@*.", StringComparison.Ordinal)], cancel);
            names.AddRange(listed.Output.Split('\n').Select(line => line.Trim().Split(' ')[0]).Where(name => name.EndsWith(".service", StringComparison.Ordinal)).Select(name => (name, info.FullName)));
        }

        return names;
    }

    private static async Task<FoundUnit> SeenAsync(FoundUnit unit, CancellationToken cancel)
    {
        var facts = await SystemdUnits.FactsAsync(unit.Name, "ActiveState,SubState,TriggeredBy,UnitFileState", cancel);
        var state = facts.GetValueOrDefault("ActiveState", "");
        var obstacles = unit.Obstacles.ToList();
        if (state != "active")
            obstacles.Add($"the service does not run: systemd says {state} ({facts.GetValueOrDefault("SubState", "")})");
        if (facts.GetValueOrDefault("TriggeredBy", "") is { Length: > 0 } by)
            obstacles.Add($"it is started by {by}, which would start it again");
        return unit with { Running = state == "active", Off = state == "inactive" && facts.GetValueOrDefault("UnitFileState", "") == "disabled", Obstacles = obstacles };
    }
}
