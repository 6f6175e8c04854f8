namespace Dure.Fleet.Plan;

/// <summary>One thing that an apply made on a machine.</summary>
/// <param name="Kind"><c>file</c>, <c>folder</c>, <c>package</c>, <c>unit</c>, <c>user</c>, <c>tree</c>.</param>
/// <param name="Mark">What it was made as: a file's digest, a unit's state, a tree's digest.</param>
internal sealed record Made(string Kind, string Role, string Name, string Mark);

/// <summary>What applies have made on a machine, kept there as lines with tabs between the fields. It is how a role that goes takes what it made along, and how a change by hand is told from one in the file.</summary>
internal sealed record Manifest(IReadOnlyList<Made> All)
{
    /// <summary>The mark of what an apply is about to make.</summary>
    public const string Pending = "pending";

    public static readonly Manifest Empty = new([]);

    public static Manifest Read(IEnumerable<string> lines) =>
        new([.. lines.Select(line => line.Split('\t')).Where(fields => fields.Length == 4).Select(fields => new Made(fields[0], fields[1], fields[2], fields[3]))]);

    public Made? Find(string kind, string name) => All.FirstOrDefault(made => made.Kind == kind && made.Name == name);

    /// <summary>Holds the same things, in any order.</summary>
    public bool IsLike(Manifest other) => All.ToHashSet().SetEquals(other.All);

    public string Text => string.Concat(All.Select(made => $"{made.Kind}\t{made.Role}\t{made.Name}\t{made.Mark}\n"));

    /// <summary>What holds after the desired state was reached. A package is ours only when it was not there before.</summary>
    public static Manifest After(Lowered desired, Manifest before, IReadOnlyDictionary<string, string> packagesBefore) => new(
    [
        .. desired.Packages.Where(package => before.Find("package", package.Name) is not null || !packagesBefore.ContainsKey(package.Name)).Select(package => new Made("package", package.Role, package.Name, "installed")),
        .. desired.Users.Select(user => new Made("user", user.Role, user.Name, user.Home)),
        .. desired.Folders.Select(folder => new Made("folder", folder.Role, folder.Path, folder.Mode)),
        .. desired.Files.Select(file => new Made("file", file.Role, file.Path, $"{file.Kind}:{Lowered.Digest(file.Text)}")),
        .. desired.Trees.Select(tree => new Made("tree", tree.Role, tree.Path, LocalTree.Digest(tree.Source))),
        .. desired.Units.Select(unit => new Made("unit", unit.Role, unit.Name, unit.State.ToString())),
    ]);

    /// <summary>
    /// What may be there while an apply is under way: what there was, and what is to come. What is to come is not marked as made yet, so that an apply which is cut short is not
    /// taken for one that was done.
    /// </summary>
    public static Manifest During(Manifest before, Manifest after) => new(
    [
        .. before.All,
        .. after.All.Where(made => before.Find(made.Kind, made.Name) is null).Select(made => made.Kind switch
        {
            "file" => made with { Mark = made.Mark[..(made.Mark.IndexOf(':', StringComparison.Ordinal) + 1)] + Pending },
            _ => made with { Mark = Pending },
        }),
    ]);
}
