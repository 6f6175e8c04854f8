using Dure.Functions.Deploy;
using FsCheck;
using FsCheck.Fluent;
using Quartz;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class CronScheduleTest
{
    private static readonly TimeZoneInfo s_berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("* * * * *", "2026-03-01T00:00:30Z", "2026-03-01T00:01:00Z")]
    [InlineData("0 3 * * *", "2026-03-01T03:00:00Z", "2026-03-02T03:00:00Z")]
    [InlineData("*/15 9-17 * * MON-FRI", "2026-03-06T17:45:00Z", "2026-03-09T09:00:00Z")]
    [InlineData("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("0 0 13 * 5", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z")]
    [InlineData("0 0 */2 * 1", "2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z")]
    [InlineData("0 0 * * 7", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z")]
    [InlineData("5,35 1-5/2 1 jan,jul *", "2026-01-01T05:35:00Z", "2026-07-01T01:05:00Z")]
    [InlineData("@monthly", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")]
    public void It_fires_as_crontab_says(string cron, string after, string expected) =>
        Assert.Equal(At(expected), CronSchedule.Parse(cron).Value.NextAfter(At(after), TimeZoneInfo.Utc));

    [Fact]
    public void A_local_time_that_the_clock_skips_fires_right_after_the_gap_and_once()
    {
        var schedule = CronSchedule.Parse("30 2 * * *").Value;
        var first = schedule.NextAfter(At("2026-03-28T12:00:00Z"), s_berlin)!.Value;
        Assert.Equal(At("2026-03-29T01:00:00Z"), first);
        Assert.Equal(At("2026-03-30T00:30:00Z"), schedule.NextAfter(first, s_berlin));
    }

    [Fact]
    public void A_local_time_that_comes_twice_fires_the_first_time_only()
    {
        var schedule = CronSchedule.Parse("30 2 * * *").Value;
        var first = schedule.NextAfter(At("2026-10-24T12:00:00Z"), s_berlin)!.Value;
        Assert.Equal(At("2026-10-25T00:30:00Z"), first);
        Assert.Equal(At("2026-10-26T01:30:00Z"), schedule.NextAfter(first, s_berlin));
    }

    [Fact]
    public void What_runs_every_hour_runs_every_hour_also_when_the_clock_changes()
    {
        var schedule = CronSchedule.Parse("*/30 * * * *").Value;
        foreach (var start in new[] { "2026-10-24T22:00:00Z", "2026-03-28T22:00:00Z" })
        {
            var at = At(start);
            for (var i = 0; i < 20; i++)
            {
                var next = schedule.NextAfter(at, s_berlin)!.Value;
                Assert.Equal(at.AddMinutes(30), next);
                at = next;
            }
        }
    }

    [Theory]
    [InlineData("* * * *", "there are 4")]
    [InlineData("", "there are 0")]
    [InlineData("60 * * * *", "minute")]
    [InlineData("* 24 * * *", "hour")]
    [InlineData("* * 0 * *", "day of month")]
    [InlineData("* * * 13 *", "month")]
    [InlineData("* * * * 8", "day of week")]
    [InlineData("* * * FOO *", "JAN-DEC")]
    [InlineData("5-1 * * * *", "ends before it begins")]
    [InlineData("*/0 * * * *", "a step is")]
    [InlineData("5/10 * * * *", "a step needs")]
    [InlineData("1,,2 * * * *", "minute")]
    [InlineData("0 0 30 2 *", "never run")]
    [InlineData("0 0 31 4,6,9,11 *", "never run")]
    [InlineData("99999999999 * * * *", "minute")]
    public void What_cannot_be_is_refused_with_its_field(string cron, string expected)
    {
        var problem = CronSchedule.Parse(cron).Problem!;
        Assert.Contains(expected, string.Join('\n', problem.Faults.Select(f => f.Where + ": " + f.What)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_wrong_field_is_named_at_once() => Assert.Equal(5, CronSchedule.Parse("60 24 32 13 8").Problem!.Faults.Count);

    [Fact]
    public void It_agrees_with_Quartz_wherever_both_mean_the_same()
    {
        Gen<string> Field(int min, int max) => Gen.OneOf(
            Gen.Constant("*"),
            Gen.Choose(min, max).Select(n => $"{n}"),
            Gen.Choose(1, max / 2).Select(n => $"*/{n}"),
            Gen.Zip(Gen.Choose(min, max), Gen.Choose(min, max)).Select(p => $"{Math.Min(p.Item1, p.Item2)}-{Math.Max(p.Item1, p.Item2)}"),
            Gen.Zip(Gen.Choose(min, max), Gen.Choose(min, max)).Select(p => $"{p.Item1},{p.Item2}"));
        var cases =
            from minute in Field(0, 59)
            from hour in Field(0, 23)
            from day in Field(1, 28)
            from month in Field(1, 12)
            from start in Gen.Choose(0, 4 * 365 * 1440)
            select (minute, hour, day, month, start);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var after = At("2025-01-01T00:00:00Z").AddMinutes(c.start);
            var quartz = new CronExpression($"0 {c.minute} {c.hour} {c.day} {c.month} ?", TimeZoneInfo.Utc);
            return CronSchedule.Parse($"{c.minute} {c.hour} {c.day} {c.month} *").Value.NextAfter(after, TimeZoneInfo.Utc) == quartz.GetNextValidTimeAfter(after);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));
    }

    [Fact]
    public void Every_next_firing_is_later_in_every_time_zone()
    {
        var zones = TimeZoneInfo.GetSystemTimeZones().ToArray();
        var schedules = "* * * * *|*/7 * * * *|30 2 * * *|0 0 * * *|15 1-3 * * SUN|0 12 1 * *".Split('|').Select(c => CronSchedule.Parse(c).Value).ToArray();
        var cases = from zone in Gen.Choose(0, zones.Length - 1) from schedule in Gen.Choose(0, schedules.Length - 1) from start in Gen.Choose(0, 3 * 365 * 1440) select (zone, schedule, start);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var at = At("2024-01-01T00:00:00Z").AddMinutes(c.start);
            for (var i = 0; i < 5; i++)
            {
                var next = schedules[c.schedule].NextAfter(at, zones[c.zone]);
                if (next is null || next <= at)
                    return false;
                at = next.Value;
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
