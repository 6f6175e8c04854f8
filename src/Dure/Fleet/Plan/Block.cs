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
        at = at < 0 ? lines.Count : at;
        string[] inside = block.Length == 0 ? [] : [Begin, .. block.TrimEnd('\n').Split('\n'), End];
        lines.InsertRange(at, inside);
        return lines.Count == 0 ? "" : string.Join('\n', lines) + "\n";
    }

    private static List<string> Outside(string whole)
    {
        var kept = new List<string>();
        var inside = false;
        foreach (var line in whole.TrimEnd('\n').Split('\n'))
        {
            if (line == Begin)
                inside = true;
            else if (inside && line == End)
                inside = false;
            else if (!inside)
                kept.Add(line);
        }

        return kept is [""] ? [] : kept;
    }
}
