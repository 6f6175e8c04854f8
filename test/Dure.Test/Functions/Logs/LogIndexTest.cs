using System.Diagnostics;
using System.Text;
using Dure.Functions.Logs;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Logs;

/// <summary>Lines by number and search, against what reading the whole file gives.</summary>
public sealed class LogIndexTest : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly string _path;

    public LogIndexTest() => _path = _scratch["x.log"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Any_window_of_any_growing_file_is_what_the_file_has_there()
    {
        var random = new Random(20261126);
        string[] pieces = ["", "a", "ß and 한국어 and 🎉", "\r", "x\r", new string('y', 300), "\u001b[31mred\u001b[0m"];
        for (var round = 0; round < 25; round++)
        {
            File.Delete(_path);
            using var index = new LogIndex(_path);
            var text = new StringBuilder();
            for (var step = 0; step < 12; step++)
            {
                var more = string.Concat(Enumerable.Range(0, random.Next(0, 400)).Select(_ => pieces[random.Next(pieces.Length)] + (random.Next(8) == 0 ? "" : "\n")));
                text.Append(more);
                await File.AppendAllTextAsync(_path, more, Cancel);
                await SameAsync(index, text.ToString(), random);
            }
        }
    }

    [Fact]
    public async Task The_offsets_stay_few_and_name_where_lines_begin()
    {
        await File.WriteAllTextAsync(_path, string.Concat(Enumerable.Range(0, 1_000_000).Select(n => $"line {n}\n")), Cancel);
        using var index = new LogIndex(_path);
        var extent = await index.ExtentAsync(null, Cancel);
        Assert.Equal(1_000_000, extent.Lines);
        Assert.InRange(extent.Offsets.Count, 1000, 8192);
        var text = await File.ReadAllTextAsync(_path, Cancel);
        foreach (var place in new[] { 0, 1, extent.Offsets.Count / 2, extent.Offsets.Count - 1 })
            Assert.StartsWith($"line {place * extent.Stride}\n", text[(int)extent.Offsets[place]..], StringComparison.Ordinal);
        Assert.Equal("line 765432", Assert.Single(await index.LinesAsync(765_432, 1, 1 << 20, null, Cancel)).Text);
    }

    [Fact]
    public async Task A_line_of_any_length_is_shown_in_part_and_the_next_one_whole()
    {
        await File.WriteAllTextAsync(_path, "first\n" + new string('z', 3 << 20) + "\nlast\n", Cancel);
        using var index = new LogIndex(_path);
        var lines = await index.LinesAsync(0, 10, 1 << 20, null, Cancel);
        Assert.Equal((5, LogIndex.LineBytesMost, 4), (lines[0].Text.Length, lines[1].Text.Length, lines[2].Text.Length));
        Assert.Equal([false, true, false], lines.Select(line => line.Cut));
        Assert.Equal("last", lines[2].Text);
    }

    [Fact]
    public async Task A_file_that_became_shorter_is_read_anew()
    {
        await File.WriteAllTextAsync(_path, "a\nb\nc\n", Cancel);
        using var index = new LogIndex(_path);
        Assert.Equal(3, (await index.ExtentAsync(null, Cancel)).Lines);
        await File.WriteAllTextAsync(_path, "d\n", Cancel);
        Assert.Equal(1, (await index.ExtentAsync(null, Cancel)).Lines);
        Assert.Equal("d", Assert.Single(await index.LinesAsync(0, 5, 1000, null, Cancel)).Text);
        File.Delete(_path);
        Assert.Equal(0, (await index.ExtentAsync(null, Cancel)).Lines);
    }

    [Fact]
    public async Task A_search_finds_every_line_once_however_often_it_stops()
    {
        var random = new Random(7);
        string[] words = ["alpha", "Beta", "gamma 한", "delta.", "🎉 Beta!", "beta beta"];
        var lines = Enumerable.Range(0, 20_000).Select(n => $"2026-11-21T09:35:01.123Z 1 {(n % 3 == 0 ? "err" : "out")} {n} {words[random.Next(words.Length)]}").ToList();
        await File.WriteAllTextAsync(_path, string.Join('\n', lines), Cancel);
        foreach (var (text, regex, matchCase, expected) in new (string, bool, bool, Func<string, bool>)[]
        {
            ("beta", false, false, l => l.Contains("beta", StringComparison.OrdinalIgnoreCase)),
            ("Beta", false, true, l => l.Contains("Beta", StringComparison.Ordinal)),
            ("한", false, true, l => l.Contains('한', StringComparison.Ordinal)),
            (@"^\d+7 (alpha|delta)\.?$", true, true, l => System.Text.RegularExpressions.Regex.IsMatch(l[31..], @"^\d+7 (alpha|delta)\.?$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1))),
            ("out", false, true, _ => false),
        })
        {
            var wanted = lines.Select((line, n) => (line, n)).Where(l => expected(l.line)).Select(l => (long)l.n).ToList();
            List<LogHit> hits = [];
            string? after = null;
            do
            {
                var found = await LogSearch.Of(text, regex, matchCase).Value.FindAsync(_path, new FileInfo(_path).Length, after, random.Next(1, 3000), Cancel);
                hits.AddRange(found.Value.Hits);
                after = found.Value.Next;
            }
            while (after is not null);
            Assert.Equal(wanted, hits.Select(hit => hit.Line));
            var bytes = await File.ReadAllBytesAsync(_path, Cancel);
            foreach (var hit in hits.Take(50))
                Assert.StartsWith(lines[(int)hit.Line], Encoding.UTF8.GetString(bytes, (int)hit.Offset, Math.Min(400, bytes.Length - (int)hit.Offset)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_million_lines_are_opened_and_searched_without_waiting()
    {
        await using (var file = new StreamWriter(_path))
        {
            for (var n = 0; n < 1_000_000; n++)
                await file.WriteAsync($"2026-11-21T09:35:01.123Z 1 out step {n} of the work, loss 0.123456\n");
        }
        using var index = new LogIndex(_path);
        var begun = Stopwatch.GetTimestamp();
        Assert.Equal(1_000_000, (await index.ExtentAsync(null, Cancel)).Lines);
        Assert.Equal(200, (await index.LinesAsync(500_000, 200, 1 << 20, null, Cancel)).Count);
        var opened = Stopwatch.GetElapsedTime(begun);
        begun = Stopwatch.GetTimestamp();
        var found = await LogSearch.Of("STEP 999999 ", false, false).Value.FindAsync(_path, new FileInfo(_path).Length, null, 10, Cancel);
        var searched = Stopwatch.GetElapsedTime(begun);
        TestContext.Current.TestOutputHelper!.WriteLine($"opened in {opened.TotalMilliseconds:0} ms, searched {found.Value.SearchedBytes >> 20} MiB in {searched.TotalMilliseconds:0} ms");
        Assert.InRange(opened, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        Assert.InRange(searched, TimeSpan.Zero, TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("(", true)]
    [InlineData(@"(a)\1", true)]
    [InlineData("two\nlines", false)]
    public void What_cannot_be_searched_for_is_refused(string text, bool regex) =>
        Assert.Equal("DURE0440", LogSearch.Of(text, regex, true).Problem?.Kind.Id);

    private static async Task SameAsync(LogIndex index, string text, Random random)
    {
        var expected = text.Length == 0 ? [] : text.Split('\n').SkipLast(text.EndsWith('\n') ? 1 : 0).Select(line => line.EndsWith('\r') ? line[..^1] : line).ToList();
        var extent = await index.ExtentAsync(null, Cancel);
        Assert.Equal(expected.Count, extent.Lines);
        Assert.Equal(Encoding.UTF8.GetByteCount(text), extent.Bytes);
        for (var n = 0; n < 4; n++)
        {
            var from = random.Next(expected.Count + 2);
            var count = random.Next(1, 300);
            var lines = await index.LinesAsync(from, count, 1 << 20, null, Cancel);
            Assert.Equal(expected.Skip(from).Take(count), lines.Select(line => line.Text));
            Assert.Equal(Enumerable.Range(from, lines.Count), lines.Select(line => (int)line.Number));
        }
    }
}
