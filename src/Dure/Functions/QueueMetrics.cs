using System.Diagnostics.Metrics;
using Dure.Functions.Dispatch;

namespace Dure.Functions;

/// <summary>What waits and runs now, by function.</summary>
internal sealed class QueueMetrics : IDisposable
{
    private readonly Meter _meter = new("Dure.Functions.Queue");

    public QueueMetrics(Dispatcher dispatcher)
    {
        IEnumerable<Measurement<int>> ByFunction(Func<(int Waiting, int Held, int Running, int Processes), int> count) => dispatcher.Pools
            .GroupBy(pool => pool.Version.FunctionName, StringComparer.Ordinal)
            .Select(group => new Measurement<int>(group.Sum(pool => count(pool.Count())), new KeyValuePair<string, object?>("function", group.Key)));
        _meter.CreateObservableGauge("dure_function_waiting", () => ByFunction(c => c.Waiting + c.Held), null, "Invocations that wait for a process.");
        _meter.CreateObservableGauge("dure_function_running", () => ByFunction(c => c.Running), null, "Invocations that run.");
        _meter.CreateObservableGauge("dure_function_processes", () => ByFunction(c => c.Processes), null, "Processes, idle ones included.");
        _meter.CreateObservableGauge("dure_workers", () => dispatcher.WorkerState.Hello is null ? 0 : 1, null, "Workers that are connected.");
        _meter.CreateObservableGauge("dure_worker_heard_seconds", () => dispatcher.WorkerState is { Hello: not null, Age: var age } ? age.TotalSeconds : double.NaN,
            "s", "How long ago the worker was heard.");
    }

    public void Dispose() => _meter.Dispose();
}
