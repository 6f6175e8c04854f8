using Dure.Edge.Certificates;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Edge.Certificates;

/// <summary>How the end of a certificate is told before it comes.</summary>
public sealed class CertificateWatchTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_end_of_the_public_certificate_is_a_metric_and_its_log_warns()
    {
        await using var shown = new ShownCertificate(days: 20.5);
        var where = shown.Where;
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel, "apps.edge=root@edge.invalid", "apps.address=127.0.0.1", $"apps.public_url=https://{where}");
        var metric = $"dure_certificate_expires_seconds{{host=\"{where}\"}} {shown.End.ToUnixTimeSeconds()}";
        var page = await RunningDure.UntilAsync(() => dure.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel), text => text.Contains("dure_certificate_expires_seconds{", StringComparison.Ordinal), Cancel);
        Assert.Contains(metric, page, StringComparison.Ordinal);
        Assert.Contains($"certificate of {where}: 20 days, until {shown.End:yyyy-MM-dd}, from nobody's own", dure.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(22, null, true)]
    [InlineData(20.9, null, false)]
    [InlineData(-1, null, false)]
    [InlineData(80, "it is not for lab.example", false)]
    public void A_certificate_is_fine_until_21_days_before_its_end(double days, string? fault, bool fine)
    {
        var seen = TimeProvider.System.GetUtcNow();
        Assert.Equal(fine, new ServedCertificate("lab.example:443", seen.AddDays(days), "somebody", fault, seen).Ok);
    }
}
