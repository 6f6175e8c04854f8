using System.Text;

namespace Dure.Host.Terminal;

/// <summary>Breaks text into lines.</summary>
public static class TextWrap
{
    /// <summary>Lines of at most <paramref name="width"/> columns, broken at spaces; a single word that is longer stays whole.</summary>
    public static IEnumerable<string> Lines(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }
}
