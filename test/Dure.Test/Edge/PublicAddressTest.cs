using System.Net;
using System.Net.Sockets;
using Dure.Edge;
using Xunit;

namespace Dure.Test.Edge;

/// <summary>What is told of a public address, as seen from outside.</summary>
public sealed class PublicAddressTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_certificate_that_browsers_refuse_is_told_with_its_end()
    {
        await using var shown = new ShownCertificate(days: 10.5);
        var seen = await PublicAddress.CertificateAsync(new Uri($"https://{shown.Where}/"), TimeProvider.System, Cancel);
        Assert.False(seen.Ok);
        Assert.StartsWith($"10 days, until {shown.End:yyyy-MM-dd}, from nobody's own; browsers refuse it: ", seen.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_where_nobody_listens_has_none_and_a_name_that_is_nowhere_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var seen = await PublicAddress.CertificateAsync(new Uri($"https://127.0.0.1:{port}/"), TimeProvider.System, Cancel);
        Assert.True(!seen.Ok && seen.Said.StartsWith($"127.0.0.1:{port} shows none: ", StringComparison.Ordinal), seen.Said);
        var name = await PublicAddress.NameAsync(new Uri("https://nowhere.invalid/"), Cancel);
        Assert.True(!name.Ok && name.Said.StartsWith("nowhere.invalid cannot be resolved: ", StringComparison.Ordinal), name.Said);
        Assert.True((await PublicAddress.NameAsync(new Uri("https://localhost/"), Cancel)).Ok);
    }
}
