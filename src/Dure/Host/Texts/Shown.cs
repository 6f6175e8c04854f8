using System.Globalization;
using System.Text;

namespace Dure.Host.Texts;

/// <summary>Text from elsewhere, made fit to stand in a message.</summary>
public static class Shown
{
    /// <summary>At most 300 characters, control characters written as escapes, and a word where there is nothing.</summary>
    public static string Safely(string text)
    {
        var safe = new StringBuilder();
        foreach (var c in text.Length > 300 ? text[..300] + "..." : text)
            _ = char.IsControl(c) ? safe.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}") : safe.Append(c);
        return safe.Length == 0 ? "(no name)" : safe.ToString();
    }
}
