using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Host;
using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>Functions and their versions.</summary>
internal sealed class FunctionEndpoints(FunctionsContext context, DeployBuild build, VersionRebuild rebuild, FunctionActivity activity, Database database)
{
    private const int FiringsAhead = 5;
    private const int HistoryLimit = 200;

    /// <summary>GET /api/functions.</summary>
    public async Task ListAsync(HttpContext http)
    {
        var text = http.Request.Query["text"].ToString();
        var seen = await SeenAsync(http.RequestAborted);
        var items = context.Catalog.All.Where(f => f.Name.Contains(text, StringComparison.OrdinalIgnoreCase)).Select(f => View(f, seen)).ToList();
        await InvocationEndpoints.JsonAsync(http, new Page<FunctionView>(items, null), ApiJson.Default.PageFunctionView);
    }

    /// <summary>GET /api/functions/{name}.</summary>
    public async Task ShowAsync(HttpContext http)
    {
        if (await FindAsync(http) is { } function)
            await WriteAsync(http, function);
    }

    /// <summary>GET /api/functions/{name}/schedule: when it runs by itself, looked ahead.</summary>
    public async Task AheadAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } function)
            return;
        if ((await SchedulesAsync(http.RequestAborted)).GetValueOrDefault(function.Id) is not { } schedule || CronSchedule.Parse(schedule.Cron) is not { Ok: true, Value: var cron }
            || !TimeZoneInfo.TryFindSystemTimeZoneById(schedule.TimeZone, out var zone))
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSchedule.With($"'{function.Name}' does not run by itself."));
            return;
        }
        var firings = new List<DateTimeOffset>();
        for (var next = cron.NextAfter(context.Time.GetUtcNow(), zone); next is { } at && firings.Count < FiringsAhead; next = cron.NextAfter(at, zone))
            firings.Add(at.ToUniversalTime());
        await InvocationEndpoints.JsonAsync(http, new AheadView(schedule.Cron, schedule.TimeZone, schedule.Missed, schedule.LastMissedAt, firings), ApiJson.Default.AheadView);
    }

    /// <summary>GET /api/functions/{name}/history: who sent callers where, and when.</summary>
    public async Task HistoryAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } function)
            return;
        var releases = await context.Functions.ReleasesAsync(function.Id, HistoryLimit, http.RequestAborted);
        await InvocationEndpoints.JsonAsync(http, new Page<ReleaseView>([.. releases.Select(ReleaseView.Of)], null), ApiJson.Default.PageReleaseView);
    }

    /// <summary>GET /api/functions/{name}/versions.</summary>
    public async Task VersionsAsync(HttpContext http)
    {
        if (await FindAsync(http) is { } function)
            await InvocationEndpoints.JsonAsync(http, new Page<VersionView>([.. function.Versions.Select(v => View(function, v))], null), ApiJson.Default.PageVersionView);
    }

    /// <summary>POST /api/functions/{name}/versions: builds and deploys; answers line by line.</summary>
    public async Task DeployAsync(HttpContext http)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        if (context.RefuseWork() is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var canary = 0;
        var percent = http.Request.Query["canary"].ToString();
        if (percent.Length > 0 && (!int.TryParse(percent, out canary) || canary is < 1 or > 99))
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The query has a fault.", [new Fault("canary", $"'{percent}' is not a share from 1 to 99 percent.")]));
            return;
        }
        if (http.Request.ContentLength > context.Limits.UploadBytes)
        {
            await ProblemResponse.WriteAsync(http, UploadTooLarge());
            return;
        }
        // Also before the upload and the build: those who are late need not wait for both to hear it.
        var condition = await ConditionAsync(http, context.Catalog.Find(name));
        if (!condition.Ok)
        {
            await ProblemResponse.WriteAsync(http, condition.Problem);
            return;
        }
        var package = await context.Blobs.PutAsync(http.Request.Body, context.Limits.UploadBytes, http.RequestAborted);
        if (!package.Ok)
        {
            await ProblemResponse.WriteAsync(http, package.Problem.Kind.Status == StatusCodes.Status413PayloadTooLarge ? UploadTooLarge() : package.Problem);
            return;
        }
        http.Response.ContentType = JsonBody.Lines;
        ValueTask SayAsync(DeployLine line) => JsonBody.WriteLineAsync(http, line, ApiJson.Default.DeployLine);
        await using var source = (await context.Blobs.OpenAsync(package.Value.Digest, http.RequestAborted))!;
        var built = await build.RunAsync(name, source, package.Value.Digest, e => SayAsync(new DeployLine(e.Progress, e.Log)), http.RequestAborted);
        if (!built.Ok)
        {
            await SayAsync(new DeployLine(Problem: ProblemView.Of(built.Problem)));
            return;
        }
        var function = await ChangeAsync(() => context.Functions.DeployAsync(name, http.Caller().Name, built.Value, package.Value.Length, canary, condition.Value.Expected));
        await SayAsync(function is null ? new DeployLine(Problem: ProblemView.Of(await MeanwhileAsync(context.Catalog.Find(name))))
            : new DeployLine(Version: View(function, function.Find(built.Value.Digest)!)));
    }

    /// <summary>PUT /api/functions/{name}/live.</summary>
    public async Task SetLiveAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } function)
            return;
        var body = await ReadAsync(http, ApiJson.Default.SetLive);
        if (body is null)
            return;
        var version = function.Find(body.Version);
        var canary = body.Canary is null ? null : function.Find(body.Canary.Version);
        if (version is null || (body.Canary is not null && canary is null))
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchVersion.With($"'{function.Name}' has no version '{(version is null ? body.Version : body.Canary!.Version)}'."));
            return;
        }
        if (body.Canary is { Percent: < 1 or > 99 })
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The body has a fault.", [new Fault("canary.percent", "A share from 1 to 99 percent.")]));
            return;
        }
        await PointAsync(http, function, version, canary, body.Canary?.Percent ?? 0, "live");
    }

    /// <summary>POST /api/functions/{name}/rollback.</summary>
    public async Task RollbackAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } function)
            return;
        string? to = null;
        if (http.HasBody())
        {
            if (await ReadAsync(http, ApiJson.Default.Rollback) is not { } body)
                return;
            to = body.To;
        }
        var version = to is null ? function.Previous : function.Find(to);
        if (version is null)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchVersion.With(to is null ? $"No version of '{function.Name}' was live before." : $"'{function.Name}' has no version '{to}'."));
            return;
        }
        await PointAsync(http, function, version, null, 0, "rollback");
    }

    /// <summary>DELETE /api/functions/{name}.</summary>
    public async Task DeleteAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } function)
            return;
        await context.ChangeAsync(() => context.Functions.DeleteAsync(function.Id), _ => context.Catalog.Remove(function.Name));
        var reason = $"the function was deleted by {http.Caller().Name}";
        await Task.WhenAll(context.Dispatcher.OpenOf(function.Id).Select(id => context.Dispatcher.CancelAsync(id, reason, InvocationEndpoints.CancelGrace).AsTask()));
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>GET /api/functions/{name}/diff.</summary>
    public async Task DiffAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } function)
            return;
        var from = Named(function, http.Request.Query["from"], function.Previous);
        var to = Named(function, http.Request.Query["to"], function.Live);
        if (from is null || to is null)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchVersion.With("Name two versions with from= and to=; without them the version before and the live one are compared."));
            return;
        }
        // A restored backup holds the sources, not what was made of them.
        if (await rebuild.EnsureAsync(from, http.RequestAborted) is { } missing || (missing = await rebuild.EnsureAsync(to, http.RequestAborted)) is not null)
        {
            await ProblemResponse.WriteAsync(http, missing);
            return;
        }
        var files = SourceDiff.Compare(from.Built.CodeDirectory, to.Built.CodeDirectory, http.RequestAborted);
        await InvocationEndpoints.JsonAsync(http, new DiffView(from.Digest, to.Digest, [.. files.Select(f => new FileDiffView(f.Path, f.Change, f.Diff))]), ApiJson.Default.DiffView);
    }

    /// <summary>The function that the address names; null after a 404 was written.</summary>
    public async ValueTask<Function?> FindAsync(HttpContext http)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        if (context.Catalog.Find(name) is { } function)
            return function;
        await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchFunction.With($"There is no function '{name}'."));
        return null;
    }

    private static FunctionVersion? Named(Function function, string? text, FunctionVersion? otherwise) => string.IsNullOrEmpty(text) ? otherwise : function.Find(text);

    private static async ValueTask<T?> ReadAsync<T>(HttpContext http, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(http.Request.Body, type, http.RequestAborted) is { } body)
                return body;
        }
        catch (JsonException error)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The body is not the JSON that is expected here.", [new Fault(error.Path ?? "body", error.Message)]));
            return null;
        }
        await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The body is empty."));
        return null;
    }

    private async Task PointAsync(HttpContext http, Function function, FunctionVersion version, FunctionVersion? canary, int percent, string action)
    {
        var condition = await ConditionAsync(http, function);
        if (!condition.Ok)
        {
            await ProblemResponse.WriteAsync(http, condition.Problem);
            return;
        }
        var by = new ReleaseBy(http.Caller().Name, action);
        if (await ChangeAsync(() => context.Functions.SetLiveAsync(version, canary?.Id, percent, by, condition.Value.Expected)) is { } changed)
            await WriteAsync(http, changed);
        else
            await ProblemResponse.WriteAsync(http, await MeanwhileAsync(context.Catalog.Find(function.Name)));
    }

    private async Task WriteAsync(HttpContext http, Function function)
    {
        http.Response.Headers.ETag = '"' + ExpectedRelease.TagOf(function) + '"';
        await InvocationEndpoints.JsonAsync(http, View(function, await SeenAsync(http.RequestAborted)), ApiJson.Default.FunctionView);
    }

    private ValueTask<Function?> ChangeAsync(Func<ValueTask<Function?>> inDatabase) => context.ChangeAsync(inDatabase, changed =>
    {
        if (changed is not null)
            context.Catalog.Put(changed);
    });

    private ValueTask<Outcome<Condition>> ConditionAsync(HttpContext http, Function? function) => ReleaseConditions.ReadAsync(http, function, () => LastAsync(function));

    private async ValueTask<Problem> MeanwhileAsync(Function? function) => ReleaseConditions.Problem(function, await LastAsync(function));

    private async ValueTask<FunctionRelease?> LastAsync(Function? function) =>
        function is null ? null : (await context.Functions.ReleasesAsync(function.Id, 1, CancellationToken.None)).FirstOrDefault();

    private Problem UploadTooLarge() => FunctionErrors.UploadTooLarge.With($"The limit is {context.Limits.UploadBytes} bytes (functions.upload_limit).");

    private ValueTask<Dictionary<long, ScheduleView>> SchedulesAsync(CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var rows = await s.QueryAsync("SELECT function_id, cron, time_zone, next_at, missed, last_missed_at FROM schedules", static r => (Id: r.GetInt64(0), View: new ScheduleView(r.GetString(1), r.GetString(2),
            r.GetInt64(3) == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(3)), r.GetInt64(4), r.IsDBNull(5) ? null : DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(5)))));
        return rows.ToDictionary(r => r.Id, r => r.View);
    }, cancel);

    private async ValueTask<Seen> SeenAsync(CancellationToken cancel) => new(await SchedulesAsync(cancel), await context.Reader.LastRunsAsync(cancel));

    private FunctionView View(Function f, Seen seen)
    {
        var counts = f.Versions.Select(v => context.Dispatcher.CountsOf(v.Id)).ToList();
        return new FunctionView(f.Name, f.Owner, f.CreatedAt, f.UpdatedAt, f.Live?.Digest, f.Live?.Number, f.Canary is null ? null : new CanaryView(f.Canary.Digest, f.CanaryPercent),
            f.Live?.Spec.Runtime, f.Versions.Count, seen.Schedules.GetValueOrDefault(f.Id), counts.Sum(c => c.Running), counts.Sum(c => c.Waiting + c.Held),
            ExpectedRelease.TagOf(f), seen.LastRuns.GetValueOrDefault(f.Id), ActivityView.Of(activity.Of(f.Id)));
    }

    private static VersionView View(Function f, FunctionVersion v)
    {
        List<string> aliases = [];
        if (v.Id == f.Live?.Id)
            aliases.Add("live");
        if (v.Id == f.Canary?.Id)
            aliases.Add("canary");
        return new VersionView(f.Name, v.Digest, v.Number, v.CreatedAt, v.Owner, v.SizeBytes, v.Spec.Runtime, v.Spec.Handler, v.Spec, aliases);
    }

    // What is stored beside functions, by their ids.
    private sealed record Seen(Dictionary<long, ScheduleView> Schedules, Dictionary<long, LastRunView> LastRuns);
}
