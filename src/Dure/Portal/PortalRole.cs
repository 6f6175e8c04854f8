using Dure.Host;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Portal.Notifications;
using Dure.Portal.Overview;
using Dure.Portal.Pages;

namespace Dure.Portal;

/// <summary>The portal role: the pages themselves, and what they ask for that no other slice answers.</summary>
internal sealed class PortalRole(HostServices host, NotificationsRole notifications) : IDisposable
{
    private static readonly IReadOnlyList<ApiOperation> All = [.. OverviewApi.Operations];

    private readonly bool _enabled = host.Options.Portal.Enabled;
    private readonly StaticSite _site = new(SiteFolder.Find(AppContext.BaseDirectory));
    private OverviewApi? _overview;

    /// <summary>The role's part of the API's document.</summary>
    public IReadOnlyList<ApiOperation> Operations => [.. NotificationsRole.Operations, .. _enabled ? All : []];

    /// <summary>Maps the role's endpoints.</summary>
    public void Map(Gate gate)
    {
        // People are told what happens also where there are no pages.
        notifications.Map(gate);
        if (!_enabled)
            return;
    }

    /// <summary>Maps the overview, which is put together from the other roles.</summary>
    public void MapOverview(Gate gate, OverviewNeeds needs)
    {
        if (!_enabled)
            return;
        _overview = new OverviewApi(needs, host.Time);
        _overview.Map(gate);
    }

    /// <summary>Answers what no endpoint does: with the pages, or as <paramref name="otherwise"/> says.</summary>
    public RequestDelegate Fallback(RequestDelegate otherwise) => _enabled ? http => _site.HandleAsync(http, otherwise) : otherwise;

    /// <summary>Runs the role until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => notifications.RunAsync(cancel);

    public void Dispose() => _overview?.Dispose();
}
