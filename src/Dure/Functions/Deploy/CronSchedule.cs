using System.Globalization;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>
/// Five fields as in crontab(5): minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, day of week 0-7 or SUN-SAT (0 and
/// 7 are Sunday). <c>*</c>, lists, ranges and steps. When both days are given (neither begins with <c>*</c>) either one suffices.
/// Also <c>@hourly</c>, <c>@daily</c>, <c>@weekly</c>, <c>@monthly</c>, <c>@yearly</c>.
/// </summary>
public sealed class CronSchedule
{
    private const int YearsAhead = 8;
    private const int ClockChangeHoursMax = 3;
    private const ulong EveryHour = (1UL << 24) - 1;

    private static readonly Field[] s_fields =
    [
        new("minute", 0, 59, []),
        new("hour", 0, 23, []),
        new("day of month", 1, 31, []),
        new("month", 1, 12, ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
        new("day of week", 0, 7, ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ];

    private readonly ulong _minutes;
    private readonly ulong _hours;
    private readonly ulong _days;
    private readonly ulong _months;
    private readonly ulong _weekdays;
    private readonly bool _eitherDay;

    private CronSchedule(ulong[] sets, bool eitherDay)
    {
        (_minutes, _hours, _days, _months) = (sets[0], sets[1], sets[2], sets[3]);
        _weekdays = (sets[4] | (sets[4] >> 7)) & 0x7F;
        _eitherDay = eitherDay;
    }

    /// <summary>The schedule; DURE0104 with a fault for every wrong field, also when it would never fire (30 February).</summary>
    public static Outcome<CronSchedule> Parse(string text)
    {
        var trimmed = text.Trim();
        var fields = (trimmed switch
        {
            "@hourly" => "0 * * * *",
            "@daily" or "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" or "@annually" => "0 0 1 1 *",
            _ => trimmed,
        }).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != s_fields.Length)
            return Problem([new("fields", $"there are {fields.Length}; five are needed: minute, hour, day of month, month, day of week")]);
        var faults = new List<Fault>();
        var sets = new ulong[s_fields.Length];
        for (var i = 0; i < sets.Length; i++)
            sets[i] = s_fields[i].Parse(fields[i], faults);
        if (faults.Count > 0)
            return Problem(faults);
        var schedule = new CronSchedule(sets, fields[2][0] != '*' && fields[4][0] != '*');
        return schedule.Next(new DateTime(2000, 1, 1), new DateTime(2000 + YearsAhead, 12, 31)) is null
            ? Problem([new("day of month", "there is no such day in the months given; it would never run")])
            : schedule;
    }

    /// <summary>
    /// The first firing after an instant. Local times that the clock skips fire at the first instant after the gap; local times that
    /// come twice fire the first time only, unless the schedule runs in every hour anyway.
    /// </summary>
    /// <returns>Null when there is none within eight years.</returns>
    public DateTimeOffset? NextAfter(DateTimeOffset after, TimeZoneInfo zone)
    {
        // Local times run backwards once a year, so the search begins before that and drops what is not later.
        var now = TimeZoneInfo.ConvertTime(after, zone).DateTime;
        var (local, end) = (now.AddHours(-ClockChangeHoursMax), now.AddYears(YearsAhead));
        DateTimeOffset? best = null;
        while (Next(local, end) is { } next)
        {
            local = next;
            var (first, second) = Instants(next, zone);
            if (_hours != EveryHour && first > after)
                return first;
            if (_hours != EveryHour)
                continue;
            if (best is not null && next > best.Value.DateTime.AddHours(ClockChangeHoursMax))
                return best;
            var candidate = first > after ? first : second;
            if (candidate > after && !(best < candidate))
                best = candidate;
        }

        return best;
    }

    private static (DateTimeOffset First, DateTimeOffset Second) Instants(DateTime local, TimeZoneInfo zone)
    {
        if (zone.IsAmbiguousTime(local))
        {
            var offsets = zone.GetAmbiguousTimeOffsets(local);
            return (new(local, offsets.Max()), new(local, offsets.Min()));
        }

        while (zone.IsInvalidTime(local))
            local = local.AddMinutes(1);
        var only = new DateTimeOffset(local, zone.GetUtcOffset(local));
        return (only, only);
    }

    private static Problem Problem(IReadOnlyList<Fault> faults) => DeployErrors.YamlInvalid.With("The schedule is not valid.", faults);

    /// <summary>The first matching local minute after one.</summary>
    private DateTime? Next(DateTime after, DateTime end)
    {
        var at = after.AddTicks(-(after.Ticks % TimeSpan.TicksPerMinute)).AddMinutes(1);
        while (at <= end)
        {
            if (!Has(_months, at.Month))
                at = new DateTime(at.Year, at.Month, 1).AddMonths(1);
            else if (!DayFits(at))
                at = at.Date.AddDays(1);
            else if (!Has(_hours, at.Hour))
                at = at.Date.AddHours(at.Hour + 1);
            else if (!Has(_minutes, at.Minute))
                at = at.AddMinutes(1);
            else
                return at;
        }

        return null;
    }

    private bool DayFits(DateTime at)
    {
        var day = Has(_days, at.Day);
        var weekday = Has(_weekdays, (int)at.DayOfWeek);
        return _eitherDay ? day || weekday : day && weekday;
    }

    private static bool Has(ulong set, int n) => (set >> n & 1) != 0;

    private sealed record Field(string Name, int Min, int Max, string[] Words)
    {
        public ulong Parse(string text, List<Fault> faults)
        {
            ulong set = 0;
            foreach (var part in text.Split(','))
                set |= Part(part, faults);
            return set;
        }

        private ulong Part(string part, List<Fault> faults)
        {
            var slash = part.Split('/');
            var step = 1;
            if (slash.Length > 2 || (slash.Length == 2 && (!Digits(slash[1], out step) || step == 0 || step > Max)))
                return Refuse(part, "a step is `/` and a number from 1", faults);
            var range = slash[0].Split('-');
            int from, to;
            if (slash[0] == "*")
                (from, to) = (Min, Max);
            else if (range.Length > 2 || Value(range[0]) is not { } first || Value(range[^1]) is not { } last)
                return Refuse(part, $"must be {Min}-{Max}{(Words.Length > 0 ? $" or {Words[0]}-{Words[^1]}" : "")}, `*`, a list, a range or a step", faults);
            else if (first > last)
                return Refuse(part, "the range ends before it begins", faults);
            else if (range.Length == 1 && slash.Length == 2)
                return Refuse(part, $"a step needs `*` or a range before it, such as {first}-{Max}/{step}", faults);
            else
                (from, to) = (first, last);
            ulong set = 0;
            for (var n = from; n <= to; n += step)
                set |= 1UL << n;
            return set;
        }

        private int? Value(string text)
        {
            var word = Array.FindIndex(Words, w => w.Equals(text, StringComparison.OrdinalIgnoreCase));
            if (word >= 0)
                return word + Min;
            return Digits(text, out var n) && n >= Min && n <= Max ? n : null;
        }

        private static bool Digits(string text, out int n) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out n);

        private ulong Refuse(string part, string why, List<Fault> faults)
        {
            faults.Add(new(Name, $"\"{SourcePaths.Show(part)}\": {why}"));
            return 0;
        }
    }
}
