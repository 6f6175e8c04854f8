using System.Buffers;
using System.Text;
using Dure.Functions;
using Dure.Functions.Dispatch;
using Dure.Functions.Worker;
using Dure.Test.Processes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>The engine's pure parts, for any input.</summary>
public sealed class EnginePropertyTest
{
    private const int Cases = 300;
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly AttemptOutcome[] Ends = [.. Enum.GetValues<AttemptOutcome>().Where(o => o is not AttemptOutcome.Running)];

    [Fact]
    public void Every_sequence_of_attempts_ends_within_the_deaths_and_retries_that_are_allowed() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(0, 5), Gen.Choose(1, 6), (seed, retries, deaths) =>
        {
            var random = new Random(seed);
            var (attempts, verdict) = (0, new Verdict(InvocationState.Pending, null, null, 0, 0));
            while (verdict.State == InvocationState.Pending)
            {
                var end = new AttemptEnd(Ends[random.Next(Ends.Length)], "why", null);
                // What ended for the sake of another invocation counts for nothing.
                attempts += end.Outcome == AttemptOutcome.Displaced ? 0 : 1;
                verdict = Lifecycle.After(end, Spec(retries, atMostOnce: false), verdict.Errors, verdict.Deaths, false, deaths, Noon, random.NextDouble());
                if (verdict.Deaths > deaths || attempts > retries + deaths)
                    return false;
            }
            return verdict.State > InvocationState.Processing && verdict.NextAt is null;
        });

    [Fact]
    public void At_most_once_is_never_followed_by_another_attempt_once_the_code_may_have_run() => Check(
        Gen.Elements(Ends), Gen.Choose(0, 9), Gen.Choose(1, 9), (outcome, deaths, most) =>
            outcome == AttemptOutcome.StartFailed
            || Lifecycle.After(new(outcome, "why", null), Spec(0, atMostOnce: true), 0, deaths, false, most, Noon, 0.5).State != InvocationState.Pending);

    [Fact]
    public void A_cancelled_invocation_never_waits_for_another_attempt() => Check(
        Gen.Elements(Ends), Gen.Choose(0, 9), Gen.Choose(0, 9), (outcome, errors, deaths) =>
            Lifecycle.After(new(outcome, "why", null), Spec(100, false), errors, deaths, true, 100, Noon, 0.5).State is InvocationState.Success or InvocationState.Cancelled);

    [Fact]
    public void Retries_never_wait_longer_than_the_longest_delay_nor_less_than_half_of_theirs() => Check(
        Gen.Choose(0, 100), Gen.Choose(0, 1000), Gen.Choose(1, 100_000), (errors, jitter, first) =>
        {
            var policy = new RetryPolicy(100, TimeSpan.FromMilliseconds(first), TimeSpan.FromMilliseconds(first * 10.0));
            var delay = Lifecycle.Delay(policy, errors, jitter / 1000.0);
            return delay <= policy.LongestDelay && delay >= policy.FirstDelay / 2;
        });

    [Fact]
    public void Ids_come_back_from_text_and_sort_as_text_as_they_do_as_numbers() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(0, int.MaxValue), Gen.Choose(0, 1), (seed, other, upper) =>
        {
            long Make(int s) => new Random(s).NextInt64();
            var (a, b) = (Make(seed), Make(other));
            var (first, second) = (InvocationId.Format(a), InvocationId.Format(b));
            return InvocationId.TryParse(upper == 1 ? first.ToUpperInvariant() : first, out var read) && read == a
                && Math.Sign(string.CompareOrdinal(first, second)) == a.CompareTo(b);
        });

    [Fact]
    public void Ids_only_ascend_however_the_clock_jumps() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(1, 200), Gen.Choose(0, 31), (seed, count, controller) =>
        {
            var random = new Random(seed);
            var clock = new SetClock();
            var source = new InvocationIdSource(clock, controller, random.NextInt64(InvocationId.FirstAt(clock.Now)));
            long last = -1;
            for (var i = 0; i < count; i++)
            {
                clock.Now += TimeSpan.FromMilliseconds(random.Next(-100_000, 100_000));
                var next = source.Next();
                if (next <= last)
                    return false;
                last = next;
            }
            return true;
        });

    [Fact]
    public async Task Ids_are_unique_among_threads_while_the_clock_stands_still()
    {
        var source = new InvocationIdSource(new SetClock(), 3, 0);
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 20_000).Select(_ => source.Next()).ToList())));
        Assert.Equal(160_000, made.SelectMany(ids => ids).Distinct().Count());
    }

    [Fact]
    public void Frames_are_read_whole_however_the_bytes_are_split() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(1, 12), Gen.Choose(1, 700), (seed, count, split) =>
        {
            var random = new Random(seed);
            var sent = new List<(FrameType Type, byte[] Body)>();
            var output = new ArrayBufferWriter<byte>();
            for (var i = 0; i < count; i++)
            {
                var body = new byte[random.Next(0, 2000)];
                random.NextBytes(body);
                var type = (FrameType)random.Next(1, 24);
                Frame.Write(output, type, body);
                sent.Add((type, body));
            }
            var read = new List<(FrameType Type, byte[] Body)>();
            var held = new List<byte>();
            for (var at = 0; at < output.WrittenCount; at += split)
            {
                held.AddRange(output.WrittenSpan.Slice(at, Math.Min(split, output.WrittenCount - at)));
                ReadOnlyMemory<byte> rest = held.ToArray();
                while (Frame.TryRead(ref rest, out var type, out var body))
                    read.Add((type, body.ToArray()));
                held = [.. rest.ToArray()];
            }
            return held.Count == 0 && read.Count == sent.Count && read.Zip(sent).All(p => p.First.Type == p.Second.Type && p.First.Body.AsSpan().SequenceEqual(p.Second.Body));
        });

    [Fact]
    public void A_frame_of_impossible_length_is_refused_and_never_waited_for() => Check(
        Gen.Choose(Frame.MaxLength + 1, int.MaxValue), Gen.Choose(0, 255), Gen.Choose(0, 1), (length, type, zero) =>
        {
            var bytes = BitConverter.GetBytes(zero == 1 ? 0 : length).Append((byte)type).ToArray();
            try
            {
                ReadOnlyMemory<byte> buffer = bytes;
                Frame.TryRead(ref buffer, out _, out _);
                return false;
            }
            catch (InvalidDataException)
            {
                return true;
            }
        });

    [Fact]
    public void An_owner_with_little_work_never_waits_behind_all_of_anothers() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(1, 200), Gen.Choose(1, 16), (seed, greedy, places) =>
        {
            // One owner queues everything first; the other one single call at the end. It must be among the first to start once a place is free.
            var shares = new OwnerShares();
            var queue = new FairQueue(shares);
            for (var i = 0; i < greedy; i++)
                queue.Enqueue(Waiting(i, "greedy", i));
            queue.Enqueue(Waiting(greedy, "modest", greedy));
            for (var i = 0; i < places; i++)
                shares.Begin("greedy");
            var next = queue.Dequeue()!;
            return next.Owner == "modest" && queue.Count == greedy && seed >= 0;
        });

    [Fact]
    public void On_a_single_place_owners_take_turns() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(1, 50), Gen.Choose(1, 50), (seed, greedy, modest) =>
        {
            // The place is empty whenever the next one is chosen, so nobody ever has more running than another.
            var queue = new FairQueue(new OwnerShares());
            for (var i = 0; i < greedy; i++)
                queue.Enqueue(Waiting(i, "greedy", i));
            for (var i = 0; i < modest; i++)
                queue.Enqueue(Waiting(greedy + i, "modest", greedy + i));
            var both = Enumerable.Range(0, 2 * Math.Min(greedy, modest)).Select(_ => queue.Dequeue()!.Owner).ToList();
            return both.Where((_, i) => i % 2 == 0).Distinct(StringComparer.Ordinal).Count() == 1 && both[0] != both[1]
                && both.Where((_, i) => i % 2 == 1).Distinct(StringComparer.Ordinal).Count() == 1 && seed >= 0;
        });

    [Fact]
    public void The_queue_gives_every_invocation_once_and_an_owners_in_order() => Check(
        Gen.Choose(0, int.MaxValue), Gen.Choose(1, 100), Gen.Choose(1, 6), (seed, count, owners) =>
        {
            var random = new Random(seed);
            var shares = new OwnerShares();
            var queue = new FairQueue(shares);
            for (var i = 0; i < count; i++)
                queue.Enqueue(Waiting(i, "o" + random.Next(owners), i));
            var removed = queue.Remove(random.Next(count)) ? 1 : 0;
            var got = new List<ActiveInvocation>();
            while (queue.Dequeue() is { } next)
            {
                shares.Begin(next.Owner);
                got.Add(next);
            }
            return got.Count == count - removed && got.DistinctBy(i => i.Id).Count() == got.Count
                && got.GroupBy(i => i.Owner, StringComparer.Ordinal).All(g => g.Select(i => i.Id).SequenceEqual(g.Select(i => i.Id).Order()));
        });

    private static void Check<A, B, C>(Gen<A> a, Gen<B> b, Gen<C> c, Func<A, B, C, bool> holds) => Prop.ForAll(
        (from x in a from y in b from z in c select (x, y, z)).ToArbitrary(), t => holds(t.x, t.y, t.z))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));

    private static FunctionSpec Spec(int retries, bool atMostOnce) => new("python", "handler.handler", SandboxMode.Shim, new SandboxLimits(1, 0, 1, 0, 16), 0, null,
        new Dictionary<string, string>(StringComparer.Ordinal), [], SandboxNetwork.None, null, 1, 0, TimeSpan.FromMinutes(1),
        new RetryPolicy(retries, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), atMostOnce, false, Durability.Durable);

    private static ActiveInvocation Waiting(long id, string owner, long queued) =>
        new(id, null!, owner, Noon, Payload.Of(Encoding.UTF8.GetBytes("1"))) { QueuedTimestamp = queued };
}
