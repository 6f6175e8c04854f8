using Dure.Functions.Dispatch;
using Xunit;

namespace Dure.Test.Functions.Dispatch;

public sealed class CapacityTest
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Places_memory_and_GPUs_are_given_until_one_of_them_is_used_up()
    {
        var capacity = new Capacity(3, 100 * MiB);
        capacity.SetGpus([0, 1]);
        Assert.Equal([0], capacity.TryTake("a", 40 * MiB, 1));
        Assert.Null(capacity.TryTake("b", 40 * MiB, 2));
        Assert.Equal([1], capacity.TryTake("b", 40 * MiB, 1));
        Assert.Null(capacity.TryTake("c", 30 * MiB, 0));
        Assert.Equal([], capacity.TryTake("c", 20 * MiB, 0));
        Assert.Null(capacity.TryTake("d", 0, 0));
        capacity.Release("a");
        capacity.Release("a");
        Assert.Equal([0], capacity.FreeGpus);
        Assert.Equal([0], capacity.TryTake("d", 40 * MiB, 1));
    }

    [Fact]
    public void What_can_never_fit_is_named()
    {
        var capacity = new Capacity(3, 100 * MiB);
        capacity.SetGpus([0]);
        Assert.Null(capacity.NeverFits(100 * MiB, 1));
        Assert.StartsWith("gpu: it asks for 2 of the 1", capacity.NeverFits(MiB, 2), StringComparison.Ordinal);
        Assert.StartsWith("memory: its limit of 101", capacity.NeverFits(101 * MiB, 0), StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_was_there_before_counts_and_keeps_its_GPUs()
    {
        var capacity = new Capacity(2, 100 * MiB);
        capacity.Adopt("old", 60 * MiB, [1]);
        capacity.SetGpus([0, 1]);
        Assert.Equal([0], capacity.FreeGpus);
        Assert.Null(capacity.TryTake("new", 60 * MiB, 0));
        Assert.False(capacity.FitsWithout(["unknown"], 60 * MiB, 0));
        Assert.True(capacity.FitsWithout(["old"], 60 * MiB, 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20261126)]
    public void However_takes_and_releases_are_mixed_the_sums_hold_and_no_GPU_is_given_twice(int seed)
    {
        var random = new Random(seed);
        var capacity = new Capacity(8, 64);
        capacity.SetGpus(Enumerable.Range(0, 4));
        var held = new Dictionary<string, (long Memory, IReadOnlyList<int> Gpus)>(StringComparer.Ordinal);
        for (var step = 0; step < 20_000; step++)
        {
            if (held.Count > 0 && random.Next(2) == 0)
            {
                var gone = held.Keys.ElementAt(random.Next(held.Count));
                held.Remove(gone);
                capacity.Release(gone);
            }
            var (memory, gpus) = (random.Next(32), random.Next(4) == 0 ? random.Next(5) : 0);
            var fits = held.Count < 8 && held.Values.Sum(h => h.Memory) + memory <= 64 && held.Values.Sum(h => h.Gpus.Count) + gpus <= 4;
            Assert.Equal(fits, capacity.FitsWithout([], memory, gpus));
            var given = capacity.TryTake($"{step}", memory, gpus);
            Assert.Equal(fits, given is not null);
            if (given is not null)
                held.Add($"{step}", (memory, given));
            Assert.Equal(held.Count, capacity.Count);
            var taken = held.Values.SelectMany(h => h.Gpus).ToList();
            Assert.Equal(Enumerable.Range(0, 4), taken.Concat(capacity.FreeGpus).Order());
        }
    }
}
