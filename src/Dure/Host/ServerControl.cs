using System.Text.Json;
using Dure.Functions;
using Dure.Functions.Dispatch;
using Dure.Functions.Workers;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Operations;
using Dure.Host.Web;

namespace Dure.Host;

/// <summary>Status, health and the end of the server.</summary>
internal sealed class ServerControl(DureOptions options, DiskGuard disk, TimeProvider time)
{
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(50);

    private readonly TaskCompletionSource<StopRequest> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset _started = time.GetUtcNow();
    private string _url = "";
    private string? _store;
    private volatile bool _stopping;

    /// <summary>Completes when somebody asked the server to stop.</summary>
    public Task<StopRequest> StopAsked => _stop.Task;

    /// <summary>Why new work is refused now, or null.</summary>
    public Problem? RefuseWork() => _stopping ? HostErrors.NotReady.With("The server is stopping.")
        : disk.Refusal() is { } full ? FunctionErrors.DiskRefused.With(full) : null;

    /// <summary>Tells other processes of this machine where the server is.</summary>
    /// <param name="store">Address of the S3 endpoint; null when there is none.</param>
    public async Task AnnounceAsync(string url, string? store, CancellationToken cancel)
    {
        (_url, _store) = (url, store);
        var running = new RunningServer(Environment.ProcessId, url, _started, DureVersion.Text, store);
        await File.WriteAllBytesAsync(RunningServer.PathIn(options.Data), JsonSerializer.SerializeToUtf8Bytes(running, HostJson.Default.RunningServer), cancel);
    }

    /// <summary>Maps the endpoints.</summary>
    public void Map(WebApplication app, Gate gate, FunctionsRole functions, Database database)
    {
        app.MapGet("/api/health", http => HealthAsync(http, functions.Dispatcher, database));
        // Only there: every other request would pay for what WebSockets need.
        app.MapGet(EchoSocket.Path, ((IEndpointRouteBuilder)app).CreateApplicationBuilder().UseWebSockets().Use(_ => new EchoSocket(time).HandleAsync).Build());
        gate.Map("GET", "/api/status", Scopes.Read, http => StatusAsync(http, functions.Dispatcher, database));
        gate.Map("POST", "/api/stop", Scopes.Admin, StopAsync);
    }

    /// <summary>Lets what runs end, as the request to stop said, and ends the worker unless functions are to be kept.</summary>
    public async Task DrainAsync(Dispatcher dispatcher)
    {
        _stopping = true;
        dispatcher.StopClaiming();
        var request = _stop.Task.IsCompletedSuccessfully ? await _stop.Task : new StopRequest(0, KeepFunctions: true);
        var begun = time.GetTimestamp();
        while (dispatcher.RunningCount > 0 && time.GetElapsedTime(begun).TotalMilliseconds < request.DrainMs)
            await Task.Delay(DrainLook, time);
        if (!request.KeepFunctions)
            await dispatcher.EndWorkerAsync();
    }

    private async Task StopAsync(HttpContext http)
    {
        StopRequest? request = null;
        try
        {
            if (http.HasBody())
                request = await JsonSerializer.DeserializeAsync(http.Request.Body, HostJson.Default.StopRequest, http.RequestAborted);
        }
        catch (JsonException error)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The body is not the JSON that is expected here.", [new Fault(error.Path ?? "body", error.Message)]));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status202Accepted;
        await http.Response.CompleteAsync();
        _stop.TrySetResult(request ?? new StopRequest(0, KeepFunctions: false));
    }

    private async Task HealthAsync(HttpContext http, Dispatcher dispatcher, Database database)
    {
        var health = await HealthAsync(dispatcher, database, http.RequestAborted);
        http.Response.StatusCode = health.Status == "failed" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        await WriteAsync(http, health, HostJson.Default.HealthView);
    }

    /// <summary>What can be checked about this server, checked now.</summary>
    public async ValueTask<HealthView> HealthAsync(Dispatcher dispatcher, Database database, CancellationToken cancel)
    {
        var checks = new List<HealthCheckView>();
        var begun = time.GetTimestamp();
        try
        {
            await database.PingAsync(cancel);
            checks.Add(new HealthCheckView("database", "ok", null, time.GetElapsedTime(begun).TotalMilliseconds));
        }
        catch (System.Data.Common.DbException error)
        {
            checks.Add(new HealthCheckView("database", "failed", error.Message, 0));
        }
        var (hello, age) = dispatcher.WorkerState;
        checks.Add(new HealthCheckView("worker", hello is null ? "starting" : "ok", hello is null ? "no worker is connected" : null, age.TotalMilliseconds));
        if (hello is not null && WorkersJson.Unlimited(hello) is { } unlimited)
            checks.Add(new HealthCheckView("limits", "warning", $"this machine cannot limit {string.Join(", ", unlimited)} for each function: it gives the worker no control group of that kind", null));
        if (DrainOf(dispatcher) is { } drained)
            checks.Add(new HealthCheckView("drain", "warning", drained, null));
        checks.Add(new HealthCheckView("disk", DiskGuard.NameOf(disk.Now.State), disk.Refusal(), null));
        var failed = checks.Any(c => c.Status == "failed") || _stopping;
        return new HealthView(failed ? "failed" : "ok", checks);
    }

    private static string? DrainOf(Dispatcher dispatcher) => dispatcher.Drain is { } drain
        ? $"drained since {drain.Since.UtcDateTime:yyyy-MM-dd HH:mm} UTC by {drain.Caller}{(drain.Reason is null ? "" : $" ({drain.Reason})")}: it is given nothing new, and invocations wait" : null;

    private async Task StatusAsync(HttpContext http, Dispatcher dispatcher, Database database)
    {
        var (hello, age) = dispatcher.WorkerState;
        var counts = dispatcher.Pools.Select(p => p.Count()).ToList();
        List<WorkerView> workers = hello is null ? [] :
            [new WorkerView(hello.Worker, hello.Pid, dispatcher.Drain is null ? "connected" : "draining", age.TotalMilliseconds, counts.Sum(c => c.Processes), hello.MemoryBytes, hello.CpuMillis, hello.Gpus, dispatcher.FreeGpus, WorkersJson.Unlimited(hello), DrainOf(dispatcher))];
        var view = new StatusView(DureVersion.Text, Environment.ProcessId, _started, options.Data, _url, workers, counts.Sum(c => (long)c.Waiting), counts.Sum(c => (long)c.Running + c.Held),
            new DiskView(disk.Now.FreeBytes, disk.Now.TotalBytes, DiskGuard.NameOf(disk.Now.State)), database.Dialect.Name, _store);
        await WriteAsync(http, view, HostJson.Default.StatusView);
    }

    private static Task WriteAsync<T>(HttpContext http, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        http.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(http.Response.Body, value, type, http.RequestAborted);
    }
}
