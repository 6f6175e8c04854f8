using System.Net.Sockets;
using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

public sealed class StandbyDoorTest : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);
    private readonly Scratch _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Door => StandbyDoor.PathOf(_folder["w1.sock"], Environment.ProcessId);

    [Fact]
    public async Task It_is_kept_while_a_server_is_connected_and_some_time_longer()
    {
        var kept = StandbyDoor.KeepAsync(Door, Patience, TimeProvider.System, Cancel);
        var server = StandbyDoor.Connect(Door)!;
        Assert.Equal([(Door, Environment.ProcessId)], StandbyDoor.Find(_folder["w1.sock"]));
        await Task.Delay(3 * Patience, Cancel);
        Assert.False(kept.IsCompleted);
        var left = TimeProvider.System.GetTimestamp();
        server.Dispose();
        await kept;
        Assert.True(TimeProvider.System.GetElapsedTime(left) >= 0.9 * Patience);
        Assert.Null(StandbyDoor.Connect(Door));
    }

    [Fact]
    public async Task Who_has_taken_over_is_no_longer_found_but_stays_connected_until_it_is_heard()
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        _ = StandbyDoor.KeepAsync(Door, Patience, TimeProvider.System, leave.Token);
        using var server = StandbyDoor.Connect(Door)!;
        while (!IsAccepted())
            await Task.Delay(5, Cancel);
        await leave.CancelAsync();
        Assert.Null(StandbyDoor.Connect(Door));
        Assert.False(server.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public void Sockets_of_other_workers_are_not_found_and_those_of_killed_processes_are_removed()
    {
        const int nobody = 0x3fffff + 1;
        string[] all = [Door, StandbyDoor.PathOf(_folder["w1.sock"], nobody), StandbyDoor.PathOf(_folder["w2.sock"], nobody)];
        foreach (var path in all)
            File.WriteAllText(path, "");
        File.WriteAllText(_folder["w1.sock"], "");
        Assert.Equal(3, StandbyDoor.FindAll(_folder.Path).Count);
        StandbyDoor.RemoveLeft(_folder["w1.sock"]);
        Assert.Equal([(Door, Environment.ProcessId)], StandbyDoor.Find(_folder["w1.sock"]));
        Assert.Equal([all[0], all[2]], StandbyDoor.FindAll(_folder.Path).Select(door => door.Path).Order(StringComparer.Ordinal));
    }

    // 03 is connected; a connection that only waits to be accepted is in 02.
    private bool IsAccepted() => File.ReadLines("/proc/net/unix").Any(line =>
        line.EndsWith(" " + Door, StringComparison.Ordinal) && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [.., "03", _, _]);
}
