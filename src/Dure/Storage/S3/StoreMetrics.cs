using System.Diagnostics.Metrics;
using System.Globalization;

namespace Dure.Storage.S3;

/// <summary>What the S3 endpoint measures.</summary>
internal sealed class StoreMetrics : IDisposable
{
    private readonly Meter _meter = new("Dure.Store");
    private readonly Counter<long> _requests;
    private readonly Counter<long> _received;
    private readonly Counter<long> _sent;
    private readonly Histogram<double> _duration;

    public StoreMetrics()
    {
        _requests = _meter.CreateCounter<long>("dure_store_requests_total", null, "Requests of the S3 endpoint by operation and status.");
        _received = _meter.CreateCounter<long>("dure_store_received_bytes_total", "By", "Bytes of bodies that clients announced.");
        _sent = _meter.CreateCounter<long>("dure_store_sent_bytes_total", "By", "Bytes of answers.");
        _duration = _meter.CreateHistogram<double>("dure_store_request_duration_seconds", "s", "How long requests took, by operation.");
    }

    /// <summary>Counts an answered request.</summary>
    public void Answered(string operation, HttpContext http, TimeSpan took)
    {
        if (!_requests.Enabled)
            return;
        var name = new KeyValuePair<string, object?>("operation", operation);
        _requests.Add(1, name, new("status", http.Response.StatusCode.ToString(CultureInfo.InvariantCulture)));
        _duration.Record(took.TotalSeconds, name);
        _received.Add(http.Request.ContentLength ?? 0);
        _sent.Add(HttpMethods.IsHead(http.Request.Method) ? 0 : http.Response.ContentLength ?? 0);
    }

    public void Dispose() => _meter.Dispose();
}
