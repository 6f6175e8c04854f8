namespace Dure.Functions.Logs;

/// <summary>What stands before the text of a line: <c>2026-11-21T09:35:01.123Z 1 out </c>.</summary>
public static class LogText
{
    private const int TimeLength = 24;

    /// <summary>How many characters come before what was printed; 0 for a line of another form.</summary>
    public static int PrefixOf(ReadOnlySpan<char> line)
    {
        if (line.Length < TimeLength + 7 || line[10] != 'T' || line[TimeLength - 1] != 'Z' || line[TimeLength] != ' ')
            return 0;
        var attempt = line[(TimeLength + 1)..].IndexOf(' ');
        if (attempt < 1)
            return 0;
        var stream = TimeLength + 1 + attempt + 1;
        return line[stream..] is ['o', 'u', 't', ' ', ..] or ['e', 'r', 'r', ' ', ..] or ['s', 'y', 's', ' ', ..] ? stream + 4 : 0;
    }
}
