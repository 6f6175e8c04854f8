namespace Dure.Apps.Adopting;

/// <summary>A service of systemd that somebody made by hand and that serves something.</summary>
/// <param name="Command">As the unit says it.</param>
/// <param name="Folder">Where it runs; null when the unit does not say.</param>
/// <param name="Port">Where it listens; null when that cannot be told.</param>
/// <param name="Spec">How Dure would start it.</param>
/// <param name="Obstacles">Why it cannot be taken over as it is.</param>
/// <param name="Notes">What will be otherwise.</param>
public sealed record FoundUnit(string Name, string File, string Command, string? Folder, string? User, int? Port, AppSpec? Spec, IReadOnlyList<string> Obstacles, IReadOnlyList<string> Notes)
{
    public bool Running { get; init; }

    /// <summary>It neither runs nor is started at boot: what somebody turned off, or what was taken over.</summary>
    public bool Off { get; init; }

    /// <summary>Files that it has its environment from; only root may read them, so they do not go along.</summary>
    public IReadOnlyList<string> EnvironmentFiles { get; init; } = [];

    /// <summary>What it answered just now, and whether that is well; null when nobody asked.</summary>
    public string? Said { get; init; }

    public bool Healthy { get; init; }

    /// <summary>What its id could be: its name without what says that it is a paper.</summary>
    public string Id => AppSpec.IdFrom(Bare(Name)) ?? "app";

    private static string Bare(string name)
    {
        name = UnitText.Bare(name);
        foreach (var prefix in new[] { "paper-", "paper@", "papers-", "papers@", "app-", "app@", "marimo-", "marimo@" })
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length)
                return name[prefix.Length..];
        }

        return name;
    }
}
