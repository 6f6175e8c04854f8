using Dure.Apps;
using Dure.Functions;
using Dure.Host.Configuration;
using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Live;
using Dure.Host.Metrics;
using Dure.Host.Operations;
using Dure.Host.Secrets;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Portal;
using Dure.Portal.Notifications;
using Dure.Portal.Overview;
using Dure.Storage;

namespace Dure.Host;

/// <summary>The server: every role on this machine in one process.</summary>
public static partial class ServerHost
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    /// <summary>Serves until it is cancelled or told to stop.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<Outcome<int>> RunAsync(DureOptions options, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        OnPool.Begin();
        if ((FunctionsRole.FindUnfit(options.Data) ?? Listening.FindTaken(Doors(options))) is { } already)
            return already;
        await using var app = Build(options);
        var opened = await OpenDatabaseAsync(options, cancel);
        if (!opened.Ok)
            return opened.Problem;
        await using var database = opened.Value;
        if (await Migrations.ApplyAsync(database, time, cancel) is { Ok: false, Problem: { } newer })
            return newer;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        using var metrics = new MetricsPage();
        using var disk = new DiskGuard(options.Data, options.Disk, time, loggers.CreateLogger<DiskGuard>());
        var control = new ServerControl(options, disk, time);
        var live = new InProcessLive();
        var secrets = SecretStore.Open(database, live, time, options.Data);
        if (!secrets.Ok)
            return secrets.Problem;
        var host = new HostServices(options, database, FolderBlobs.Open(Path.Combine(options.Data, "blobs"), time), live, secrets.Value,
            loggers, time, control.RefuseWork, stopping.Token);
        using var identity = await IdentityRole.OpenAsync(host, cancel);
        var stored = await ObjectStorage.OpenAsync(host, cancel);
        if (!stored.Ok)
            return stored.Problem;
        await using var storage = stored.Value;
        host = host with { Replication = storage.Replication };
        using var functions = await FunctionsRole.LoadAsync(host, cancel);
        var published = await AppsRole.OpenAsync(host, identity, cancel);
        if (!published.Ok)
            return published.Problem;
        await using var apps = published.Value;
        var gate = identity.Door(app);
        UseSteps(app, loggers);
        using var notifications = NotificationsRole.Open(host, functions, disk);
        using var portal = new PortalRole(host, notifications);
        app.MapFallback("{*path}", portal.Fallback(http => ProblemResponse.WriteAsync(http, HostErrors.NoSuchRoute.With($"{http.Request.Method} {http.Request.Path}"))));
        ProblemResponse.MapPages(app);
        control.Map(app, gate, functions, database);
        identity.Map(gate);
        SecretsApi.Map(gate, secrets.Value);
        functions.Map(gate);
        storage.Map(gate);
        apps.Map(gate);
        portal.Map(gate);
        metrics.Map(gate);
        new LiveApi([.. functions.Topics, .. storage.Topics, .. notifications.Topics], gate, time, stopping.Token).Map();
        using var backups = new Backups(options, database, host.Blobs, new BackupNeeds(functions.BlobsAsync, async c => await functions.Retention.HoldAsync(c)), time, loggers.CreateLogger<Backups>());
        BackupsApi.Map(gate, backups);
        portal.MapOverview(gate, new OverviewNeeds(functions.NowAsync, c => control.HealthAsync(functions.Dispatcher, database, c), storage.ViewAsync, storage.Replication, backups, disk));
        ApiDocument.Map(app, () => [.. HostOperations.All, .. SigninOperations.All, .. LiveApi.Operations, .. Functions.Api.FunctionsOperations.All, .. storage.Operations, .. AppsRole.Operations, .. portal.Operations]);
        if (await ListenAsync(app, storage, options, cancel) is { } taken)
            return taken;
        apps.PortalIsAt(new Uri(app.Urls.First()));
        await control.AnnounceAsync(app.Urls.First(), storage.Address, cancel);

        var running = OnPool.RunAsync(() => Task.WhenAll(functions.RunAsync(stopping.Token), identity.RunAsync(stopping.Token), storage.RunAsync(stopping.Token), apps.RunAsync(stopping.Token), portal.RunAsync(stopping.Token), disk.RunAsync(stopping.Token), IdleMemory.RunAsync(time, stopping.Token)));
        var told = control.StopAsked.WaitAsync(cancel).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        if (await Task.WhenAny(told, running) == running && !cancel.IsCancellationRequested)
            await running;
        await control.DrainAsync(functions.Dispatcher);
        await stopping.CancelAsync();
        using var patience = new CancellationTokenSource(StopPatience, time);
        await Task.WhenAll(app.StopAsync(patience.Token), storage.StopAsync(patience.Token));
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ExitCodes.Ok;
    }

    private static IEnumerable<(string Setting, string Address, int Port)> Doors(DureOptions options)
    {
        yield return ("port", options.Listen, options.Port);
        if (options.Store.Enabled)
        {
            yield return ("store.port", options.Store.Listen, options.Store.Port);
            yield return ("store.https_port", options.Store.Listen, options.Store.HttpsPort);
        }
        yield return ("apps.port", options.Listen, options.Apps.Port);
        if (options.Apps.Edge is not null)
            yield return ("apps.gatekeeper_port", options.Apps.Address, options.Apps.GatekeeperPort);
    }

    // What every request passes, in this order.
    private static void UseSteps(WebApplication app, ILoggerFactory loggers)
    {
        var boundary = new ErrorBoundary(FunctionErrors.DiskRefused, loggers.CreateLogger<ErrorBoundary>());
        app.Use(next => http => boundary.InvokeAsync(http, next));
        app.Use(next => http => BrowserSafety.MarkDataAsync(http, next));
        app.UseRouting();
        app.Use(next => http => StaysOnReader.InvokeAsync(http, next));
    }

    private static WebApplication Build(DureOptions options)
    {
        // Empty: the other builders watch the working folder, which for a server in the background is the whole file system.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = options.Data });
        builder.Services.AddRoutingCore();
        ServerLogging.Configure(builder.Logging, options.Log);
        // Requests go on where their bytes were read: no thread need be woken on the way of a call.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true).UseUrls($"http://{options.Listen}:{options.Port}").ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
        });
        return builder.Build();
    }

    private static async ValueTask<Outcome<Database>> OpenDatabaseAsync(DureOptions options, CancellationToken cancel)
    {
        Directory.CreateDirectory(options.Data);
        if (options.DatabaseUrl is null)
            return await SqliteDatabase.TakeAsync(Path.Combine(options.Data, "dure.db"), cancel, shared: !options.DatabaseExclusive);
        var opened = await PostgresDatabase.OpenAsync(options.DatabaseUrl, cancel);
        return opened.Ok ? opened.Value : opened.Problem;
    }

    private static async ValueTask<Problem?> ListenAsync(WebApplication app, ObjectStorage storage, DureOptions options, CancellationToken cancel)
    {
        if (await storage.StartAsync(cancel) is { } taken)
            return taken;
        return await Listening.BeginAsync(app, $"{options.Listen}:{options.Port}", cancel);
    }
}
