using Dure.Fleet.Drill;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Drill;

public sealed class MeasurementTest
{
    private const double Pace = 100;

    /// <summary>Moments of acknowledgements and of failures, in tenths of a second.</summary>
    private static Arbitrary<(int[] Acknowledged, int[] Failed)> Courses { get; } =
        Gen.Zip(Gen.Choose(0, 300).ArrayOf(), Gen.Choose(0, 300).ArrayOf()).ToArbitrary();

    [Fact]
    public void What_was_noticed_is_the_longest_time_without_an_acknowledgement_after_the_fault() =>
        Prop.ForAll(Courses, course =>
        {
            const int fault = 100, until = 400;
            var requests = Of(course.Acknowledged, course.Failed);
            var seen = Measurement.Of(requests, Pace, fault * 100, until * 100, null);
            // The slow way: every tenth of a second, how long ago was the last acknowledgement?
            var moments = course.Acknowledged.ToHashSet();
            var (longest, last) = (0, -1);
            for (var now = 0; now <= until; now++)
            {
                if (last >= 0 && now > fault)
                    longest = Math.Max(longest, now - last);
                if (moments.Contains(now))
                    last = now;
            }

            Assert.Equal(moments.Count == 0 ? (until - fault) * 100 : Math.Max(0, (longest * 100) - Pace), seen.NoticedMs, 6);
            Assert.Equal(course.Failed.Length, seen.Failed);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void A_pause_that_had_ended_before_the_fault_is_not_its_doing()
    {
        var seen = Measurement.Of(Of([0, 50, 51, 52, 60, 61], []), Pace, 5500, 6150, null);
        Assert.Equal(700, seen.NoticedMs);
        Assert.Equal(new Gap(5200, 6000), seen.Worst);
    }

    [Fact]
    public void A_tier_that_never_came_back_is_not_over()
    {
        var seen = Measurement.Of(Of([0, 1, 2], [3, 4, 5]), Pace, 250, 20_000, null);
        Assert.True(seen.Open);
        Assert.Equal(19_700, seen.NoticedMs);
    }

    [Fact]
    public void Every_acknowledged_write_that_is_not_found_is_lost_and_no_other() =>
        Prop.ForAll(Gen.Zip(Gen.Choose(0, 2).ArrayOf(), Gen.Choose(0, 1).ArrayOf()).ToArbitrary(), course =>
        {
            // Of each id: acknowledged (0) or failed (1, 2), and whether it is there afterwards.
            var requests = course.Item1.Select((kind, id) => new Request(id, id, id, kind == 0 ? null : "no")).ToList();
            var found = course.Item2.Index().Where(one => one.Item == 1 && one.Index < requests.Count).Select(one => (long)one.Index).ToHashSet();
            var seen = Measurement.Of(requests, Pace, 0, requests.Count, found);
            Assert.Equal(requests.Where(request => request.Ok && !found.Contains(request.Id)).Select(request => request.Id), seen.Lost);
            Assert.Equal(found.LongCount(id => !requests[(int)id].Ok), seen.Surprises);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static List<Request> Of(int[] acknowledged, int[] failed) =>
        [.. acknowledged.Select((at, id) => new Request(id, (at * 100) - 5, at * 100, null)), .. failed.Select((at, id) => new Request(1000 + id, (at * 100) - 5, at * 100, "refused"))];
}
