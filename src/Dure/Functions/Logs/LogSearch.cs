using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Dure.Host;

namespace Dure.Functions.Logs;

/// <summary>Where a text was found.</summary>
/// <param name="Offset">Where the line begins, in bytes.</param>
/// <param name="At">First character of what was found within the line.</param>
/// <param name="Length">Its characters.</param>
public sealed record LogHit(long Line, long Offset, int At, int Length);

/// <summary>What was found so far.</summary>
/// <param name="Next">Where to go on, in the form that <see cref="LogSearch.FindAsync"/> takes; null when everything was looked through.</param>
/// <param name="SearchedBytes">How far into the file it came.</param>
public sealed record LogHits(IReadOnlyList<LogHit> Hits, string? Next, long SearchedLines, long SearchedBytes);

/// <summary>
/// Looks through a log for a text or a regular expression, in what was printed (not in the times before it). Streams over the file, stops
/// after a while or so many hits, and can go on where it stopped. One hit a line. Expressions are those that take linear time.
/// </summary>
public sealed class LogSearch
{
    private const int PatternMost = 1000;
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(400);
    private readonly string? _text;
    private readonly StringComparison _comparison;
    private readonly Regex? _regex;

    private LogSearch(string? text, Regex? regex, StringComparison comparison) => (_text, _regex, _comparison) = (text, regex, comparison);

    /// <summary>A search, or why there can be none.</summary>
    public static Outcome<LogSearch> Of(string text, bool regex, bool matchCase)
    {
        if (text.Length is 0 or > PatternMost)
            return LogErrors.BadSearch.With($"A search is 1 to {PatternMost} characters long.");
        if (text.Contains('\n', StringComparison.Ordinal))
            return LogErrors.BadSearch.With("A search stays within one line.");
        if (!regex)
            return new LogSearch(text, null, matchCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);
        try
        {
            var options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | (matchCase ? RegexOptions.None : RegexOptions.IgnoreCase);
            return new LogSearch(null, new Regex(text, options, TimeSpan.FromSeconds(1)), default);
        }
        catch (Exception bad) when (bad is ArgumentException or NotSupportedException)
        {
            return LogErrors.BadSearch.With(bad.Message);
        }
    }

    /// <summary>Looks on.</summary>
    /// <param name="after">As <see cref="LogHits.Next"/> said; null begins at the start.</param>
    public async ValueTask<Outcome<LogHits>> FindAsync(string path, long length, string? after, int limit, CancellationToken cancel)
    {
        if (!TryReadPlace(after, out var line, out var offset) || offset > length)
            return LogErrors.BadSearch.With("`after` is not one that a search gave.");
        List<LogHit> hits = [];
        var begun = Stopwatch.GetTimestamp();
        await using var pieces = new LogPieces(path, offset, length);
        while (true)
        {
            var bytes = await pieces.NextLinesAsync(cancel);
            if (bytes.IsEmpty)
                return new LogHits(hits, null, line, pieces.Offset);
            var (lines, stopped) = Look(bytes.Span, line, pieces.Offset - bytes.Length, limit, hits);
            line += lines;
            if (stopped is { } at)
                return new LogHits(hits, Place(line, at), line, at);
            if (Stopwatch.GetElapsedTime(begun) > AtOnce && pieces.Offset < length)
                return new LogHits(hits, Place(line, pieces.Offset), line, pieces.Offset);
        }
    }

    // Whole lines. Answers how many were looked through and, when the limit stopped it before the last, the offset of the next.
    private (long Lines, long? StoppedAt) Look(ReadOnlySpan<byte> bytes, long firstLine, long offset, int limit, List<LogHit> hits)
    {
        var text = Encoding.UTF8.GetString(bytes).AsSpan();
        long line = 0;
        var at = 0;
        while (at < text.Length)
        {
            // One look over the whole piece passes by lines without a hit; expressions go line by line.
            var found = _text is null ? 0 : text[at..].IndexOf(_text, _comparison);
            if (found < 0)
                break;
            var begin = at + text.Slice(at, found).LastIndexOf('\n') + 1;
            var skipped = text[at..begin];
            line += skipped.Count('\n');
            offset += Encoding.UTF8.GetByteCount(skipped);
            var end = text[begin..].IndexOf('\n') is >= 0 and var n ? begin + n : text.Length;
            var said = text[begin..end];
            if (Match(said) is { } hit)
            {
                if (hits.Count == limit)
                    return (line, offset);
                hits.Add(new LogHit(firstLine + line, offset, hit.At, hit.Length));
            }
            at = Math.Min(end + 1, text.Length);
            line++;
            offset += Encoding.UTF8.GetByteCount(text[begin..at]);
        }
        return (line + CountLines(text[at..]), null);
    }

    private static long CountLines(ReadOnlySpan<char> rest) => rest.Count('\n') + (rest.Length > 0 && rest[^1] != '\n' ? 1 : 0);

    private (int At, int Length)? Match(ReadOnlySpan<char> line)
    {
        var before = LogText.PrefixOf(line);
        var said = line[before..];
        if (_text is not null)
            return said.IndexOf(_text, _comparison) is >= 0 and var at ? (before + at, _text.Length) : null;
        foreach (var match in _regex!.EnumerateMatches(said))
            return (before + match.Index, match.Length);
        return null;
    }

    private static string Place(long line, long offset) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{line}-{offset}");

    private static bool TryReadPlace(string? text, out long line, out long offset)
    {
        (line, offset) = (0, 0);
        return text is null || (text.Split('-') is [var first, var second] && long.TryParse(first, System.Globalization.NumberStyles.None, null, out line)
            && long.TryParse(second, System.Globalization.NumberStyles.None, null, out offset));
    }
}
