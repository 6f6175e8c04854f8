using Dure.Functions.Deploy;

namespace Dure.Functions;

/// <summary>One deployed version of a function. Immutable.</summary>
/// <param name="Number">1, 2, 3… within the function.</param>
public sealed record FunctionVersion(
    long Id,
    long FunctionId,
    string FunctionName,
    int Number,
    string Owner,
    DateTimeOffset CreatedAt,
    long SizeBytes,
    BuiltVersion Built)
{
    /// <summary>What it needs and promises.</summary>
    public FunctionSpec Spec => Built.Spec;

    /// <summary>The version's name.</summary>
    public string Digest => Built.Digest;
}

/// <summary>A function: a name, its versions and where callers are sent. Replaced as a whole when something changes.</summary>
/// <param name="Previous">The version that was live before, where a rollback goes.</param>
/// <param name="CanaryPercent">Share of invocations that go to <paramref name="Canary"/>, 0 to 100.</param>
public sealed record Function(
    long Id,
    string Name,
    string Owner,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    FunctionVersion? Live,
    FunctionVersion? Previous,
    FunctionVersion? Canary,
    int CanaryPercent,
    IReadOnlyList<FunctionVersion> Versions,
    bool Deleted)
{
    /// <summary>The version for one invocation.</summary>
    /// <param name="dice">0 to 99.</param>
    public FunctionVersion? Choose(int dice) => Canary is not null && dice < CanaryPercent ? Canary : Live;

    /// <summary>Finds a version by number, digest or an unambiguous digest prefix of 4 or more digits.</summary>
    public FunctionVersion? Find(string text)
    {
        if (int.TryParse(text, out var number) && Versions.FirstOrDefault(v => v.Number == number) is { } numbered)
            return numbered;
        var matches = text.Length < 4 ? [] : Versions.Where(v => v.Digest.StartsWith(text, StringComparison.OrdinalIgnoreCase)).Take(2).ToList();
        return matches.Count == 1 ? matches[0] : null;
    }
}
