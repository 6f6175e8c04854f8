using System.Globalization;
using System.Text;

namespace Dure.Fleet.Check.Rules;

/// <summary>The reference page of the rules: <c>docs/reference/fleet-checks.md</c>.</summary>
internal static class CheckPage
{
    public static string Render()
    {
        var text = new StringBuilder("""
            # What `dure check` finds

            An *error* does not work, or loses what it acknowledged: nothing is applied, and the exit code is 2. A *warning* works until something happens; with `--strict` it counts as an error. A *note* is worth knowing.

            | rule | severity | what is wrong | what to do |
            |---|---|---|---|

            """);
        foreach (var rule in CheckRules.All)
            text.Append(CultureInfo.InvariantCulture, $"| `{rule.Id}` | {CheckView.Word(rule.Severity)} | {Cell(rule.Text)} | {Cell(rule.Remedy)} |\n");
        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
