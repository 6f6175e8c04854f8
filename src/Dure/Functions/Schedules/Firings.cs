using Dure.Functions.Deploy;

namespace Dure.Functions.Schedules;

/// <summary>The firings of a schedule that have come due.</summary>
/// <param name="Count">How many, at most <see cref="CountMax"/>.</param>
/// <param name="Latest">The last of them: the one that runs.</param>
/// <param name="Before">The one before the latest, when there was one.</param>
/// <param name="Next">The first that is not due yet; null when there is none within eight years.</param>
public sealed record Firings(int Count, DateTimeOffset Latest, DateTimeOffset? Before, DateTimeOffset? Next)
{
    /// <summary>More than these are not counted one by one: a minute's schedule gathers them in a week.</summary>
    public const int CountMax = 10_000;

    /// <summary>Works out what is due now, from the first firing on that nobody has dealt with.</summary>
    public static Firings Due(CronSchedule cron, TimeZoneInfo zone, DateTimeOffset first, DateTimeOffset now)
    {
        var (count, latest) = (1, first);
        DateTimeOffset? before = null;
        var longestGap = TimeSpan.Zero;
        var next = cron.NextAfter(latest, zone);
        while (next <= now)
        {
            longestGap = next.Value - latest > longestGap ? next.Value - latest : longestGap;
            if (count == CountMax && now - next.Value > longestGap)
            {
                // Counted enough: on to the last ones.
                next = cron.NextAfter(now - longestGap - longestGap, zone);
                longestGap = TimeSpan.MaxValue;
                continue;
            }
            count = Math.Min(count + 1, CountMax);
            (before, latest) = (latest, next.Value);
            next = cron.NextAfter(latest, zone);
        }
        return new Firings(count, latest, before, next);
    }
}
