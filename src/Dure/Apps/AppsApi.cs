using System.Globalization;
using System.Text;
using System.Text.Json;
using Dure.Apps.Adopting;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Apps;

/// <summary>Published apps over HTTP.</summary>
internal sealed class AppsApi(AppsContext context, Publisher publisher)
{
    /// <summary>Says how a publish is made: the specification, as JSON in base64.</summary>
    public const string SpecHeader = "Dure-App-Spec";

    private const int LinesMost = 100_000;

    // A drain that comes to its end holds the app for a moment.
    private static readonly TimeSpan HoldPatience = TimeSpan.FromSeconds(10);

    private readonly AppReader _reader = new(context);
    private readonly AdoptionsApi _adoptions = new(context);

    public static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/apps", "Published apps, with what is seen of each.", 200, AppsJson.Default.PageViewAppView),
        new("GET", "/api/apps/{id}", "One app, with what is seen of it.", 200, AppsJson.Default.AppView),
        new("POST", "/api/apps/{id}/versions", "Publish a packed folder (tar, gzip); answers with one JSON object a line: progress, then the app or the problem.", 200)
        {
            RequestType = "application/gzip", ResponseType = "application/x-ndjson",
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { [SpecHeader] = "How it is run: JSON in base64.", ["origin"] = "Where it comes from.", ["replace"] = "true: also in the place of an app from elsewhere." },
        },
        new("POST", "/api/apps/{id}/rollback", "Make an earlier version live.", 200, AppsJson.Default.AppView, AppsJson.Default.AppRollback),
        new("POST", "/api/apps/{id}/restart", "Restart the process of the live version, and tell the edge of it again.", 200, AppsJson.Default.AppView),
        new("GET", "/api/apps/{id}/logs", "What it wrote.", 200)
        {
            ResponseType = "text/plain",
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["lines"] = "The last lines, 1 to 100000.", ["follow"] = "true: also those to come.", ["version"] = "Of this version; without, of the live one.", ["edge"] = "true: what the edge's nginx wrote about it." },
        },
        new("GET", "/api/apps/{id}/doctor", "The way from the browser to the process, up to the first broken link.", 200, AppsJson.Default.AppDiagnosisView),
        new("DELETE", "/api/apps/{id}", "Unpublish.", 204) { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["without_edge"] = "true: also when the edge cannot be told." } },
    ];

    public void Map(Gate gate)
    {
        gate.Map("GET", "/api/apps", Scopes.Read, ListAsync);
        gate.Map("GET", "/api/apps/{id}", Scopes.Read, http => context.WithAppAsync(http, async app => await WriteAsync(http, app, outside: true)));
        gate.Map("POST", "/api/apps/{id}/versions", Scopes.Deploy, PublishAsync);
        gate.Map("POST", "/api/apps/{id}/rollback", Scopes.Deploy, RollbackAsync);
        gate.Map("POST", "/api/apps/{id}/restart", Scopes.Deploy, http => ChangeAsync(http, RestartAsync));
        gate.Map("GET", "/api/apps/{id}/logs", Scopes.Read, LogsAsync);
        gate.Map("GET", "/api/apps/{id}/doctor", Scopes.Read, http => context.WithAppAsync(http, async app => await JsonBody.WriteAsync(http, await _reader.DiagnoseAsync(app, http.RequestAborted), AppsJson.Default.AppDiagnosisView)));
        gate.Map("DELETE", "/api/apps/{id}", Scopes.Deploy, RemoveAsync);
    }

    private async Task ListAsync(HttpContext http)
    {
        var apps = await context.Store.AllAsync(null, http.RequestAborted);
        await JsonBody.WriteAsync(http, new PageView<AppView>([.. await Task.WhenAll(apps.Select(app => _reader.ViewAsync(app, http.RequestAborted)))], null), AppsJson.Default.PageViewAppView);
    }

    private async Task PublishAsync(HttpContext http)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        var read = ReadSpec(http, id);
        if (!read.Ok)
        {
            await ProblemResponse.WriteAsync(http, read.Problem);
            return;
        }

        using var held = await context.HoldAsync(id, HoldPatience, http.RequestAborted);
        if (held is null)
        {
            await ProblemResponse.WriteAsync(http, AppErrors.Busy.With($"'{id}' is being changed by somebody else."));
            return;
        }

        var origin = new AppOrigin(id, http.Caller().Name, http.Request.Query["origin"].ToString(), context.Machine, http.Request.Query["replace"] == "true");
        var known = await context.Store.FindAsync(id, http.RequestAborted);
        if (await RefuseAsync(known, origin, read.Value, http.RequestAborted) is { } taken)
        {
            await ProblemResponse.WriteAsync(http, taken);
            return;
        }

        var number = AppFolders.NextNumber(known);
        var unpacked = await context.Folders.UnpackAsync(http.Request.Body, id, number, read.Value, context.Host.Options.Apps.UploadLimit, http.RequestAborted);
        if (!unpacked.Ok)
        {
            if (known is null)
                context.Folders.RemoveApp(id);
            await ProblemResponse.WriteAsync(http, unpacked.Problem);
            return;
        }

        http.Response.ContentType = JsonBody.Lines;
        // Who hangs up does not end it: what began is finished.
        var published = await publisher.PublishAsync(origin, read.Value, number, unpacked.Value, progress => LineAsync(http, new PublishLine(Progress: progress)), context.Host.Stopping);
        var last = published.Ok ? new PublishLine(App: await _reader.ViewAsync(published.Value, context.Host.Stopping)) : new PublishLine(Problem: ProblemView.Of(published.Problem));
        // Who reads the last line may publish again at once.
        held.Dispose();
        await LineAsync(http, last);
    }

    private async Task<Problem?> RefuseAsync(App? known, AppOrigin origin, AppSpec spec, CancellationToken cancel) =>
        known is not null && AppStore.CheckOrigin(known, origin) is { } taken ? taken
        : spec is { Adopts: not null, Visibility: Edge.Visibility.Local } ? AdoptErrors.InTheWay.With($"'{origin.Id}' would be seen on this machine only, in the place of what the edge shows.")
        : spec.Adopts is { } adopted ? await _adoptions.CheckAsync(origin.Id, adopted, cancel) : null;

    private Outcome<AppSpec> ReadSpec(HttpContext http, string id)
    {
        if (context.Host.RefuseWork() is { } refused)
            return refused;
        if (AppSpec.IdFault(id) is { } fault)
            return AppErrors.BadId.With(fault);
        try
        {
            return JsonSerializer.Deserialize(Convert.FromBase64String(http.Request.Headers[SpecHeader].ToString()), SpecJson.Default.AppSpec) is { Command.Length: > 0 } spec
                ? spec with { Adopts = spec.Adopts is { } adopted ? adopted with { Until = null } : null } : HostErrors.BadRequest.With($"The header {SpecHeader} names no command.");
        }
        catch (Exception wrong) when (wrong is FormatException or JsonException)
        {
            return HostErrors.BadRequest.With($"The header {SpecHeader} is not JSON in base64.");
        }
    }

    private async Task RollbackAsync(HttpContext http)
    {
        var asked = http.HasBody() ? await JsonBody.ReadAsync(http, AppsJson.Default.AppRollback) : new AppRollback(null);
        if (!asked.Ok)
        {
            await ProblemResponse.WriteAsync(http, asked.Problem);
            return;
        }

        await ChangeAsync(http, async app =>
        {
            var number = asked.Value.Version ?? (app.Previous is { } previous && app.Find(previous) is not null ? previous : app.Versions.FirstOrDefault(v => v.Number < app.Live)?.Number);
            if (number is null || app.Find(number.Value) is not { } version || version.Number == app.Live)
                return AppErrors.NoSuchVersion.With(number is null ? $"'{app.Id}' has no version before {app.Live}." : $"'{app.Id}' has no version {number} to go back to; {app.Live} is live.");
            return await publisher.BringUpAsync(version, static _ => default, context.Host.Stopping);
        });
    }

    private async Task<Outcome<App>> RestartAsync(App app)
    {
        if (app.LiveVersion is not { Port: not null } version)
            return AppErrors.NoSuchVersion.With($"No version of '{app.Id}' is live.");
        context.Index.Touch();
        var run = context.RunOf(version);
        if (version.AsleepSince is not null && await publisher.WakeAsync(version) is { } unstarted)
            return unstarted;
        if (await context.Processes.RestartAsync(run, context.Host.Stopping) is { } failed || (failed = await context.Health.UntilWellAsync(run, context.Host.Stopping)) is not null)
            return failed;
        // Whoever restarts it wants to see it: its time begins now.
        context.Door.Visits.Touch(app.Id);
        return context.Edge is not null && version.Spec.Visibility != Edge.Visibility.Local && await context.Edge.PutAsync(context.RouteOf(version), version.Spec.Health, context.Host.Stopping) is { } unseen
            ? unseen : (await context.Store.FindAsync(app.Id, context.Host.Stopping))!;
    }

    private Task RemoveAsync(HttpContext http) => context.WithAppAsync(http, async app =>
    {
        using var held = await context.HoldAsync(app.Id, HoldPatience, http.RequestAborted);
        if (held is null)
            await ProblemResponse.WriteAsync(http, AppErrors.Busy.With($"'{app.Id}' is being changed by somebody else."));
        else if (await publisher.RemoveAsync(app, http.Request.Query["without_edge"] == "true", context.Host.Stopping) is { } left)
            await ProblemResponse.WriteAsync(http, left);
        else
            http.Response.StatusCode = StatusCodes.Status204NoContent;
    });

    private Task LogsAsync(HttpContext http) => context.WithAppAsync(http, async app =>
    {
        var query = http.Request.Query;
        var last = int.TryParse(query["lines"], CultureInfo.InvariantCulture, out var lines) ? Math.Clamp(lines, 1, LinesMost) : 100;
        var number = int.TryParse(query["version"], CultureInfo.InvariantCulture, out var asked) ? asked : app.Live ?? app.Versions.Select(v => v.Number).FirstOrDefault();
        var follow = query["follow"] == "true";
        async ValueTask TellAsync(string line)
        {
            http.Response.ContentType ??= "text/plain; charset=utf-8";
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }

        if (query["edge"] == "true")
        {
            var problem = context.Edge is null ? AppErrors.NoServer.With("This machine has no edge (apps.edge).") : await context.Edge.CopyLogsAsync(app.Id, last, follow, TellAsync, http.RequestAborted);
            if (problem is not null && !http.Response.HasStarted)
                await ProblemResponse.WriteAsync(http, problem);
            return;
        }

        http.Response.ContentType = "text/plain; charset=utf-8";
        await foreach (var line in context.Processes.LinesAsync(app.Id, number, last, follow, http.RequestAborted))
            await TellAsync(line);
    });

    private Task ChangeAsync(HttpContext http, Func<App, Task<Outcome<App>>> change) => context.WithAppAsync(http, async app =>
    {
        using var held = await context.HoldAsync(app.Id, HoldPatience, http.RequestAborted);
        var changed = held is null ? AppErrors.Busy.With($"'{app.Id}' is being changed by somebody else.") : app.Removing ? AppErrors.Removing.With($"{app.Id} is being unpublished.") : await change(app);
        // Who reads the answer may ask for the next change at once.
        held?.Dispose();
        await (changed.Ok ? WriteAsync(http, changed.Value) : ProblemResponse.WriteAsync(http, changed.Problem));
    });

    private async Task WriteAsync(HttpContext http, App app, bool outside = false)
    {
        var view = await _reader.ViewAsync(app, http.RequestAborted);
        await JsonBody.WriteAsync(http, outside ? view with { Seen = await _reader.SeenAsync(app, view, http.RequestAborted) } : view, AppsJson.Default.AppView);
    }

    private static async ValueTask LineAsync(HttpContext http, PublishLine line)
    {
        if (http.RequestAborted.IsCancellationRequested)
            return;
        try
        {
            await JsonBody.WriteLineAsync(http, line, AppsJson.Default.PublishLine);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // Nobody listens any more.
        }
    }
}
