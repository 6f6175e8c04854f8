using Dure.Apps.Running;
using Dure.Edge;
using Dure.Edge.Certificates;

namespace Dure.Apps;

/// <summary>Looks at an app where each part of it is, and walks the way from the browser to the process.</summary>
internal sealed class AppReader(AppsContext context)
{
    /// <summary>The app with what is seen of it now.</summary>
    public async Task<AppView> ViewAsync(App app, CancellationToken cancel)
    {
        var version = app.LiveVersion ?? (app.Versions is [var first, ..] ? first : null);
        AppServiceView? service = null;
        AppHealthView? health = null, shown = null;
        AppCertificateView? certificate = null;
        if (version is { Port: not null })
        {
            var run = context.RunOf(version);
            var facts = await context.Processes.LookAsync(app.Id, version.Number, cancel);
            service = new(facts.Service, facts.State, facts.Pid, facts.Restarts, facts.Since);
            var answer = await context.Health.AskAsync(run, cancel);
            health = new("app", answer.Ok, answer.Said);
            if (context.Edge?.AddressOf(context.RouteOf(version)) is not null && version.Spec.Visibility == Visibility.Public)
                (shown, certificate) = (await PublicAsync(version, cancel), await CertificateAsync(version, cancel));
        }

        var state = app.Removing ? "removing" : version is null || app.Live is null ? "starting" : health?.Ok == true && shown?.Ok != false ? "live" : "unwell";
        return new(app.Id, state, version?.Spec.Kind ?? "", app.Owner, app.Origin, app.Machine, version is null ? "" : context.AddressOf(version).AbsoluteUri, version?.Spec.Visibility.ToString().ToLowerInvariant() ?? "",
            app.Live, version?.Port, app.UpdatedAt, service, health, shown, app.LastError, app.LastErrorAt, context.Host.Time.GetUtcNow(),
            [.. app.Versions.Select(v => new AppVersionView(v.Number, v.State.ToString().ToLowerInvariant(), v.Owner, v.CreatedAt, v.SizeBytes, v.Port, v.DrainsUntil))]) { Certificate = certificate };
    }

    /// <summary>Walks from the process outwards, and stops at the first link that does not hold.</summary>
    public async Task<AppDiagnosisView> DiagnoseAsync(App app, CancellationToken cancel)
    {
        var links = new List<AppLinkView>();
        await foreach (var link in WalkAsync(app, cancel))
        {
            links.Add(link);
            if (!link.Ok)
                break;
        }

        return new(app.Id, links.TrueForAll(link => link.Ok), links);
    }

    private async IAsyncEnumerable<AppLinkView> WalkAsync(App app, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        if (app.LiveVersion is not { Port: { } port } version)
        {
            yield return new("record", false, "No version is live.", $"dure apps logs {app.Id}, then dure publish {app.Origin}");
            yield break;
        }

        var run = context.RunOf(version);
        yield return new("record", true, FormattableString.Invariant($"version {version.Number} on port {port}"), null);
        var facts = await context.Processes.LookAsync(app.Id, version.Number, cancel);
        yield return new("service", facts.State == ProcessFacts.Running, $"{facts.Service} is {facts.State}", $"dure apps logs {app.Id}, then dure apps restart {app.Id}");
        var listens = TcpSockets.ListenersOf(run);
        yield return new("port", listens.Any(at => at.Port == port), listens.Count == 0 ? "it listens nowhere" : "it listens on " + string.Join(" and ", listens), $"dure apps restart {app.Id}");
        var answer = await context.Health.AskAsync(run, cancel);
        yield return new("health", answer.Ok, answer.Said, $"dure apps logs {app.Id}, then dure apps restart {app.Id}");
        var door = context.Door.Table.Find(app.Id);
        yield return new("door", door?.Version == version.Number, door is null ? "the door of this machine does not know it" : $"{context.Door.Address} leads to {door.Tag}", "dure restart");
        if (context.Edge is null || version.Spec.Visibility != Visibility.Public)
            yield break;
        await foreach (var link in WalkEdgeAsync(app, version, cancel))
            yield return link;
    }

    private async IAsyncEnumerable<AppLinkView> WalkEdgeAsync(App app, AppVersion version, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var (edge, route) = (context.Edge!, context.RouteOf(version));
        var looked = await edge.LookAsync(route, version.Spec.Health, cancel);
        yield return new("edge", looked.Ok, looked.Ok ? $"{edge.Name} lets us in" : looked.Problem.Detail, edge.ByHand);
        if (!looked.Ok)
            yield break;
        string Of(string name) => looked.Value.GetValueOrDefault(name, "unknown");
        var put = $"dure apps restart {app.Id}";
        yield return new("nginx", Of("nginx") == "yes", Of("nginx") == "yes" ? "nginx is there" : "nginx is not installed", $"{edge.ByHand} apt-get install nginx");
        yield return new("nginx runs", Of("running") == "yes", Of("running") == "yes" ? "nginx runs" : "nginx does not run", $"{edge.ByHand} systemctl start nginx");
        yield return new("nginx -t", Of("tests") == "yes", Of("tests") == "yes" ? "its configuration is good" : Of("tests"), $"{edge.ByHand} nginx -t");
        yield return new("snippet", Of("snippet") == "same", Of("snippet") switch { "same" => "it is as it should be", "none" => "it is not there", _ => "it was changed" }, put);
        yield return new("edge to app", Of("upstream") is { Length: 3 } code && code[0] is '2' or '3', Of("upstream") == "000" ? FormattableString.Invariant($"the edge does not reach {route.Host}:{route.Port}")
            : $"the app answers the edge with {Of("upstream")}", $"open ports {context.Host.Options.Apps.PortFirst} to {context.Host.Options.Apps.PortLast} of {route.Host} for {edge.Name}");
        if (edge.AddressOf(route) is { } address)
        {
            var shown = await PublicAsync(version, cancel);
            yield return new("public address", shown.Ok, shown.Said, $"curl -v {address}");
            if (await CertificateAsync(version, cancel) is { } certificate)
                yield return new("certificate", certificate.Ok, certificate.Said, "dure cert renew");
        }
    }

    // Null where the public address speaks no TLS.
    private async Task<AppCertificateView?> CertificateAsync(AppVersion version, CancellationToken cancel)
    {
        if (context.Edge?.AddressOf(context.RouteOf(version)) is not { Scheme: "https" } address)
            return null;
        var seen = await ServedCertificate.LookAsync(address, context.Host.Time, cancel);
        return new(seen.Host, seen.Ok, seen.DaysLeft, seen.ExpiresAt, seen.Said, seen.SeenAt);
    }

    private async Task<AppHealthView> PublicAsync(AppVersion version, CancellationToken cancel)
    {
        var route = context.RouteOf(version);
        var shown = await context.Edge!.ProbeAsync(route, version.Spec.Health, cancel);
        var address = context.Edge.AddressOf(route)!;
        return new(address.AbsoluteUri, shown.Is(route), shown.At(address));
    }
}
