using Dure.Host;
using Xunit;

namespace Dure.Test.Host;

/// <summary>What may take long does not stay on a thread that others need.</summary>
public sealed class OnPoolTest
{
    [Fact]
    public async Task Work_and_all_that_follows_its_awaits_runs_on_pool_threads()
    {
        var socket = new TaskCompletionSource();
        var seen = new List<bool>();
        var work = RunFromAThreadOfItsOwn(() => OnPool.RunAsync(async () =>
        {
            seen.Add(Thread.CurrentThread.IsThreadPoolThread);
            await socket.Task;
            seen.Add(Thread.CurrentThread.IsThreadPoolThread);
        }));
        while (seen.Count == 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        await RunFromAThreadOfItsOwn(() =>
        {
            socket.SetResult();
            return Task.CompletedTask;
        });
        await work;
        Assert.Equal([true, true], seen);
    }

    [Fact]
    public async Task What_work_throws_is_heard_by_who_awaits_it() =>
        Assert.Equal("no", (await Assert.ThrowsAsync<InvalidDataException>(() => OnPool.RunAsync(() => throw new InvalidDataException("no")))).Message);

    private static Task RunFromAThreadOfItsOwn(Func<Task> work)
    {
        Task? begun = null;
        var thread = new Thread(() => begun = work());
        thread.Start();
        thread.Join();
        return begun!;
    }
}
