using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

public sealed class SystemViewTest : IDisposable
{
    private readonly Scratch _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_that_is_out_of_date_is_replaced_and_stays_whole_for_sandboxes_that_see_it()
    {
        var (folder, retired) = (_folder["w1.etc"], _folder["retired"]);
        await SystemView.CreateAsync(folder, retired, 1234, 1234, Cancel);
        var before = await File.ReadAllTextAsync(folder + "/etc/passwd", Cancel);
        await SystemView.CreateAsync(folder, retired, 1234, 1234, Cancel);
        Assert.False(Directory.Exists(retired));
        // Another user is as good a change as another file of the system.
        await SystemView.CreateAsync(folder, retired, 4321, 4321, Cancel);
        Assert.Equal(before, await File.ReadAllTextAsync(retired + "/etc/passwd", Cancel));
        Assert.Contains("4321", await File.ReadAllTextAsync(folder + "/etc/passwd", Cancel), StringComparison.Ordinal);
    }
}
