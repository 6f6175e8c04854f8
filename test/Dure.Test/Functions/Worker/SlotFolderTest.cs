using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>Slots can be removed whatever the code made of them.</summary>
public sealed class SlotFolderTest
{
    [Fact]
    public async Task A_tree_deeper_than_any_path_and_links_outwards_do_not_stop_it()
    {
        using var scratch = new Scratch();
        var keep = scratch["keep"];
        await File.WriteAllTextAsync(keep, "kept");
        var slot = scratch["slot"];
        Directory.CreateDirectory(slot);
        const string Deep = "import os,sys\nos.chdir(sys.argv[1])\nos.symlink(sys.argv[2], 'link')\nos.symlink(os.path.dirname(sys.argv[2]), 'up')\nfor i in range(600):\n    os.mkdir('0123456789')\n    os.chdir('0123456789')\nos.mkdir('locked', 0)";
        var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, "/usr/bin/python3", "-c", Deep, slot, keep);
        Assert.True(code == 0, text);
        await SlotFolder.RemoveAsync(slot, TestContext.Current.CancellationToken);
        Assert.False(Directory.Exists(slot));
        Assert.Equal("kept", await File.ReadAllTextAsync(keep, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Removing_what_is_not_there_is_no_error() =>
        await SlotFolder.RemoveAsync("/tmp/dure-test-nothing-here", TestContext.Current.CancellationToken);
}
