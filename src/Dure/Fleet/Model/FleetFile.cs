using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Texts;

namespace Dure.Fleet.Model;

/// <summary>Reads dure.yaml into a fleet. Every fault is reported at once, with its line and column; nothing is looked up outside the file.</summary>
internal static class FleetFile
{
    /// <summary>Longest file that is read, characters: some thousand machines.</summary>
    public const int LengthMax = 4 << 20;

    /// <returns>The fleet, DURE0800 with every fault, or DURE0801.</returns>
    public static async Task<Outcome<FleetModel>> LoadAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
            return FleetErrors.FileMissing.With($"{path} does not exist.");
        return Read(await File.ReadAllTextAsync(path, cancel), Path.GetFileName(path), Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <param name="folder">Absolute; relative paths in the file start here.</param>
    public static Outcome<FleetModel> Read(string text, string file, string folder)
    {
        var faults = new List<Fault>();
        var top = YamlTree.Read(text, file, faults, LengthMax);
        if (top is not YamlMap map)
        {
            if (faults.Count == 0)
                faults.Add(new(file, top is null ? "the file declares nothing; `machines:` is what a fleet needs" : "expected sections such as `machines:`"));
            return Invalid(faults);
        }

        var fields = new YamlFields(map, file, "", faults);
        foreach (var (key, _) in map.Entries)
        {
            if (Mistyped(key.Text) is { } meant)
                fields.Fault(key, $"`{key.Text}` is no section. Did you mean `{meant}`?");
        }

        var reader = new FleetReader(file, faults);
        var fleet = reader.Fleet(fields);
        var networks = reader.Networks(fields);
        var machines = new MachineReader(file, faults, networks).All(fields);
        var settings = reader.Settings(fields);
        var objectives = reader.Objectives(fields);
        var server = ServerSections(map, text);
        faults.AddRange(ServerFaults(server.Text, server.Lines, file));
        return faults.Count > 0
            ? Invalid([.. faults.OrderBy(fault => PlaceOf(fault.Where))])
            : new FleetModel(file, folder, fleet.Name, fleet.Domain, fleet.Mail, fleet.Ssh with { ConfigFile = Under(folder, fleet.Ssh.ConfigFile) }, Under(folder, fleet.Secrets), networks, machines, settings, objectives, server.Text);
    }

    private static Outcome<FleetModel> Invalid(IReadOnlyList<Fault> faults) =>
        FleetErrors.FileInvalid.With(faults.Count == 1 ? "There is one fault." : $"There are {faults.Count} faults.", faults);

    /// <summary>The fleet's section that was meant by a word which is neither one nor the server's.</summary>
    private static string? Mistyped(string key) =>
        ConfigurationFile.FleetSections.Contains(key, StringComparer.Ordinal) || Settings.All.Any(setting => setting.Key == key || setting.Key.StartsWith(key + ".", StringComparison.Ordinal))
            ? null : Spelling.Nearest(key, ConfigurationFile.FleetSections);

    private static string Under(string folder, string path) => path.Length == 0 ? "" : Path.Combine(folder, path);

    private static (long, long) PlaceOf(string where) =>
        where.Split(':') is [_, var line, var column] && long.TryParse(line, out var l) && long.TryParse(column, out var c) ? (l, c) : (0, 0);

    /// <summary>The text of the sections that are not the fleet's, and for each of its lines the line of the file.</summary>
    private static (string Text, IReadOnlyList<long> Lines) ServerSections(YamlMap map, string text)
    {
        var lines = text.Split('\n');
        var (kept, numbers) = (new List<string>(), new List<long>());
        for (var i = 0; i < map.Entries.Count; i++)
        {
            var key = map.Entries[i].Key;
            if (ConfigurationFile.FleetSections.Contains(key.Text, StringComparer.Ordinal) || Mistyped(key.Text) is not null)
                continue;
            var end = i + 1 < map.Entries.Count ? map.Entries[i + 1].Key.Line - 1 : lines.Length;
            for (var line = key.Line; line <= end; line++)
            {
                kept.Add(lines[line - 1]);
                numbers.Add(line);
            }
        }

        return (kept.Count == 0 ? "" : string.Join('\n', kept).TrimEnd() + "\n", numbers);
    }

    private static IEnumerable<Fault> ServerFaults(string text, IReadOnlyList<long> lines, string file)
    {
        foreach (var fault in ConfigurationLoader.FaultsOf(file, text))
        {
            yield return fault.Where.Split(':') is [var name, var line, var column] && long.TryParse(line, out var number) && number >= 1 && number <= lines.Count
                ? fault with { Where = $"{name}:{lines[(int)number - 1]}:{column}" }
                : fault;
        }
    }
}
