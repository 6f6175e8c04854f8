namespace Dure.Apps;

/// <summary>What the index tells of an app; all of it may be left out.</summary>
public sealed record AppAbout
{
    public static readonly AppAbout Nothing = new();

    public string? Title { get; init; }

    public IReadOnlyList<string> Authors { get; init; } = [];

    /// <summary>A year, a month or a day: 2026, 2026-11, 2026-11-27.</summary>
    public string? Date { get; init; }

    /// <summary>Plain text; an empty line begins a paragraph.</summary>
    public string? Abstract { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];
}
