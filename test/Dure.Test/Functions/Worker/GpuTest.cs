using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>The GPUs that were asked for appear, and no others. Stand-ins: device nodes that are really <c>/dev/null</c>.</summary>
public sealed class GpuTest
{
    [Fact]
    public async Task Only_the_gpus_that_were_asked_for_appear()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can make device nodes.");
        using var devices = new Scratch();
        File.SetUnixFileMode(devices.Path, (UnixFileMode)0x1ED);
        foreach (var name in new[] { "nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm" })
        {
            var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, "mknod", "-m", "666", devices[name], "c", "1", "3");
            Assert.SkipUnless(code == 0, text);
        }

        await using var worker = await WorkerUnderTest.StartAsync("--devices", devices.Path);
        Assert.Equal([0, 1, 2], worker.Hello.Gpus);
        var ending = await worker.RunAsync("two", Specs.Shell("ls /dev/nvidia*; echo > /dev/nvidia1 && echo usable; env | grep -E 'CUDA|NVIDIA' | sort") with { Gpus = [1] });
        Assert.Equal("/dev/nvidia-uvm\n/dev/nvidia1\n/dev/nvidiactl\nusable\nCUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES=0\nNVIDIA_VISIBLE_DEVICES=1\n", ending.Text);
        ending = await worker.RunAsync("none", Specs.Shell("ls /dev/nvidia* 2>&1; env | grep CUDA"));
        Assert.Contains("No such file", ending.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("CUDA", ending.Text, StringComparison.Ordinal);
    }
}
