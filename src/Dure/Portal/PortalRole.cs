using Dure.Host;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Portal.Pages;

namespace Dure.Portal;

/// <summary>The portal role: the pages themselves, and what they ask for that no other slice answers.</summary>
internal sealed class PortalRole(HostServices host)
{
    private static readonly IReadOnlyList<ApiOperation> All = [];

    private readonly bool _enabled = host.Options.Portal.Enabled;
    private readonly StaticSite _site = new(SiteFolder.Find(AppContext.BaseDirectory));

    /// <summary>The role's part of the API's document.</summary>
    public IReadOnlyList<ApiOperation> Operations => _enabled ? All : [];

    /// <summary>Maps the role's endpoints.</summary>
    public void Map(Gate gate)
    {
        if (!_enabled)
            return;
    }

    /// <summary>Answers what no endpoint does: with the pages, or as <paramref name="otherwise"/> says.</summary>
    public RequestDelegate Fallback(RequestDelegate otherwise) => _enabled ? http => _site.HandleAsync(http, otherwise) : otherwise;

    /// <summary>Runs the role until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.CompletedTask;
}
