using System.Text.RegularExpressions;

namespace Dure.Host.Configuration;

/// <summary>How a rule of the web application firewall is left out, as it is written in files and settings.</summary>
internal static partial class WafWords
{
    public const string Form = "RULE /PATH [PARAMETER], such as 942100 /papers/ada/search q";

    public static bool Is(string text) => Pattern().IsMatch(text.Trim());

    public static Match Match(string text) => Pattern().Match(text.Trim());

    // What nginx and ModSecurity read, so nothing in it can end a quotation or begin another directive.
    [GeneratedRegex(@"^(?<rule>[0-9]{4,7})(?:\s+(?<path>/?[A-Za-z0-9._~%/@+:-]*)(?:\s+(?<parameter>(?:(?:header|cookie|file):)?[A-Za-z0-9._\[\]-]{1,120}))?)?\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Pattern();
}
