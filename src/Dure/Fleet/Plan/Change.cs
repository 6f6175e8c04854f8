using Dure.Fleet.Desired;

namespace Dure.Fleet.Plan;

/// <summary>What a change does to what is there.</summary>
internal enum ChangeSign
{
    Add,
    Change,
    Remove,
}

/// <summary>What is done on a machine, as data; the shell comes later.</summary>
internal abstract record Act
{
    internal sealed record InstallPackages(IReadOnlyList<DesiredPackage> Packages) : Act;

    internal sealed record RemovePackages(IReadOnlyList<string> Names) : Act;

    internal sealed record MakeUser(DesiredUser User) : Act;

    internal sealed record RemoveUser(string Name) : Act;

    internal sealed record MakeFolder(DesiredFolder Folder) : Act;

    /// <summary>Leaves a folder that is not empty: what is in it is data.</summary>
    internal sealed record RemoveFolder(string Path) : Act;

    /// <param name="Text">What the file will hold as a whole.</param>
    internal sealed record WriteFile(DesiredFile File, string Text) : Act;

    /// <summary>Takes a file away, and puts back what was there before the first apply.</summary>
    /// <param name="IsBlock">Only the fleet's lines go.</param>
    internal sealed record RestoreFile(string Path, bool IsBlock) : Act;

    /// <summary>Takes a file away that must not be there.</summary>
    internal sealed record RemoveFile(DesiredFile File) : Act;

    internal sealed record SendTree(DesiredTree Tree) : Act;

    internal sealed record RemoveTree(string Path) : Act;

    internal sealed record SetSysctl(DesiredSysctl Sysctl) : Act;

    /// <summary>systemd reads its unit files again.</summary>
    internal sealed record ReadUnits : Act;

    internal sealed record StartUnit(DesiredUnit Unit, string Stamp) : Act;

    internal sealed record RestartUnit(DesiredUnit Unit, string Stamp) : Act;

    internal sealed record ReloadUnit(DesiredUnit Unit, string Stamp) : Act;

    internal sealed record EnableUnit(DesiredUnit Unit) : Act;

    /// <param name="Mask">Also makes it impossible to start.</param>
    internal sealed record StopUnit(string Name, bool Mask) : Act;

    /// <summary>What a role runs on a machine that is to lose it, before anything else happens anywhere.</summary>
    internal sealed record LeaveRole(string Role, string Script) : Act;

    /// <summary>Everything is as it should be, and the machine does not know yet that it is the fleet's: an apply was cut short right before its end.</summary>
    internal sealed record Record : Act;

    internal sealed record RunStep(DesiredStep Step) : Act;
}

/// <summary>One change of a plan.</summary>
/// <param name="What">What it is about, in a few words: <c>file /etc/haproxy/haproxy.cfg</c>.</param>
/// <param name="Why">In a few words; empty where it goes without saying.</param>
/// <param name="Drift">The fleet's file asks for what was already applied: somebody or something changed it on the machine.</param>
internal sealed record Change(ChangeSign Sign, Act Act, string Role, string What, string Why = "", bool Drift = false)
{
    /// <summary>It interrupts something that runs.</summary>
    public bool Interrupts => Act is Act.RestartUnit or Act.StopUnit || Act is Act.InstallPackages && Sign == ChangeSign.Change;

    /// <summary>What it takes away does not come back when the apply is undone.</summary>
    public bool IsForGood => Act is Act.RemovePackages or Act.RemoveUser;

    /// <summary>It may cut the machine off.</summary>
    public bool Guarded { get; init; }
}

/// <summary>What would be done on one machine, in this order.</summary>
/// <param name="Manifest">What the machine will hold afterwards.</param>
/// <param name="Kept">Folders with data that roles which go leave behind.</param>
internal sealed record MachinePlan(string Machine, IReadOnlyList<Change> Changes, Manifest Manifest, IReadOnlyList<string> Kept)
{
    public bool IsEmpty => Changes.Count == 0;
}
