using Dure.Fleet.Apply;
using Dure.Fleet.Plan;
using Dure.Host.Terminal;

namespace Dure.Fleet.Commands;

/// <summary>A plan as people read it: a sign, what, why, and the difference of each file.</summary>
internal static class PlanText
{
    /// <summary>Lines of one difference that are shown; the rest is counted.</summary>
    private const int DiffLinesMax = 60;

    public static void Write(Screen screen, MachineSession machine, IReadOnlyDictionary<Change, string> diffs, bool brief)
    {
        if (machine.Plan.IsEmpty)
            return;
        screen.Line($"{machine.Machine.Name}  ({machine.Seen.Facts.GetValueOrDefault("os", machine.Machine.Os)}, {string.Join(", ", machine.Machine.Roles.Select(role => role.Role))})");
        foreach (var change in machine.Plan.Changes)
        {
            screen.Line($"  {Sign(change)} {change.What}{(change.Why.Length > 0 ? $"  ({change.Why})" : "")}{(change.Guarded ? "  [undoes itself if it cuts the machine off]" : "")}");
            if (!brief && diffs.TryGetValue(change, out var diff))
                Diff(screen, diff);
        }

        foreach (var kept in machine.Plan.Kept)
            screen.Line($"    {kept} keeps its data");
        screen.Line("");
    }

    public static string Summary(IReadOnlyList<MachineSession> machines)
    {
        var changes = machines.SelectMany(machine => machine.Plan.Changes).ToList();
        if (changes.Count == 0)
            return $"{Phrase.Count(machines.Count, "machine")}: nothing to do.";
        var drift = changes.Count(change => change.Drift);
        return $"{Phrase.Count(machines.Count(machine => !machine.Plan.IsEmpty), "machine")} of {machines.Count}: {changes.Count(change => change.Sign == ChangeSign.Add)} to add, "
            + $"{changes.Count(change => change.Sign == ChangeSign.Change)} to change, {changes.Count(change => change.Sign == ChangeSign.Remove)} to remove"
            + (drift > 0 ? $"; {drift} of them were changed on the machines." : ".");
    }

    public static string Sign(Change change) => change.Sign switch
    {
        ChangeSign.Add => "+",
        ChangeSign.Remove => "-",
        _ => "~",
    };

    private static void Diff(Screen screen, string diff)
    {
        var lines = diff.TrimEnd('\n').Split('\n');
        foreach (var line in lines.Skip(lines.Length > 1 ? 2 : 0).Take(DiffLinesMax))
            screen.Line("      " + line);
        if (lines.Length - 2 > DiffLinesMax)
            screen.Line($"      ... {lines.Length - 2 - DiffLinesMax} lines more");
    }
}
