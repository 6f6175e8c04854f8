using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Host.Metrics;

/// <summary>Everything that Dure's meters measured since the start, as Prometheus reads it (text format 0.0.4).</summary>
public sealed class MetricsPage : IDisposable
{
    private const string Prefix = "Dure.";

    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly MeterListener _listener = new();
    private readonly Lock _scrape = new();

    /// <summary>Begins to listen; what was measured before is not counted.</summary>
    public MetricsPage()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith(Prefix, StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, static i => new MetricFamily(i)));
        };
        _listener.MeasurementsCompleted = (instrument, _) => Forget(instrument);
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.Start();
    }

    /// <summary>Maps <c>GET /metrics</c> for callers who may read; Prometheus sends a bearer token.</summary>
    public void Map(Gate gate) => gate.Map("GET", "/metrics", Scopes.Read, http =>
    {
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return http.Response.WriteAsync(Render(), http.RequestAborted);
    });

    /// <summary>The text.</summary>
    public string Render()
    {
        var text = new StringBuilder(16 << 10);
        lock (_scrape)
        {
            foreach (var family in _families.Values)
                family.BeginScrape();
            _listener.RecordObservableInstruments();
            foreach (var family in _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal))
                family.Write(text);
        }
        WriteProcess(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Forget(Instrument instrument) => _families.TryRemove(instrument, out _);

    private static void WriteProcess(StringBuilder text)
    {
        using var self = Process.GetCurrentProcess();
        Gauge(text, "process_resident_memory_bytes", "Memory of the server's process.", self.WorkingSet64);
        Gauge(text, "process_virtual_memory_bytes", "Address space of the server's process.", self.VirtualMemorySize64);
        Gauge(text, "process_threads", "Threads of the server's process.", self.Threads.Count);
        Gauge(text, "process_open_fds", "Open files of the server's process.", Directory.GetFileSystemEntries("/proc/self/fd").Length);
        Gauge(text, "process_start_time_seconds", "When the server's process started, Unix time.", new DateTimeOffset(self.StartTime).ToUnixTimeMilliseconds() / 1000.0);
        Gauge(text, "dotnet_gc_heap_bytes", "Managed heap after the last collection.", GC.GetGCMemoryInfo().HeapSizeBytes);
        Line(text, "process_cpu_seconds_total", "Processor time of the server's process.", "counter", "", self.TotalProcessorTime.TotalSeconds);
        Line(text, "dure_build_info", "Always 1; the label tells the version.", "gauge", $"{{version=\"{DureVersion.Text}\"}}", 1);
    }

    private static void Gauge(StringBuilder text, string name, string help, double value) => Line(text, name, help, "gauge", "", value);

    private static void Line(StringBuilder text, string name, string help, string kind, string labels, double value) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {MetricFamily.Number(value)}\n");
}
