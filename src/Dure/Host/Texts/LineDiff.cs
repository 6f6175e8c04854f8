using System.Text;

namespace Dure.Host.Texts;

/// <summary>Differences between two texts line by line, after Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), as a unified diff.</summary>
public static class LineDiff
{
    private const int Context = 3;

    /// <summary>With more differences than this the texts are shown as replaced: the search takes memory by the square of them.</summary>
    private const int DifferencesMax = 4_000;

    private enum Kind
    {
        Same,
        Removed,
        Added,
    }

    /// <summary>A unified diff with three lines of context, as <c>diff -u</c> writes it and <c>patch</c> reads it; empty when there is no difference.</summary>
    public static string Unified(string oldName, string newName, string oldText, string newText)
    {
        var (a, b) = (Lines(oldText), Lines(newText));
        var edits = Edits(a, b);
        var diff = new StringBuilder();
        foreach (var (from, to) in Hunks(edits))
        {
            if (diff.Length == 0)
                diff.Append("--- ").Append(oldName).Append('\n').Append("+++ ").Append(newName).Append('\n');
            WriteHunk(diff, edits, from, to, a, b);
        }

        return diff.ToString();
    }

    /// <summary>Lines with their line end; the last may lack one.</summary>
    private static List<string> Lines(string text)
    {
        var lines = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end + 1;
            lines.Add(text[start..end]);
            start = end;
        }

        return lines;
    }

    private static List<Edit> Edits(List<string> a, List<string> b)
    {
        var head = 0;
        while (head < a.Count && head < b.Count && a[head] == b[head])
            head++;
        var tail = 0;
        while (tail < a.Count - head && tail < b.Count - head && a[^(tail + 1)] == b[^(tail + 1)])
            tail++;
        var edits = new List<Edit>();
        for (var i = 0; i < head; i++)
            edits.Add(new(Kind.Same, i, i));
        Middle(a, b, head, a.Count - tail, b.Count - tail, edits);
        for (var i = tail; i > 0; i--)
            edits.Add(new(Kind.Same, a.Count - i, b.Count - i));
        return edits;
    }

    private static void Middle(List<string> a, List<string> b, int start, int aEnd, int bEnd, List<Edit> edits)
    {
        var (n, m) = (aEnd - start, bEnd - start);
        var furthest = new Dictionary<int, int> { [1] = 0 };
        var trace = new List<int[]>();
        for (var d = 0; d <= Math.Min(n + m, DifferencesMax); d++)
        {
            var row = new int[(2 * d) + 1];
            for (var k = -d; k <= d; k += 2)
            {
                var down = k == -d || (k != d && furthest[k - 1] < furthest[k + 1]);
                var x = down ? furthest[k + 1] : furthest[k - 1] + 1;
                while (x < n && x - k < m && a[start + x] == b[start + x - k])
                    x++;
                furthest[k] = row[k + d] = x;
                if (x < n || x - k < m)
                    continue;
                trace.Add(row);
                Back(trace, n, m, start, edits);
                return;
            }

            trace.Add(row);
        }

        for (var i = start; i < aEnd; i++)
            edits.Add(new(Kind.Removed, i, start));
        for (var i = start; i < bEnd; i++)
            edits.Add(new(Kind.Added, aEnd, i));
    }

    private static void Back(List<int[]> trace, int x, int y, int start, List<Edit> edits)
    {
        var reversed = new List<Edit>();
        for (var d = trace.Count - 1; d >= 0; d--)
        {
            var k = x - y;
            int Furthest(int diagonal) => trace[d - 1][diagonal + d - 1];
            var down = d > 0 && (k == -d || (k != d && Furthest(k - 1) < Furthest(k + 1)));
            var previous = down ? k + 1 : k - 1;
            var fromX = d == 0 ? 0 : Furthest(previous);
            var fromY = d == 0 ? 0 : fromX - previous;
            while (x > fromX && y > fromY)
                reversed.Add(new(Kind.Same, start + --x, start + --y));
            if (d == 0)
                break;
            reversed.Add(down ? new(Kind.Added, start + x, start + --y) : new(Kind.Removed, start + --x, start + y));
        }

        reversed.Reverse();
        edits.AddRange(reversed);
    }

    private static IEnumerable<(int From, int To)> Hunks(List<Edit> edits)
    {
        var (from, to) = (-1, -1);
        for (var i = 0; i < edits.Count; i++)
        {
            if (edits[i].Kind == Kind.Same)
                continue;
            if (from >= 0 && i - to > 2 * Context)
            {
                yield return (from, Math.Min(edits.Count, to + Context));
                from = -1;
            }

            if (from < 0)
                from = Math.Max(0, i - Context);
            to = i + 1;
        }

        if (from >= 0)
            yield return (from, Math.Min(edits.Count, to + Context));
    }

    private static void WriteHunk(StringBuilder diff, List<Edit> edits, int from, int to, List<string> a, List<string> b)
    {
        var hunk = edits.GetRange(from, to - from);
        var (removed, added) = (hunk.Count(e => e.Kind != Kind.Added), hunk.Count(e => e.Kind != Kind.Removed));
        diff.Append("@@ -").Append(Range(hunk[0].A, removed)).Append(" +").Append(Range(hunk[0].B, added)).Append(" @@\n");
        foreach (var edit in hunk)
        {
            var line = edit.Kind == Kind.Added ? b[edit.B] : a[edit.A];
            diff.Append(edit.Kind switch { Kind.Same => ' ', Kind.Removed => '-', _ => '+' }).Append(line);
            if (!line.EndsWith('\n'))
                diff.Append("\n\\ No newline at end of file\n");
        }
    }

    private static string Range(int start, int count) => count switch { 0 => $"{start},0", 1 => $"{start + 1}", _ => $"{start + 1},{count}" };

    /// <param name="A">Index of the line in the old text, or of the one that follows.</param>
    /// <param name="B">Index of the line in the new text, or of the one that follows.</param>
    private readonly record struct Edit(Kind Kind, int A, int B);
}
