namespace Dure.Functions.Deploy;

/// <summary>Finds what somebody probably meant.</summary>
public static class Spelling
{
    /// <summary>The known word nearest to the one written, or null when none is near.</summary>
    public static string? Nearest(string written, IEnumerable<string> known)
    {
        var limit = Math.Max(1, written.Length / 3);
        return known
            .Select(word => (Word: word, Distance: Distance(written.ToLowerInvariant(), word.ToLowerInvariant())))
            .Where(c => c.Distance <= limit)
            .OrderBy(c => c.Distance)
            .Select(c => c.Word)
            .FirstOrDefault();
    }

    /// <summary>A sentence to append: <c> Did you mean `memory`?</c>, or nothing.</summary>
    public static string DidYouMean(string written, IEnumerable<string> known) => Nearest(written, known) is { } word ? $" Did you mean `{word}`?" : "";

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.</summary>
    internal static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
