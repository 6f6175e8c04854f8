namespace Dure.Fleet.Plan;

/// <summary>Some lines of a file that are the fleet's, between two marks; the others are the machine's own.</summary>
internal static class Block
{
    public const string Begin = "# dure: begin (declared in dure.yaml)";
    public const string End = "# dure: end";

    /// <summary>The file with the block's lines in place of the old ones, or at its end.</summary>
    public static string Put(string whole, string block)
    {
        var lines = Outside(whole);
        var at = whole.Split('\n').ToList().IndexOf(Begin);
        at = at < 0 ? lines.Count : Math.Min(at, lines.Count);
        string[] inside = block.Length == 0 ? [] : [Begin, .. block.TrimEnd('\n').Split('\n'), End];
        lines.InsertRange(at, inside);
        return lines.Count == 0 ? "" : string.Join('\n', lines) + "\n";
    }

    private static List<string> Outside(string whole)
    {
        var kept = new List<string>();
        var lines = whole.TrimEnd('\n').Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i] != Begin)
                kept.Add(lines[i]);
            else if (Array.IndexOf(lines, End, i) is >= 0 and var end)
                i = end;
            // A block whose end somebody removed has no end: only its mark goes, so that no line of the machine's is lost.
        }

        // Empty lines at the end belong to nobody.
        return kept[..(kept.FindLastIndex(static line => line.Length > 0) + 1)];
    }
}
