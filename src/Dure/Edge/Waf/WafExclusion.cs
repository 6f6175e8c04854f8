using System.Diagnostics.CodeAnalysis;
using Dure.Host.Configuration;

namespace Dure.Edge.Waf;

/// <summary>One rule that is not asked below one path, or of one parameter there: <c>942100 /papers/ada/search q</c>.</summary>
/// <param name="Rule">Its number in the rules; all digits.</param>
/// <param name="Path">What the path begins with; absolute.</param>
/// <param name="Parameter">A parameter, or <c>header:NAME</c>, <c>cookie:NAME</c>, <c>file:NAME</c>; null for the whole request.</param>
public sealed record WafExclusion(string Rule, string Path, string? Parameter)
{
    /// <summary>How one is written.</summary>
    public const string Form = WafWords.Form;

    /// <summary>Reads one.</summary>
    /// <param name="under">Paths that do not begin with a slash are below this one, and no path means all of it.</param>
    public static bool TryParse(string text, string under, [NotNullWhen(true)] out WafExclusion? exclusion)
    {
        exclusion = null;
        if (WafWords.Match(text) is not { Success: true } match)
            return false;
        var path = match.Groups["path"].Value;
        exclusion = new(match.Groups["rule"].Value, path.StartsWith('/') ? path : under + path, match.Groups["parameter"] is { Success: true } parameter ? parameter.Value : null);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Parameter is null ? $"{Rule} {Path}" : $"{Rule} {Path} {Parameter}";

    /// <summary>The collections of the rules' language that hold the parameter: its value, and its name.</summary>
    internal IReadOnlyList<string> Targets() => Parameter switch
    {
        null => [],
        ['h', 'e', 'a', 'd', 'e', 'r', ':', .. var name] => [$"REQUEST_HEADERS:{name}"],
        ['c', 'o', 'o', 'k', 'i', 'e', ':', .. var name] => [$"REQUEST_COOKIES:{name}", $"REQUEST_COOKIES_NAMES:{name}"],
        ['f', 'i', 'l', 'e', ':', .. var name] => [$"FILES:{name}", $"FILES_NAMES:{name}"],
        var name => [$"ARGS:{name}", $"ARGS_NAMES:{name}"],
    };
}
