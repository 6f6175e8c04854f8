using System.Collections.Frozen;
using System.Security.Cryptography;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host;

namespace Dure.Fleet;

/// <summary>The secrets that a fleet's roles use: one file each in a folder beside the fleet's file, readable by its owner only.</summary>
internal sealed class FleetSecrets
{
    private const string PasswordLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

    /// <summary>Shorter texts are no secrets, and would hide words.</summary>
    private const int HiddenLengthMin = 6;

    private readonly FrozenDictionary<string, string> _values;

    private FleetSecrets(IReadOnlyDictionary<string, string> values) => _values = values.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What the fleet's roles use, each once.</summary>
    public static IReadOnlyList<SecretNeed> NeededBy(FleetModel fleet) =>
    [
        .. RoleKinds.All.Where(role => fleet.Machines.Any(machine => RoleKinds.Has(fleet, machine, role))).SelectMany(role => role.Secrets(fleet)).DistinctBy(need => need.Name, StringComparer.Ordinal),
    ];

    /// <summary>The names of those that have a file.</summary>
    public static IReadOnlySet<string> Present(FleetModel fleet) =>
        NeededBy(fleet).Where(need => File.Exists(PathOf(fleet, need.Name))).Select(need => need.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Reads them all. One that only people can give may be absent and is then empty.</summary>
    /// <returns>The secrets, or DURE0803 with every one that is missing.</returns>
    public static async Task<Outcome<FleetSecrets>> ReadAsync(FleetModel fleet, CancellationToken cancel)
    {
        var (values, faults) = (new Dictionary<string, string>(StringComparer.Ordinal), new List<Fault>());
        foreach (var need in NeededBy(fleet))
        {
            var path = PathOf(fleet, need.Name);
            if (!File.Exists(path))
            {
                if (need.Kind == SecretKind.Given)
                    values[need.Name] = "";
                else
                    faults.Add(new(path, $"is missing: {need.Purpose}"));
                continue;
            }

            if ((File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
                faults.Add(new(path, "can be read by others; chmod 600 it"));
            values[need.Name] = (await File.ReadAllTextAsync(path, cancel)).TrimEnd('\n', '\r');
        }

        return faults.Count > 0 ? FleetErrors.SecretMissing.With($"{fleet.SecretsFolder} lacks what the roles use.", faults) : new FleetSecrets(values);
    }

    /// <summary>Makes those that can be made and are missing. What is there is never changed.</summary>
    /// <returns>The names that were made, and the needs that only people can meet.</returns>
    public static async Task<(IReadOnlyList<string> Made, IReadOnlyList<SecretNeed> Asked)> MakeAsync(FleetModel fleet, CancellationToken cancel)
    {
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Directory.CreateDirectory(fleet.SecretsFolder, mine | UnixFileMode.UserExecute);
        var (made, asked) = (new List<string>(), new List<SecretNeed>());
        foreach (var need in NeededBy(fleet).Where(need => !File.Exists(PathOf(fleet, need.Name))))
        {
            if (need.Kind == SecretKind.Given)
            {
                asked.Add(need);
                continue;
            }

            await using var file = new FileStream(PathOf(fleet, need.Name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mine });
            await using var writer = new StreamWriter(file);
            await writer.WriteLineAsync(Make(need.Kind).AsMemory(), cancel);
            made.Add(need.Name);
        }

        return (made, asked);
    }

    /// <summary>The text of a secret that <see cref="ReadAsync"/> found needed.</summary>
    public string Of(string name) => _values[name];

    /// <summary>A text without the secrets that it may hold: what a program said when it refused a file.</summary>
    public string Hide(string text) =>
        _values.Values.Where(value => value.Length >= HiddenLengthMin).Aggregate(text, static (rest, value) => value.Split('\n').Where(static line => line.Length >= HiddenLengthMin).Aggregate(rest, static (left, line) => left.Replace(line, "(secret)", StringComparison.Ordinal)));

    private static string PathOf(FleetModel fleet, string name) => Path.Combine(fleet.SecretsFolder, name);

    private static string Make(SecretKind kind) => kind switch
    {
        SecretKind.Key => Convert.ToBase64String(RandomNumberGenerator.GetBytes(1024)),
        SecretKind.ShortPassword => RandomNumberGenerator.GetString(PasswordLetters, 8),
        _ => RandomNumberGenerator.GetString(PasswordLetters, 32),
    };
}
