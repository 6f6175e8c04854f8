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

    private string Door => StandbyDoor.PathOf(_folder["w1.sock"]);

    [Fact]
    public async Task It_is_kept_while_a_server_is_connected_and_some_time_longer()
    {
        var kept = StandbyDoor.KeepAsync(Door, Patience, TimeProvider.System, Cancel);
        var (server, pid) = StandbyDoor.Connect(Door)!.Value;
        Assert.Equal(Environment.ProcessId, pid);
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
        using var server = StandbyDoor.Connect(Door)!.Value.Door;
        await Task.Delay(50, Cancel);
        await leave.CancelAsync();
        Assert.Null(StandbyDoor.Connect(Door));
        Assert.False(server.Poll(0, SelectMode.SelectRead));
    }
}
