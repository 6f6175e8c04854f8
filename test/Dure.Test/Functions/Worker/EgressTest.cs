using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>The way out of a sandbox that was promised one.</summary>
public sealed class EgressTest(WorkerFixture fixture) : IClassFixture<WorkerFixture>
{
    [Fact]
    public async Task The_outside_is_there_and_the_hosts_loopback_is_not()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/slirp4netns"), "slirp4netns is not installed.");
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var script = $"cat /etc/resolv.conf /proc/net/dev /proc/net/route; (timeout 2 bash -c 'echo > /dev/tcp/127.0.0.1/{port}' && echo REACHED); (timeout 2 bash -c 'echo > /dev/tcp/10.0.2.2/{port}' && echo REACHED); exit 0";
        var ending = await fixture.RunAsync(Specs.Shell(script) with { Network = SandboxNetwork.Egress });
        Assert.Contains("nameserver 10.0.2.3", ending.Text, StringComparison.Ordinal);
        Assert.Contains("tap0:", ending.Text, StringComparison.Ordinal);
        Assert.Contains("tap0\t00000000\t0202000A", ending.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("REACHED", ending.Text, StringComparison.Ordinal);
        await Specs.UntilAsync(() => Specs.Alive("slirp4netns").Count == 0, TimeSpan.FromSeconds(2));
    }
}
