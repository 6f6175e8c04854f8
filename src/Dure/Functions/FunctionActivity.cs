using System.Collections.Concurrent;

namespace Dure.Functions;

/// <summary>How a function's invocations ended in the last day.</summary>
/// <param name="Since">Counted from here on: a day ago, or since the server started while it has not read what ended before.</param>
/// <param name="P50">Half of those that succeeded took no longer, within nine percent; null when none did.</param>
/// <param name="From">When the first part of <paramref name="Good"/> and <paramref name="Bad"/> begins.</param>
/// <param name="Step">How long a part is.</param>
/// <param name="Good">Those that succeeded, part by part.</param>
/// <param name="Bad">Those that failed or whose outcome is unknown.</param>
public sealed record DayOfFunction(DateTimeOffset Since, long Succeeded, long Failed, long Cancelled, long Unknown, TimeSpan? P50, DateTimeOffset From, TimeSpan Step,
    IReadOnlyList<int> Good, IReadOnlyList<int> Bad);

/// <summary>
/// Counts how invocations end, as they end, over the last day and per function: a list of functions can say so without reading a
/// day's rows. What ended before the server started is read once, beside its work.
/// </summary>
public sealed class FunctionActivity(TimeProvider time)
{
    private const int Parts = 48;
    private const int Buckets = 128;
    private const double SmallestMs = 0.1;
    private const double BucketsPerDoubling = 4;

    private static readonly TimeSpan Step = TimeSpan.FromMinutes(30);

    /// <summary>Ended runs that took longer than this are not found again after a restart.</summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<long, Day> _days = new();
    private readonly DateTimeOffset _began = time.GetUtcNow();
    private volatile bool _loaded;

    /// <summary>Counts an invocation that has just ended.</summary>
    public void Ended(ActiveInvocation invocation, InvocationState state)
    {
        var at = invocation.FinishedAt ?? time.GetUtcNow();
        Count(invocation.Version.FunctionId, state, at, at - (invocation.StartedAt ?? invocation.CreatedAt));
    }

    /// <summary>The last day of a function; null when nothing of it ended.</summary>
    public DayOfFunction? Of(long function)
    {
        if (!_days.TryGetValue(function, out var day))
            return null;
        var now = time.GetUtcNow();
        var last = PartOf(now);
        var since = _loaded || _began < now - Parts * Step ? now - Parts * Step : _began;
        return day.Sum(last, since);
    }

    /// <summary>Reads what ended before the server started.</summary>
    public async Task LoadAsync(InvocationReader reader, CancellationToken cancel)
    {
        var from = _began - Parts * Step;
        var after = InvocationId.FirstAt(from - LookBack);
        var below = InvocationId.FirstAt(_began + TimeSpan.FromMilliseconds(1));
        while (await reader.EndsAsync(after, below, cancel) is { Count: > 0 } batch)
        {
            foreach (var end in batch.Where(end => end.FinishedAt >= from && end.FinishedAt < _began))
                Count(end.Function, end.State, end.FinishedAt, end.FinishedAt - end.StartedAt);
            after = batch[^1].Id;
            // Beside the server's work, never in front of it.
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancel);
        }
        _loaded = true;
    }

    private static long PartOf(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / (long)Step.TotalMilliseconds;

    private static DateTimeOffset TimeOf(long part) => DateTimeOffset.FromUnixTimeMilliseconds(part * (long)Step.TotalMilliseconds);

    private static int BucketOf(TimeSpan ran) =>
        Math.Clamp((int)Math.Ceiling(Math.Log2(Math.Max(ran.TotalMilliseconds, SmallestMs) / SmallestMs) * BucketsPerDoubling), 0, Buckets - 1);

    private static TimeSpan DurationOf(int bucket) => TimeSpan.FromMilliseconds(SmallestMs * Math.Pow(2, (bucket - 0.5) / BucketsPerDoubling));

    private void Count(long function, InvocationState state, DateTimeOffset at, TimeSpan ran) => _days.GetOrAdd(function, static _ => new Day()).Count(PartOf(at), state, BucketOf(ran));

    private sealed class Day
    {
        private readonly Part?[] _parts = new Part?[Parts + 1];

        public void Count(long number, InvocationState state, int bucket)
        {
            lock (_parts)
            {
                ref var part = ref _parts[number % _parts.Length];
                if (part is null || part.Number < number)
                    part = new Part(number);
                else if (part.Number > number)
                    return;
                part.States[(int)state]++;
                if (state == InvocationState.Success)
                    part.Durations[bucket]++;
            }
        }

        public DayOfFunction Sum(long last, DateTimeOffset since)
        {
            var states = new long[(int)InvocationState.Unknown + 1];
            var durations = new long[Buckets];
            var (good, bad) = (new int[Parts], new int[Parts]);
            var first = last - Parts + 1;
            lock (_parts)
            {
                foreach (var part in _parts.OfType<Part>().Where(part => part.Number >= first && part.Number <= last))
                {
                    for (var i = 0; i < states.Length; i++)
                        states[i] += part.States[i];
                    for (var i = 0; i < Buckets; i++)
                        durations[i] += part.Durations[i];
                    good[part.Number - first] = part.States[(int)InvocationState.Success];
                    bad[part.Number - first] = part.States[(int)InvocationState.Failed] + part.States[(int)InvocationState.Unknown];
                }
            }
            return new DayOfFunction(since, states[(int)InvocationState.Success], states[(int)InvocationState.Failed], states[(int)InvocationState.Cancelled],
                states[(int)InvocationState.Unknown], Median(durations), TimeOf(first), Step, good, bad);
        }

        private static TimeSpan? Median(long[] durations)
        {
            var half = (durations.Sum() + 1) / 2;
            if (half == 0)
                return null;
            var bucket = 0;
            for (var seen = durations[0]; seen < half; seen += durations[bucket])
                bucket++;
            return DurationOf(bucket);
        }
    }

    private sealed class Part(long number)
    {
        public long Number { get; } = number;

        public int[] States { get; } = new int[(int)InvocationState.Unknown + 1];

        public int[] Durations { get; } = new int[Buckets];
    }
}
