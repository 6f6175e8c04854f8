namespace Dure.Fleet.Desired;

/// <summary>How much of a file is the fleet's.</summary>
internal enum FileKind
{
    /// <summary>All of it, always.</summary>
    Whole,

    /// <summary>Some lines between two marks; the rest is the machine's own.</summary>
    Block,

    /// <summary>Written when the fleet's text changed or the file is absent; a program may change it in between (redis.conf).</summary>
    Seed,

    /// <summary>The file must not be there; what was there comes back when the role goes.</summary>
    Absent,
}

/// <summary>A file that a machine should have.</summary>
/// <param name="Path">Absolute. Its folder is made when it is missing (root, 0755); another owner or mode needs a <see cref="DesiredFolder"/>.</param>
/// <param name="Text">What it holds, UTF-8; empty for <see cref="FileKind.Absent"/>.</param>
internal sealed record DesiredFile(string Path, string Text, string Role)
{
    /// <summary>Octal, such as <c>0644</c>.</summary>
    public string Mode { get; init; } = "0644";

    public string Owner { get; init; } = "root";

    public string Group { get; init; } = "root";

    public FileKind Kind { get; init; } = FileKind.Whole;

    /// <summary>Its text holds a secret: it is masked in differences, and never kept in records.</summary>
    public bool Secret { get; init; }

    /// <summary>It must stand before packages are installed, because their scripts read it.</summary>
    public bool BeforePackages { get; init; }

    /// <summary>
    /// A shell command that exits with 0 when the new file is good; <c>$new</c> is the path of the candidate beside the target. Runs after packages are
    /// installed and before the file takes its place. Empty when nothing can check it.
    /// </summary>
    public string Check { get; init; } = "";

    /// <summary>A mistake in it can cut the machine off (firewall, network, sshd): the change is undone unaided unless a fresh session confirms it.</summary>
    public bool Guarded { get; init; }
}

/// <summary>A folder that a machine should have, with this owner and mode. What is in it is not touched.</summary>
internal sealed record DesiredFolder(string Path, string Mode, string Owner, string Group, string Role);
