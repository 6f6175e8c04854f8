using Dure.Functions;
using Dure.Functions.Callbacks;
using Dure.Host.Texts;
using Dure.Host;
using Dure.Host.Live;
using Dure.Host.Operations;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Portal.Notifications;

/// <summary>Notifications: registers and maps them.</summary>
internal sealed class NotificationsRole : IDisposable
{
    private readonly Lookout _lookout;
    private readonly Courier _courier;
    private readonly NotifyDelivery _delivery;
    private readonly NotificationsApi _api;
    private readonly ILive _live;

    private NotificationsRole(HostServices host, FunctionsRole functions, DiskGuard disk)
    {
        var (options, time) = (host.Options, host.Time);
        _live = host.Live;
        var settings = new LookoutOptions(options.Notify.Gather, options.Notify.BehindAfter, options.Retention.Invocations);
        var (store, outbox, ends) = (new NotifyStore(host.Database, time), new NotifyOutbox(host.Database), new InvocationEnds(host.Database));
        var sources = new MachineSources(() => disk.Now, () => functions.Dispatcher.WorkerState.Hello is { } hello ? (hello.Worker, hello.Pid) : null,
            () => host.RefuseWork()?.Kind == HostErrors.NotReady, host.Replication is { } copies ? copies.StatusAsync : null);
        _lookout = new Lookout(store, ends, new MachineWatchers(sources, ends, settings.BehindAfter, time).All, host.Live, settings, time, host.Loggers.CreateLogger<Lookout>());
        _courier = new Courier(options.Notify, new NotifyText(BaseUrl(host)), CallbackKey.Open(options.Data), options.Callback.Timeout, time);
        _delivery = new NotifyDelivery(outbox, store, _courier, options.Callback.Attempts, time, host.Loggers.CreateLogger<NotifyDelivery>());
        _api = new NotificationsApi(store, outbox, _courier, functions.KnowsAsync, settings, time);
    }

    /// <summary>The part of the API's document.</summary>
    public static IReadOnlyList<ApiOperation> Operations => NotificationsApi.Operations;

    /// <summary>What can be listened to.</summary>
    public IReadOnlyList<LiveTopic> Topics => [LiveTopic.Hints(_live, "notifications", Lookout.Channel)];

    /// <summary>Makes the role.</summary>
    public static NotificationsRole Open(HostServices host, FunctionsRole functions, DiskGuard disk) => new(host, functions, disk);

    /// <summary>Maps the role's endpoints.</summary>
    public void Map(Gate gate) => _api.Map(gate);

    /// <summary>Looks and delivers until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_lookout.RunAsync(cancel), _delivery.RunAsync(cancel));

    public void Dispose()
    {
        _lookout.Dispose();
        _delivery.Dispose();
        _courier.Dispose();
    }

    private static Uri? BaseUrl(HostServices host) => Uri.TryCreate(host.Options.Notify.BaseUrl, UriKind.Absolute, out var given) ? given
        : host.Options.Port != 0 ? new Uri($"http://{Authority.Host(host.Options.Listen)}:{host.Options.Port}/") : null;
}
