using System.Diagnostics;
using Dure.Functions;
using Dure.Functions.Lists;
using Xunit;

namespace Dure.Test.Functions.Lists;

/// <summary>Lists of a hundred thousand invocations: right, and quick enough that nobody waits.</summary>
public sealed class InvocationListTest(SeededInvocations seeded) : IClassFixture<SeededInvocations>
{
    // A machine that does other things meanwhile; the browser's test holds the portal to 150 ms.
    private static readonly TimeSpan Generous = TimeSpan.FromMilliseconds(1500);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_filter_lists_and_counts_what_a_look_at_every_row_finds()
    {
        var random = new Random(20261126);
        for (var round = 0; round < 60; round++)
        {
            var filter = RandomFilter(random);
            var expected = seeded.Rows.Where(row => Fits(filter, row)).ToList();
            var listed = await seeded.Reader.ListAsync(filter, Cancel);
            Assert.Equal(expected.Skip(filter.Offset).Take(filter.Limit).Select(row => InvocationId.Format(row.Id)), listed.Select(view => view.Id));
            Assert.Equal(expected.Count, await seeded.Counts.TotalAsync(filter, Cancel));
            var counted = await seeded.Counts.CountAsync(filter, Cancel);
            Assert.True(counted.Exact);
            var wide = filter with { Function = null, States = [] };
            var cells = seeded.Rows.Where(row => Fits(wide, row)).GroupBy(row => new { row.Function, row.State }).ToDictionary(g => g.Key, g => g.LongCount());
            Assert.Equal(cells.Count, counted.Cells.Count(cell => cell.Count > 0));
            Assert.All(counted.Cells.Where(cell => cell.Count > 0), cell => Assert.Equal(cells[new { cell.Function, cell.State }], cell.Count));
        }
    }

    [Fact]
    public async Task Last_nights_failures_the_middle_of_the_list_and_counts_come_without_waiting()
    {
        InvocationFilter all = new() { Limit = 101 };
        InvocationFilter[] asked =
        [
            all, all with { Offset = 50_000 }, all with { States = [InvocationState.Failed, InvocationState.Unknown], Since = SeededInvocations.Begin.AddHours(4) },
            all with { Function = 9003 }, all with { Owner = "rare" }, all with { Text = "row 4003" }, all with { Owner = "nobody" },
        ];
        foreach (var filter in asked)
        {
            await seeded.Reader.ListAsync(filter, Cancel);
            var begun = Stopwatch.GetTimestamp();
            await seeded.Reader.ListAsync(filter, Cancel);
            var listed = Stopwatch.GetElapsedTime(begun);
            begun = Stopwatch.GetTimestamp();
            await seeded.Counts.CountAsync(filter, Cancel);
            var counted = Stopwatch.GetElapsedTime(begun);
            TestContext.Current.TestOutputHelper!.WriteLine($"{filter}: listed in {listed.TotalMilliseconds:0.0} ms, counted in {counted.TotalMilliseconds:0.0} ms");
            Assert.InRange(listed, TimeSpan.Zero, Generous);
            Assert.InRange(counted, TimeSpan.Zero, Generous);
        }
    }

    [Theory]
    [InlineData("WHERE i.state = 3 AND i.state > 2 ORDER BY i.id DESC LIMIT 100", "invocations_broken")]
    [InlineData("WHERE i.state IN (0, 1) AND i.state < 2 ORDER BY i.id DESC LIMIT 100", "invocations_open")]
    [InlineData("WHERE i.function_id = 9003 ORDER BY i.id DESC LIMIT 100", "invocations_function")]
    public async Task What_is_rare_is_found_by_its_index(string where, string index)
    {
        var plan = await seeded.Database.ReadAsync(s => s.QueryAsync("EXPLAIN QUERY PLAN SELECT i.id FROM invocations i " + where, static r => r.GetString(3)), Cancel);
        Assert.Contains(plan, step => step.Contains(index, StringComparison.Ordinal));
        Assert.DoesNotContain(plan, step => step.Contains("TEMP B-TREE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_id_is_found_by_how_it_begins()
    {
        var row = seeded.Rows[4711];
        var found = await seeded.Reader.ListAsync(new InvocationFilter { Limit = 5, Text = InvocationId.Format(row.Id) }, Cancel);
        Assert.Equal(InvocationId.Format(row.Id), Assert.Single(found).Id);
        found = await seeded.Reader.ListAsync(new InvocationFilter { Limit = 5, Text = InvocationId.Format(row.Id)[..8] }, Cancel);
        Assert.Contains(found, view => view.Id == InvocationId.Format(row.Id));
    }

    [Fact]
    public async Task What_is_read_does_not_move_while_newer_ones_come()
    {
        var anchor = seeded.Rows[1000].Id;
        var before = await seeded.Reader.ListAsync(new InvocationFilter { Limit = 50, Offset = 300, UpTo = anchor }, Cancel);
        Assert.Equal(seeded.Rows.Skip(1300).Take(50).Select(row => InvocationId.Format(row.Id)), before.Select(view => view.Id));
        Assert.Equal(1000, await seeded.Counts.TotalAsync(new InvocationFilter { Limit = 1, Above = anchor }, Cancel));
    }

    private static InvocationFilter RandomFilter(Random random)
    {
        string[] texts = ["row 4", "bad row 99", "cancelled", "LOST", "%", "_", "no such"];
        var filter = new InvocationFilter { Limit = random.Next(1, 200), Offset = random.Next(3) == 0 ? random.Next(2000) : 0 };
        if (random.Next(3) == 0)
            filter = filter with { Function = 9001 + random.Next(SeededInvocations.Functions) };
        if (random.Next(2) == 0)
            filter = filter with { States = [.. Enum.GetValues<InvocationState>().Where(_ => random.Next(3) == 0)] };
        if (random.Next(4) == 0)
            filter = filter with { Owner = random.Next(2) == 0 ? "bo" : "rare" };
        if (random.Next(4) == 0)
            filter = filter with { Triggers = [InvocationSource.Schedule] };
        if (random.Next(3) == 0)
            filter = filter with { Since = SeededInvocations.Begin.AddSeconds(random.Next(SeededInvocations.Count)) };
        if (random.Next(4) == 0)
            filter = filter with { Until = SeededInvocations.Begin.AddSeconds(random.Next(SeededInvocations.Count)) };
        if (random.Next(4) == 0)
            filter = filter with { Text = texts[random.Next(texts.Length)] };
        return filter;
    }

    private static bool Fits(InvocationFilter filter, SeededRow row) =>
        (filter.Function is null || row.Function == filter.Function)
        && (filter.States.Count == 0 || filter.States.Contains(row.State))
        && (filter.Owner is null || row.Owner == filter.Owner)
        && (filter.Triggers.Count == 0 || filter.Triggers.Contains(row.Source))
        && (filter.Since is null || row.Id >= InvocationId.FirstAt(filter.Since.Value))
        && (filter.Until is null || row.Id < InvocationId.FirstAt(filter.Until.Value))
        && (filter.Text is null || row.Reason?.Contains(filter.Text, StringComparison.OrdinalIgnoreCase) == true);
}
