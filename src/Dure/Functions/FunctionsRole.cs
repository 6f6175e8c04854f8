using System.Diagnostics;
using System.Globalization;
using Dure.Functions.Api;
using Dure.Functions.Callbacks;
using Dure.Functions.Copies;
using Dure.Functions.Deploy;
using Dure.Functions.Dispatch;
using Dure.Functions.Following;
using Dure.Functions.Lists;
using Dure.Functions.Logs;
using Dure.Functions.Retention;
using Dure.Functions.Schedules;
using Dure.Functions.Trends;
using Dure.Functions.Usage;
using Dure.Functions.Worker;
using Dure.Functions.Workers;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Live;
using Dure.Host.Web;

namespace Dure.Functions;

/// <summary>The functions role: deploy, invoke, queue, and this machine's worker.</summary>
internal sealed class FunctionsRole : IDisposable
{
    private const string WorkerId = "w1";

    private readonly HostServices _host;
    private readonly FunctionsContext _context;
    private readonly FunctionMetrics _metrics = new();
    private readonly QueueMetrics _queue;
    private readonly DeployBuild _build;
    private readonly VersionRebuild _rebuild;
    private readonly LogBook _logs;
    private readonly FunctionActivity _activity;
    private readonly WorkersApi _workers;
    private readonly TrendCache _trends;
    private readonly FunctionsNow _now;
    private readonly UsageBook _usages;

    /// <summary>Why no worker could run on this data folder; null when one can.</summary>
    public static Problem? FindUnfit(string data) => WorkerStart.FindTooLong(data, WorkerId);

    public FunctionsRole(HostServices host, FunctionCatalog catalog, long lastId)
    {
        _host = host;
        var options = host.Options;
        var copies = FunctionCopies.Of(host.Replication);
        var store = new InvocationStore(host.Database, host.Time, copies);
        var reader = new InvocationReader(host.Database, catalog);
        _activity = new FunctionActivity(host.Time);
        _logs = new LogBook(Path.Combine(options.Data, "logs", "invocations"), options.LogLimitPerAttempt, host.Live, host.Time);
        _usages = new UsageBook(_logs, host.Loggers.CreateLogger<UsageBook>());
        var dispatch = new DispatchOptions(Path.Combine(options.Data, "checkpoints"), Path.Combine(options.Data, "spool"), options.Functions.PayloadLimit,
            (int)options.Functions.SpoolThreshold, options.Functions.MaxDeaths);
        var finisher = new Finisher(store, host.Blobs, _logs, host.Live, _metrics, dispatch, host.Time) { Copies = copies, Stopping = host.Stopping, Activity = _activity };
        var link = new WorkerLinkOptions(WorkerId, Path.Combine(options.Data, "run", "w", WorkerId + ".sock"), Path.Combine(options.Data, "run", "s"),
            StartWorker, options.LeaseDuration, options.Worker.Slots, options.Worker.MemoryBytes, options.Worker.Gpus);
        var dispatcher = new Dispatcher(store, finisher, new DispatcherNeeds(SecretsAsync, catalog.Version, reader.FinishedAsync), link, host.Time, host.Loggers.CreateLogger<Dispatcher>())
        {
            IdleTimeout = options.Functions.IdleTimeout,
            Usages = _usages,
            Prewarm = new Dictionary<string, int>(StringComparer.Ordinal) { ["python:"] = options.Worker.PrewarmPython, ["node"] = options.Worker.PrewarmNode, ["plain"] = options.Worker.PrewarmPlain },
        };
        void Expect(Function function)
        {
            foreach (var version in new[] { function.Live, function.Canary }.OfType<FunctionVersion>().Where(_ => !function.Deleted))
                dispatcher.Expect(version);
        }

        catalog.Changed = function =>
        {
            Expect(function);
            host.Live.Publish(InvocationEvents.Functions, function.Name);
        };
        catalog.Removed = name => host.Live.Publish(InvocationEvents.Functions, name);
        foreach (var function in catalog.All)
            Expect(function);
        _queue = new QueueMetrics(dispatcher);
        Retention = new RetentionRun(new RetentionStore(host.Database), host.Blobs, _logs,
            new RetentionPlaces(options.Data, options.Retention, TimeSpan.FromHours(1), ReloadAsync), host.Time, host.Loggers.CreateLogger<RetentionRun>());
        var limits = new FunctionLimits(options.Functions.PayloadLimit, options.Functions.UploadLimit, (int)options.Functions.SpoolThreshold);
        _context = new FunctionsContext(catalog, new FunctionStore(host.Database, host.Time, host.Options.Data, copies), store, reader, dispatcher, new InvocationIdSource(host.Time, 0, lastId),
            host.Blobs, _logs, host.Live, limits, host.RefuseWork, host.Time);
        _build = new DeployBuild(new DeployOptions(options.Data)
        {
            Network = options.Functions.BuildOnHostNetwork ? BuildNetwork.Host : BuildNetwork.Egress,
            Source = new SourceLimits(options.Functions.UploadLimit),
            MemoryBytes = options.Functions.BuildMemory,
            Timeout = options.Functions.BuildTimeout,
            SandboxUid = Environment.IsPrivilegedProcess ? options.Worker.SandboxUid : null,
            ServerEnvironment = ReadEnvironment(),
        }, BuildAsync, host.Time);
        // Also without a provider that gets copies: one that had them restores.
        host.Replication?.Add(new FunctionOriginals(host.Replication.Store, new CopyStore(host.Database, copies?.Providers ?? []), _context.Functions, host.Blobs, ReloadAsync));
        _rebuild = new VersionRebuild(catalog, _build, host.Blobs, host.Loggers.CreateLogger<VersionRebuild>());
        var changes = new ChangeReader(host.Database);
        Topics = FunctionTopics.Make(_context, new InvocationFollower(_context, changes, host.Loggers.CreateLogger<InvocationFollower>(), host.Stopping), changes);
        _workers = new WorkersApi(dispatcher, new DrainStore(host.Database), host.Time);
        var trends = new TrendStore(host.Database);
        _trends = new TrendCache(trends, host.Time);
        _now = new FunctionsNow(_context, trends, new DayCounts(trends, host.Time), new ScheduleStore(host.Database), _workers);
    }

    /// <summary>What can be watched of it in live streams.</summary>
    public IReadOnlyList<LiveTopic> Topics { get; }

    /// <summary>How the functions are doing, for an overview; not for two at once.</summary>
    public ValueTask<FunctionsNowView> NowAsync(CancellationToken cancel) => _now.ReadAsync(cancel);

    /// <summary>Removes what is older than configured.</summary>
    public RetentionRun Retention { get; }

    /// <summary>Digests of every blob that this role needs.</summary>
    public async ValueTask<IReadOnlyCollection<string>> BlobsAsync(CancellationToken cancel) =>
        (await new RetentionStore(_host.Database).ReferencesAsync(long.MaxValue, cancel)).Blobs;

    /// <summary>What runs and waits.</summary>
    public Dispatcher Dispatcher => _context.Dispatcher;

    /// <summary>Whether there is such an invocation, also one that has no row yet.</summary>
    public async ValueTask<bool> KnowsAsync(long invocation, CancellationToken cancel) => await _context.FindAsync(invocation, cancel) is not null;

    /// <summary>Loads what is stored and makes the role.</summary>
    public static async Task<FunctionsRole> LoadAsync(HostServices host, CancellationToken cancel)
    {
        var catalog = new FunctionCatalog();
        foreach (var function in await new FunctionStore(host.Database, host.Time, host.Options.Data).LoadAsync(cancel))
            catalog.Put(function);
        var lastId = await new InvocationReader(host.Database, catalog).LastIdAsync(cancel);
        var role = new FunctionsRole(host, catalog, lastId);
        // Before anybody can ask for anything: a worker that was drained stays so.
        role.Dispatcher.SetDrain(await new DrainStore(host.Database).FindAsync(WorkerId, cancel));
        return role;
    }

    /// <summary>Maps the role's endpoints.</summary>
    public void Map(Gate gate)
    {
        RetentionApi.Map(gate, Retention);
        _workers.Map(gate);
        new TrendsApi(_context.Catalog, _trends, _host.Time).Map(gate);
        var invoke = new InvokeEndpoint(_context);
        var invocations = new InvocationEndpoints(_context);
        var logs = new LogEndpoints(_context, invocations);
        var functions = new FunctionEndpoints(_context, _build, _rebuild, _activity, _host.Database);
        MapSources(gate, functions);
        gate.Map("POST", "/api/functions/{name}/invocations", Scopes.Invoke, invoke.HandleAsync, audited: false).WithMetadata(new StaysOnReader((int)_host.Options.Functions.SpoolThreshold));
        gate.Map("POST", "/api/functions/{name}/invocations/batch", Scopes.Invoke, http => invocations.BatchAsync(http, invoke), audited: false);
        gate.Map("GET", "/api/functions", Scopes.Read, functions.ListAsync);
        gate.Map("GET", "/api/functions/{name}", Scopes.Read, functions.ShowAsync);
        gate.Map("DELETE", "/api/functions/{name}", Scopes.Deploy, functions.DeleteAsync);
        gate.Map("GET", "/api/functions/{name}/versions", Scopes.Read, functions.VersionsAsync);
        gate.Map("POST", "/api/functions/{name}/versions", Scopes.Deploy, functions.DeployAsync);
        gate.Map("PUT", "/api/functions/{name}/live", Scopes.Deploy, functions.SetLiveAsync);
        gate.Map("POST", "/api/functions/{name}/rollback", Scopes.Deploy, functions.RollbackAsync);
        gate.Map("GET", "/api/functions/{name}/diff", Scopes.Read, functions.DiffAsync);
        gate.Map("GET", "/api/functions/{name}/events", Scopes.Read, async http =>
        {
            if (await functions.FindAsync(http) is { } function)
                await logs.FunctionEventsAsync(http, function.Name);
        });
        var lists = new ListEndpoints(_context, new InvocationCounts(_host.Database));
        var windows = new LogWindowEndpoints(_context, invocations);
        gate.Map("GET", "/api/invocations", Scopes.Read, lists.ListAsync);
        gate.Map("GET", "/api/invocations/facets", Scopes.Read, lists.FacetsAsync);
        gate.Map("GET", "/api/invocations/{id}", Scopes.Read, invocations.ShowAsync);
        gate.Map("GET", "/api/invocations/{id}/result", Scopes.Read, http => invocations.PayloadAsync(http, result: true));
        gate.Map("GET", "/api/invocations/{id}/payload", Scopes.Read, http => invocations.PayloadAsync(http, result: false));
        gate.Map("GET", "/api/invocations/{id}/logs", Scopes.Read, logs.LogsAsync);
        gate.Map("GET", "/api/invocations/{id}/logs/index", Scopes.Read, windows.IndexAsync);
        gate.Map("GET", "/api/invocations/{id}/logs/lines", Scopes.Read, windows.LinesAsync);
        gate.Map("GET", "/api/invocations/{id}/logs/search", Scopes.Read, windows.SearchAsync);
        gate.Map("GET", "/api/invocations/{id}/usage", Scopes.Read, new UsageEndpoint(_context, invocations, _usages).HandleAsync);
        gate.Map("GET", "/api/invocations/{id}/events", Scopes.Read, logs.EventsAsync);
        gate.Map("POST", "/api/invocations/{id}/cancel", Scopes.Invoke, invocations.CancelAsync);
        gate.Map("POST", "/api/invocations/{id}/rerun", Scopes.Invoke, invocations.RerunAsync);
    }

    // What people look at and keep beside functions.
    private void MapSources(Gate gate, FunctionEndpoints functions)
    {
        var sources = new SourceEndpoints(_context, functions, _rebuild);
        var events = new TestEventEndpoints(functions, new TestEventStore(_host.Database, _host.Time));
        gate.Map("GET", "/api/templates", Scopes.Read, SourceEndpoints.TemplatesAsync);
        gate.Map("GET", "/api/functions/{name}/history", Scopes.Read, functions.HistoryAsync);
        gate.Map("GET", "/api/functions/{name}/schedule", Scopes.Read, functions.AheadAsync);
        gate.Map("GET", "/api/functions/{name}/versions/{version}/files", Scopes.Read, sources.ListAsync);
        gate.Map("GET", "/api/functions/{name}/versions/{version}/file", Scopes.Read, sources.FileAsync);
        gate.Map("GET", "/api/functions/{name}/versions/{version}/source", Scopes.Read, sources.PackageAsync);
        gate.Map("GET", "/api/functions/{name}/test-events", Scopes.Read, events.ListAsync);
        gate.Map("GET", "/api/functions/{name}/test-events/{event}", Scopes.Read, events.ShowAsync);
        gate.Map("PUT", "/api/functions/{name}/test-events/{event}", Scopes.Invoke, events.SaveAsync);
        gate.Map("DELETE", "/api/functions/{name}/test-events/{event}", Scopes.Invoke, events.RemoveAsync);
    }

    /// <summary>Runs the role until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        _build.CleanUp();
        var epoch = await _context.Invocations.TakeLeaseAsync("controller", Environment.MachineName);
        var open = await _context.Reader.OpenAsync(cancel);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var scheduler = new Scheduler(_context.Catalog, new ScheduleStore(_host.Database),
            new SchedulerNeeds(i => Dispatcher.SubmitAsync(i, inline: false), _context.Ids.Next, _host.RefuseWork), _host.Time, _host.Loggers.CreateLogger<Scheduler>());
        using var callbacks = new CallbackDelivery(new CallbackStore(_host.Database), new CallbackBody(_context.Reader), CallbackKey.Open(_host.Options.Data),
            _host.Options.Callback, _host.Time, _host.Loggers.CreateLogger<CallbackDelivery>());
        var beside = Task.WhenAll(scheduler.RunAsync(ending.Token), callbacks.RunAsync(ending.Token), Retention.LoopAsync(ending.Token), _rebuild.RunAsync(ending.Token), _activity.LoadAsync(_context.Reader, ending.Token));
        await Dispatcher.RunAsync(open, epoch, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ending.CancelAsync();
        await beside.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _logs.FlushAll();
        _usages.FlushAll();
    }

    public void Dispose()
    {
        Retention.Dispose();
        _trends.Dispose();
        _queue.Dispose();
        _metrics.Dispose();
    }

    private static Dictionary<string, string> ReadEnvironment() => Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);

    // Asked before every start, so it is also where code that a restored backup lacks is built again.
    private async ValueTask<Outcome<IReadOnlyDictionary<string, string>>> SecretsAsync(FunctionVersion version, CancellationToken cancel) =>
        await _rebuild.EnsureAsync(version, cancel) is { } problem ? problem : await _host.Secrets.ReadAsync([.. version.Spec.Secrets], cancel);

    private async Task ReloadAsync() =>
        await _context.ChangeAsync(() => _context.Functions.LoadAsync(CancellationToken.None), functions => functions.ForEach(_context.Catalog.Put));

    private async Task<Outcome<BuildExit>> BuildAsync(BuildStep step, Func<string, ValueTask> onLine, CancellationToken cancel)
    {
        var lines = System.Threading.Channels.Channel.CreateBounded<string>(65_536);
        var run = Dispatcher.RunToEndAsync(step.HostNetwork ? step.Spec with { Network = SandboxNetwork.Host } : step.Spec, line => lines.Writer.TryWrite(line), cancel);
        _ = run.ContinueWith(_ => lines.Writer.Complete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await foreach (var line in lines.Reader.ReadAllAsync(cancel))
            await onLine(line);
        var exited = await run;
        if (exited.Reason.StartsWith("DURE", StringComparison.Ordinal))
            return FunctionErrors.BuildNotStarted.With($"{exited.Reason}: {exited.Detail}");
        return new BuildExit(exited.Code, exited.Reason, exited.Detail);
    }

    // A session of its own: the worker must not end with the terminal or the server.
    private Process StartWorker(bool standby)
    {
        string[] precedence = Precedence.IsAllowed ? ["nice", "-n", (standby ? Precedence.OfStandby : Precedence.OfStart).ToString(CultureInfo.InvariantCulture)] : [];
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        var program = Path.Combine(AppContext.BaseDirectory, "dure");
        var log = ServerStart.WorkerLogIn(_host.Options.Data);
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        string[] words = ["-c", """log=$1; shift; exec setsid "$@" </dev/null >>"$log" 2>&1""", "sh", log, .. precedence, program, "worker", "--data", _host.Options.Data,
            "--id", WorkerId, "--keep", string.Join(',', Dispatcher.Kept.Select(pool => $"{pool.Prewarm}={pool.Size}")), "--sandbox-uid", _host.Options.Worker.SandboxUid.ToString(CultureInfo.InvariantCulture),
            "--niceness", Precedence.Own.ToString(CultureInfo.InvariantCulture), .. (string[])(standby ? ["--standby"] : [])];
        foreach (var word in words)
            start.ArgumentList.Add(word);
        OnPool.Clean(start.Environment);
        // Hexadecimal, 10 s. What a worker runs is compiled ahead of time; to compile it again, better, costs as much as its start, right when lost work begins again; to profile it first, more.
        start.Environment.TryAdd("DOTNET_TC_CallCountingDelayMs", "2710");
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start)!;
    }
}
