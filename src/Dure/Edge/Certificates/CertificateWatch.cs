using System.Diagnostics.Metrics;

namespace Dure.Edge.Certificates;

/// <summary>Looks at the certificate of the public address every hour: a metric for Prometheus, and a line in the log once a day from 21 days before its end.</summary>
/// <param name="publicUrl">Null, or without TLS: nothing is looked at.</param>
public sealed partial class CertificateWatch(string? publicUrl, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly Meter _meter = new("Dure.Edge");
    private volatile ServedCertificate? _seen;

    /// <summary>Looks until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        if (publicUrl is null || new Uri(publicUrl) is not { Scheme: "https" } address)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel);
            return;
        }

        _meter.CreateObservableGauge<double>("dure_certificate_expires_seconds", () => _seen is { ExpiresAt: { } end } seen
            ? [new Measurement<double>(end.ToUnixTimeSeconds(), new KeyValuePair<string, object?>("host", seen.Host))]
            : Array.Empty<Measurement<double>>(), null, "When the certificate of the public address expires, in seconds since 1970.");
        var warned = time.GetUtcNow() - TimeSpan.FromDays(1);
        while (true)
        {
            var seen = _seen = await ServedCertificate.LookAsync(address, time, cancel);
            if (!seen.Ok && seen.SeenAt - warned >= TimeSpan.FromDays(1))
            {
                LogDue(log, seen.Host, seen.Said);
                warned = seen.SeenAt;
            }

            await Task.Delay(Every, time, cancel);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    [LoggerMessage(Level = LogLevel.Warning, Message = "certificate of {Host}: {Said}")]
    private static partial void LogDue(ILogger log, string host, string said);
}
