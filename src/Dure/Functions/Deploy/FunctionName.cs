using System.Text.RegularExpressions;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>The names that functions may have: 1 to 63 of <c>a-z</c>, <c>0-9</c> and <c>-</c>, with a letter or digit at both ends.</summary>
public static partial class FunctionName
{
    /// <summary>The name, or DURE0112.</summary>
    public static Outcome<string> Check(string name) =>
        Pattern().IsMatch(name)
            ? name
            : DeployErrors.NameInvalid.With($"\"{SourcePaths.Show(name)}\" is not a valid name for a function.{Suggestion(name)}");

    /// <summary>
    /// The name for what lies at a path: <paramref name="given"/> (<c>--name</c>), else <c>name:</c> of its function.yaml, else its own
    /// file or folder name in lower case with hyphens for what a name may not have.
    /// </summary>
    /// <returns>The name; DURE0112 when what was given is invalid or nothing of the file's name is left.</returns>
    public static Outcome<string> For(string path, string? given)
    {
        if (given is not null)
            return Check(given);
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var yaml = Path.Combine(full, FunctionYaml.FileName);
        if (File.Exists(yaml) && FunctionYaml.Parse(File.ReadAllText(yaml)) is { Ok: true, Value.Name: { } named })
            return Check(named);
        return Check(Slug(File.Exists(full) ? Path.GetFileNameWithoutExtension(full) : Path.GetFileName(full)));
    }

    private static string Slug(string text)
    {
        var slug = NotAllowed().Replace(text.ToLowerInvariant(), "-").Trim('-');
        return slug.Length > 63 ? slug[..63].TrimEnd('-') : slug;
    }

    private static string Suggestion(string name) => Slug(name) is { Length: > 0 } slug ? $" \"{slug}\" would be." : "";

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Pattern();

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NotAllowed();
}
