using System.Text.RegularExpressions;
using Dure.Host;

namespace Dure.Test.Tidy;

/// <summary>Every kind of problem has an id of its own, says what to do, and has a page.</summary>
internal static partial class ErrorRules
{
    /// <summary>Checks every kind, and that no page is left of a kind that is gone.</summary>
    /// <param name="kinds">Each with the name of the field that declares it.</param>
    /// <param name="pages">The names of the files under docs/errors.</param>
    public static IEnumerable<string> Kinds(IReadOnlyCollection<(string Field, ErrorKind Kind)> kinds, IReadOnlyCollection<string> pages)
    {
        foreach (var same in kinds.GroupBy(declared => declared.Kind.Id, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            yield return $"{same.Key} is declared by {string.Join(" and ", same.Select(declared => declared.Field))}.";
        }
        foreach (var (field, kind) in kinds)
        {
            if (!Id().IsMatch(kind.Id))
            {
                yield return $"{field}: {kind.Id} is not DURE and four digits.";
            }
            if (kind.Status is < 400 or > 599 || kind.ExitCode is < 1 or > 9)
            {
                yield return $"{field}: status {kind.Status}, exit code {kind.ExitCode} do not exist.";
            }
            if (kind.Title.Length is 0 or > 100 || kind.Title.EndsWith('.') || !kind.Remedy.EndsWith('.'))
            {
                yield return $"{field}: the title is one phrase without a full stop, the remedy is one or two sentences.";
            }
            if (!pages.Contains($"{kind.Id}.md", StringComparer.Ordinal))
            {
                yield return $"{field}: docs/errors/{kind.Id}.md is missing.";
            }
        }
        foreach (var page in pages.Where(page => page.StartsWith("DURE", StringComparison.Ordinal)))
        {
            if (!kinds.Any(declared => $"{declared.Kind.Id}.md" == page))
            {
                yield return $"docs/errors/{page} is about a kind that does not exist.";
            }
        }
    }

    [GeneratedRegex("^DURE[0-9]{4}$", RegexOptions.None, 1000)]
    private static partial Regex Id();
}
