using System.Text.RegularExpressions;
using Dure.Host;

namespace Dure.Edge.Foreign;

/// <summary>The locations of an edge's nginx that somebody else wrote, and how one is taken out of its file.</summary>
/// <param name="folder">Of Dure's snippets: what is in there is ours.</param>
internal sealed partial class ForeignLocations(NginxConfiguration configuration, string folder)
{
    private readonly LocationMeaning _meaning = new(configuration);

    private sealed record Found(NginxDirective Location, NginxServer Server, bool Nested);

    /// <summary>Those that pass requests on, each once.</summary>
    public IReadOnlyList<ForeignLocation> All() =>
        [.. Locations().DistinctBy(found => (found.Location.File, found.Location.Start)).Select(found => _meaning.Of(found.Location, found.Nested)).OfType<ForeignLocation>()];

    /// <summary>Every file that serves a path, without the blocks that do.</summary>
    /// <param name="bare">The path without a slash at its end.</param>
    /// <param name="port">Where its requests go now; whatever leads elsewhere is not taken.</param>
    /// <returns>None when nobody serves the path.</returns>
    public Outcome<IReadOnlyList<ForeignFile>> Without(string bare, int port)
    {
        var found = Locations().Where(one => LocationMeaning.Match(one.Location).Path.TrimEnd('/') == bare).ToList();
        foreach (var one in found)
        {
            if (Refusal(one, bare, port) is { } refusal)
                return ForeignErrors.NotTaken.With($"{one.Location.At}: {refusal}.\n{_meaning.Lines(one.Location)}");
        }

        var files = new List<ForeignFile>();
        foreach (var group in found.Select(one => one.Location).DistinctBy(one => (one.File, one.Start)).GroupBy(one => one.File, StringComparer.Ordinal))
        {
            var cut = Cut(configuration.Find(group.Key)!, [.. group], bare);
            if (!cut.Ok)
                return cut.Problem;
            files.Add(cut.Value);
        }

        return files;
    }

    /// <summary>A text without the blocks: a line of which nothing is left goes as a whole, and nothing else is touched.</summary>
    public static string Without(string text, IEnumerable<(int Start, int End)> blocks)
    {
        foreach (var (blockStart, blockEnd) in blocks.OrderByDescending(block => block.Start))
        {
            var (start, end) = (blockStart, blockEnd);
            while (start > 0 && text[start - 1] is ' ' or '\t')
                start--;
            while (end < text.Length && text[end] is ' ' or '\t' or '\r')
                end++;
            var whole = (start == 0 || text[start - 1] == '\n') && (end == text.Length || text[end] == '\n');
            text = whole ? text.Remove(start, Math.Min(end + 1, text.Length) - start) : text.Remove(blockStart, blockEnd - blockStart);
        }

        return text;
    }

    private Outcome<ForeignFile> Cut(NginxFile file, IReadOnlyList<NginxDirective> blocks, string bare)
    {
        if (!PlainName().IsMatch(file.Name))
            return ForeignErrors.NotTaken.With($"{file.Name}: its name has characters that are not understood.");
        var after = Without(file.Text, blocks.Select(block => (block.Start, block.End)));
        // What is left must read as before, without the blocks and with all else.
        var (left, fault) = NginxText.Parse(file.Name, after);
        if (fault is not null || !Flat(left).SequenceEqual(Flat(file.Directives, blocks), StringComparer.Ordinal))
            return ForeignErrors.NotTaken.With($"{file.Name}: without the location of {bare}, the file would read otherwise than expected.");
        return new ForeignFile(file.Name, NginxConfiguration.Bytes.GetBytes(file.Text), NginxConfiguration.Bytes.GetBytes(after), [.. blocks.Select(_meaning.Lines)]);
    }

    private string? Refusal(Found one, string bare, int port)
    {
        if (!one.Server.Inside.Any(inner => inner.Name == "include" && inner.Words is [var pattern] && pattern.StartsWith(folder + "/", StringComparison.Ordinal)))
            return $"the server at {one.Server.Self.At} does not include {folder}/*.conf, so the path would be gone there";
        if (!one.Nested && LocationMeaning.LeadsTo(one.Location, bare))
            return null;
        return _meaning.Of(one.Location, one.Nested) is not { } location ? "it is there, and passes nothing on"
            : location.Refusal ?? (location.Port == port ? null : FormattableString.Invariant($"it leads to port {location.Port}, not {port}"));
    }

    private IEnumerable<Found> Locations() => configuration.Servers.SelectMany(server => Locations(server.Inside, nested: false).Select(found => new Found(found.Location, server, found.Nested)))
        .Where(found => !found.Location.File.StartsWith(folder + "/", StringComparison.Ordinal));

    private IEnumerable<(NginxDirective Location, bool Nested)> Locations(IEnumerable<NginxDirective> inside, bool nested)
    {
        foreach (var one in inside.Where(one => one.Block is not null))
        {
            if (one.Name == "location")
                yield return (one, nested);
            foreach (var inner in Locations(configuration.Expand(one.Block!, 0), nested: true))
                yield return inner;
        }
    }

    private static IEnumerable<string> Flat(IEnumerable<NginxDirective> directives, IReadOnlyList<NginxDirective>? without = null) => directives.Where(one => without?.Contains(one) != true)
        .SelectMany(one => Flat(one.Block ?? [], without).Prepend($"{one.Name} {string.Join(' ', one.Words)}{(one.Block is null ? ";" : " {")}").Append(one.Block is null ? "" : "}"));

    [GeneratedRegex("^[A-Za-z0-9._/@+-]+\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PlainName();
}
