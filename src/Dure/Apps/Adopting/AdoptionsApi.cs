using System.Net;
using System.Net.NetworkInformation;
using System.Text.Json.Serialization;
using Dure.Apps.Running;
using Dure.Edge.Foreign;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Apps.Adopting;

/// <summary>What is served by hand, over HTTP.</summary>
internal sealed class AdoptionsApi(AppsContext context)
{
    public static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/adoptions", "Services of this machine and locations on the edge that somebody made by hand, as far as they could be apps.", 200, AdoptionsJson.Default.FoundByHand),
    ];

    // Commands of other people's services are not for everybody who may read.
    public void Map(Gate gate) => gate.Map("GET", "/api/adoptions", Scopes.Deploy, async http =>
    {
        var found = await FindAsync(http.RequestAborted);
        await (found.Ok ? JsonBody.WriteAsync(http, found.Value, AdoptionsJson.Default.FoundByHand) : ProblemResponse.WriteAsync(http, found.Problem));
    });

    /// <summary>Looks on both machines.</summary>
    public async Task<Outcome<FoundByHand>> FindAsync(CancellationToken cancel)
    {
        var apps = context.Host.Options.Apps;
        if (!SystemdUnits.IsThere)
            return AdoptErrors.NoSystemd.With(Environment.IsPrivilegedProcess ? "This machine does not run systemd." : "Dure's server is not root.");
        if (context.Edge is null || apps.PublicUrl is null)
            return AdoptErrors.NoEdge.With($"{(context.Edge is null ? "apps.edge" : "apps.public_url")} is not set.");
        var foreign = await context.Edge.ForeignAsync(cancel);
        if (!foreign.Ok)
            return foreign.Problem;
        var units = await UnitFinder.FindAsync(cancel);
        var ports = units.Select(unit => unit.Port).OfType<int>().ToHashSet();
        var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address).ToHashSet();
        // The edge's own address leads here when somebody keeps a tunnel; a name may be anybody's. Another machine's address is another machine's.
        bool IsHere(ForeignLocation location) => location.Port is { } port && (!IPAddress.TryParse(location.Host, out var address) || IPAddress.IsLoopback(address)
            ? ports.Contains(port) : own.Contains(address) || location.Host == apps.Address);
        List<ForeignLocation> here = [.. foreign.Value.Locations.Where(IsHere)];
        var seen = await Task.WhenAll(units.Select(unit => AskAsync(unit, here.FirstOrDefault(location => location.Port == unit.Port), cancel)));
        var published = await context.Store.AllAsync(null, cancel);
        return new FoundByHand(apps.Prefix, apps.PublicUrl, context.Edge.Name, seen, here, [.. published.Select(app => app.Id)], foreign.Value.Unread);
    }

    /// <summary>Looks once more before a version comes in the place of a unit: whoever publishes may not stop any service he likes, but the one that serves the app's address.</summary>
    public async Task<Problem?> CheckAsync(string id, AdoptedUnit adopted, CancellationToken cancel)
    {
        var found = await FindAsync(cancel);
        if (!found.Ok)
            return found.Problem;
        if (Adoption.Join(found.Value, []).FirstOrDefault(one => one.Unit == adopted.Unit) is not { } there)
            return AdoptErrors.NotFound.With($"There is no service {Host.Texts.Shown.Safely(adopted.Unit)} that could be taken over.");
        return there.Obstacles.Count > 0 ? Hindered(there)
            : there.Id != id || there.Port != adopted.Port ? AdoptErrors.InTheWay.With(FormattableString.Invariant($"{there.Unit} serves {there.Path} on port {there.Port}, not {id} on {adopted.Port}.")) : null;
    }

    /// <summary>What stands in the way, as a problem.</summary>
    public static Problem Hindered(ByHand one) => AdoptErrors.InTheWay.With($"'{one.Id}' cannot be taken over as it is.", [.. one.Obstacles.Select(what => new Fault(one.Unit ?? one.Location ?? one.Id, what))]);

    private async Task<FoundUnit> AskAsync(FoundUnit unit, ForeignLocation? location, CancellationToken cancel)
    {
        if (unit is not { Running: true, Port: { } port, Spec: { } spec })
            return unit;
        var path = location?.Path.TrimEnd('/') ?? "";
        HealthAnswer answer = default;
        foreach (var host in new[] { context.Host.Options.Apps.Address, "127.0.0.1" }.Distinct(StringComparer.Ordinal))
        {
            answer = await context.Health.AskAsync(new AppRun(unit.Id, 0, spec with { KeepsPrefix = location?.KeepsPrefix != false }, "", "", host, port, path), cancel);
            if (answer.Status > 0)
                break;
        }

        return unit with { Said = answer.Said, Healthy = answer.Ok };
    }
}

/// <summary>JSON of what is served by hand: snake_case, nulls left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(FoundByHand))]
internal sealed partial class AdoptionsJson : JsonSerializerContext;
