using Dure.Apps.Linking;
using Dure.Apps.Running;
using Dure.Edge;
using Dure.Host;

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
        var asleep = version?.AsleepSince is not null && version.Number == app.Live;
        if (version is { Port: not null } && !asleep)
        {
            var run = context.RunOf(version);
            var facts = await context.Processes.LookAsync(app.Id, version.Number, cancel);
            service = new(facts.Service, facts.State, facts.Pid, facts.Restarts, facts.Since);
            var answer = await context.Health.AskAsync(run, cancel);
            health = new("app", answer.Ok, answer.Said);
            if (context.Edge?.AddressOf(context.RouteOf(version)) is not null && version.Spec.Visibility != Visibility.Local)
                shown = await PublicAsync(version, cancel);
        }

        var state = app.Removing ? "removing" : version is null || app.Live is null ? "starting" : asleep ? "asleep" : health?.Ok == true && shown?.Ok != false ? "live" : "unwell";
        return new(app.Id, state, version?.Spec.Kind ?? "", app.Owner, app.Origin, app.Machine, version is null ? "" : context.AddressOf(version).AbsoluteUri, version?.Spec.Visibility.ToString().ToLowerInvariant() ?? "",
            app.Live, version?.Port, app.UpdatedAt, service, health, shown, app.LastError, app.LastErrorAt, context.Host.Time.GetUtcNow(), version?.AsleepSince,
            [.. app.Versions.Select(v => new AppVersionView(v.Number, v.State.ToString().ToLowerInvariant(), v.Owner, v.CreatedAt, v.SizeBytes, v.Port, v.DrainsUntil))]);
    }

    /// <summary>Everything there is to see of an app, on both machines and from outside, each with where and when it was seen.</summary>
    public async Task<IReadOnlyList<AppSeenView>> SeenAsync(App app, AppView view, CancellationToken cancel)
    {
        var seen = new List<AppSeenView>();
        void Add(string what, bool ok, string where, string said) => seen.Add(new(what, ok, where, said, context.Host.Time.GetUtcNow()));
        if (app.LiveVersion is not { Port: { } port } version)
            return seen;
        var here = view.Machine == "localhost" ? "this machine" : view.Machine;
        if (view.Service is { } service)
        {
            Add("service", service.State == ProcessFacts.Running, here, $"{service.Name} {service.State}{(service.Pid is { } pid ? FormattableString.Invariant($", process {pid}") : "")}"
                + (service.Restarts > 0 ? FormattableString.Invariant($", restarted {service.Restarts} times") : ""));
        }

        // What sleeps runs nowhere: its service, port and health are not there to be seen.
        var asleep = version.AsleepSince is not null;
        var listens = TcpSockets.ListenersOf(context.RunOf(version));
        if (!asleep)
            Add("port", listens.Any(at => at.Port == port), here, listens.Count == 0 ? FormattableString.Invariant($"nothing listens on {port}") : string.Join(" and ", listens));
        if (view.Health is { } health)
            Add("health", health.Ok, here, health.Said);
        if (context.Edge is not { } edge || version.Spec.Visibility == Visibility.Local)
            return seen;
        var route = context.RouteOf(version);
        var looked = await LookAsync(edge, route, version, cancel);
        string Of(string name) => looked.Value.GetValueOrDefault(name, "unknown");
        Add("proxy", looked.Ok && Of("running") == "yes" && Of("snippet") == "same", edge.Name, !looked.Ok ? looked.Problem.Detail
            : Of("running") != "yes" ? "nginx does not run" : Of("snippet") == "same" ? $"nginx runs with its snippet; the app answers it with {Of("upstream")}" : $"nginx runs; its snippet is {Of("snippet")}");
        if (edge.AddressOf(route) is not { } address)
            return seen;
        if (view.Public is { } shown)
            Add("public address", shown.Ok, address.GetLeftPart(UriPartial.Authority), shown.Said);
        var certificate = await PublicAddress.CertificateAsync(address, context.Host.Time, cancel);
        Add("certificate", certificate.Ok, certificate.Where, certificate.Said);
        var name = await PublicAddress.NameAsync(address, cancel);
        Add("dns", name.Ok, name.Where, name.Said);
        return seen;
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
        if (version.AsleepSince is { } since)
        {
            yield return new("service", true, FormattableString.Invariant($"it has been asleep since {since:u}; its next visitor wakes it"), null);
            await foreach (var link in WalkDoorsAsync(app, version, cancel))
                yield return link;
            yield break;
        }

        var facts = await context.Processes.LookAsync(app.Id, version.Number, cancel);
        yield return new("service", facts.State == ProcessFacts.Running, $"{facts.Service} is {facts.State}", $"dure apps logs {app.Id}, then dure apps restart {app.Id}");
        var listens = TcpSockets.ListenersOf(run);
        yield return new("port", listens.Any(at => at.Port == port), listens.Count == 0 ? "it listens nowhere" : "it listens on " + string.Join(" and ", listens), $"dure apps restart {app.Id}");
        var answer = await context.Health.AskAsync(run, cancel);
        yield return new("health", answer.Ok, answer.Said, $"dure apps logs {app.Id}, then dure apps restart {app.Id}");
        await foreach (var link in WalkDoorsAsync(app, version, cancel))
            yield return link;
    }

    private async IAsyncEnumerable<AppLinkView> WalkDoorsAsync(App app, AppVersion version, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var door = context.Door.Table.Find(app.Id);
        yield return new("door", door?.Version == version.Number, door is null ? "the door of this machine does not know it" : $"{context.Door.Address} leads to {door.Tag}", "dure restart");
        if (context.Edge is null || version.Spec.Visibility == Visibility.Local)
            yield break;
        // Without one, the edge may be this machine itself.
        if (Tunnel.Needed(context.Host.Options.Apps) && File.Exists(Tunnel.UnitPath))
        {
            var tunnel = await TunnelSetup.LookAsync(cancel);
            yield return new("tunnel", tunnel.Ok, tunnel.Said, "sudo dure apps link");
        }

        await foreach (var link in WalkEdgeAsync(app, version, cancel))
            yield return link;
    }

    private async IAsyncEnumerable<AppLinkView> WalkEdgeAsync(App app, AppVersion version, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var (edge, route) = (context.Edge!, context.RouteOf(version));
        var looked = await LookAsync(edge, route, version, cancel);
        yield return new("edge", looked.Ok, looked.Ok ? $"{edge.Name} lets us in" : looked.Problem.Detail, edge.ByHand);
        if (!looked.Ok)
            yield break;
        string Of(string name) => looked.Value.GetValueOrDefault(name, "unknown");
        var put = $"dure apps restart {app.Id}";
        yield return new("nginx", Of("nginx") == "yes", Of("nginx") == "yes" ? "nginx is there" : "nginx is not installed", $"{edge.ByHand} apt-get install nginx");
        yield return new("nginx runs", Of("running") == "yes", Of("running") == "yes" ? "nginx runs" : "nginx does not run", $"{edge.ByHand} systemctl start nginx");
        yield return new("nginx -t", Of("tests") == "yes", Of("tests") == "yes" ? "its configuration is good" : Of("tests"), $"{edge.ByHand} nginx -t");
        yield return new("snippet", Of("snippet") == "same", Of("snippet") switch { "same" => "it is as it should be", "none" => "it is not there", _ => "it was changed" }, put);
        yield return new("edge to app", Of("upstream") is { Length: 3 } code && code[0] is '2' or '3', Of("upstream") == "000" ? version.AsleepSince is null ? FormattableString.Invariant($"the edge does not reach {route.Host}:{route.Port}") : $"the edge does not reach {route.WakeAt}, which wakes it"
            : $"the app machine answers the edge with {Of("upstream")}", Tunnel.Needed(context.Host.Options.Apps) ? "sudo dure apps link" : $"open ports {context.Host.Options.Apps.PortFirst} to {context.Host.Options.Apps.PortLast} of {route.Host} for {edge.Name}");
        if (route.IsGuarded)
        {
            var asked = Of("gatekeeper");
            yield return new("edge to gatekeeper", asked == "401", asked == "401" ? "the edge can ask who may enter" : $"{route.Gatekeeper} answers the edge with {asked}",
                $"open port {context.Host.Options.Apps.GatekeeperPort} of {route.Host} for {edge.Name}");
        }

        if (context.Index.Unwell is { } unwell)
            yield return new("index", false, unwell.Detail, $"dure apps restart {app.Id}");
        if (version.AsleepSince is null && edge.AddressOf(route) is { } address)
        {
            var shown = await PublicAsync(version, cancel);
            yield return new("public address", shown.Ok, shown.Said, $"curl -v {address}");
            var certificate = await PublicAddress.CertificateAsync(address, context.Host.Time, cancel);
            yield return new("certificate", certificate.Ok, certificate.Said, "dure cert renew");
        }
    }

    // Whoever looks how an app is keeps it from no sleep.
    private async Task<Outcome<Dictionary<string, string>>> LookAsync(EdgeMachine edge, AppRoute route, AppVersion version, CancellationToken cancel)
    {
        using (context.Door.Visits.Probe(route.Id))
            return await edge.LookAsync(route, version.Spec.Health, version.AsleepSince is not null, cancel);
    }

    private async Task<AppHealthView> PublicAsync(AppVersion version, CancellationToken cancel)
    {
        var route = context.RouteOf(version);
        async Task<ShownVersion> ProbeAsync()
        {
            using (context.Door.Visits.Probe(route.Id))
                return await context.Edge!.ProbeAsync(route, version.Spec.Health, cancel);
        }

        var shown = await ProbeAsync();
        // Each change of any app makes nginx reload: workers of before may answer, or close the connection, for a moment.
        for (var again = 0; again < 3 && !shown.Is(route); again++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(150), context.Host.Time, cancel);
            shown = await ProbeAsync();
        }

        var address = context.Edge!.AddressOf(route)!;
        return new(address.AbsoluteUri, shown.Is(route), shown.At(address));
    }
}
