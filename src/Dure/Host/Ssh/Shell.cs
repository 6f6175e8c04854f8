using System.Text;

namespace Dure.Host.Ssh;

/// <summary>Words and texts as the POSIX shell reads them.</summary>
internal static class Shell
{
    /// <summary>A text as one word that no shell changes.</summary>
    public static string Word(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "/._-:@=+,%".Contains(c, StringComparison.Ordinal)) ? text : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    public static string Words(IEnumerable<string> texts) => string.Join(' ', texts.Select(Word));

    /// <summary>Runs a script of its own with a time limit; nothing in the script can end the text around it.</summary>
    public static string Script(string script, int limitSeconds)
    {
        var end = End(script);
        return $"timeout -k 2 {limitSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture)} sh <<'{end}'\n{script}\n{end}\n";
    }

    /// <summary>A text on standard input, byte by byte.</summary>
    public static string Input(string text) => Input(Encoding.UTF8.GetBytes(text));

    /// <summary>Bytes on standard input, packed.</summary>
    public static string Input(byte[] bytes) => $"<<'E'\n{Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\nE\n";

    private static string End(string text)
    {
        var end = "DURE_END";
        while (text.Contains(end, StringComparison.Ordinal))
            end += "_";
        return end;
    }
}
