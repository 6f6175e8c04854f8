using System.Text;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>Looking at invocations, ending them and running them again.</summary>
internal sealed class InvocationEndpoints(FunctionsContext context)
{
    /// <summary>From TERM to KILL when an invocation is ended on request.</summary>
    internal static readonly TimeSpan CancelGrace = TimeSpan.FromSeconds(5);

    /// <summary>GET /api/invocations/{id}.</summary>
    public async Task ShowAsync(HttpContext http)
    {
        if (await FindAsync(http) is { } view)
            await JsonAsync(http, view, ApiJson.Default.InvocationView);
    }

    /// <summary>GET /api/invocations/{id}/result and …/payload.</summary>
    public async Task PayloadAsync(HttpContext http, bool result)
    {
        var found = ReadId(http);
        if (found is not { } id || (await context.Reader.PayloadAsync(id, result, http.RequestAborted) ?? Unrecorded(id, result)) is not { } stored)
        {
            await NotFoundAsync(http);
            return;
        }
        if (result && context.Catalog.Version(stored.Version) is { } version)
            ResultResponse.WriteHeaders(http, id, version);
        if (stored.Length is not { } length)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoResult.With($"The invocation is {stored.State.Word()}."));
            return;
        }
        await ResultResponse.WriteBytesAsync(http, context, new Payload(stored.Inline ?? [], stored.Blob, length));
    }

    // A relaxed call between its answer and its row.
    private StoredPayload? Unrecorded(long id, bool result)
    {
        if (context.Dispatcher.Active(id) is not { Recorded: false } active)
            return null;
        return (result ? active.Ended?.Result : active.Payload) is { } payload
            ? new StoredPayload(active.State, payload.Blob is null ? payload.Inline.ToArray() : null, payload.Blob, payload.Length, active.Version.Id)
            : new StoredPayload(active.State, null, null, null, active.Version.Id);
    }

    /// <summary>POST /api/invocations/{id}/cancel.</summary>
    public async Task CancelAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } before || ReadId(http) is not { } id)
            return;
        if (before.State is not ("PENDING" or "PROCESSING") || !await context.Dispatcher.CancelAsync(id, $"cancelled by {http.Caller().Name}", CancelGrace))
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.AlreadyEnded.With($"It is {before.State}."));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status202Accepted;
        await JsonAsync(http, await context.FindAsync(id, http.RequestAborted) ?? before, ApiJson.Default.InvocationView);
    }

    /// <summary>POST /api/invocations/{id}/rerun: the same version with the same event.</summary>
    public async Task RerunAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } before || ReadId(http) is not { } id)
            return;
        var version = context.Catalog.Find(before.Function)?.Find(before.Version);
        var payload = await context.Reader.PayloadAsync(id, result: false, http.RequestAborted);
        if (version is null || payload?.Length is not { } length)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchVersion.With("The version or the event is no longer kept."));
            return;
        }
        if (context.RefuseWork() is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var again = new ActiveInvocation(context.Ids.Next(), version, http.Caller().Name, context.Time.GetUtcNow(), new Payload(payload.Inline, payload.Blob, length))
        {
            Source = InvocationSource.Rerun,
            RerunOf = id,
            Durability = version.Spec.Durability,
        };
        await context.Dispatcher.SubmitAsync(again, inline: false);
        http.Response.StatusCode = StatusCodes.Status202Accepted;
        http.Response.Headers.Location = "/api/invocations/" + InvocationId.Format(again.Id);
        await JsonAsync(http, (await context.Reader.FindAsync(again.Id, http.RequestAborted))!, ApiJson.Default.InvocationView);
    }

    /// <summary>POST /api/functions/{name}/invocations/batch: one JSON event a line.</summary>
    public async Task BatchAsync(HttpContext http, InvokeEndpoint invoke)
    {
        var version = invoke.Choose((string)http.Request.RouteValues["name"]!, http.Request.Query["version"]);
        if (!version.Ok || context.RefuseWork() is not null)
        {
            await ProblemResponse.WriteAsync(http, version.Problem ?? context.RefuseWork()!);
            return;
        }
        var events = await BatchRequest.ReadAsync(http, context);
        if (!events.Ok)
        {
            await ProblemResponse.WriteAsync(http, events.Problem);
            return;
        }
        var owner = http.Caller().Name;
        var ids = new List<string>();
        var commits = new List<Task>();
        foreach (var payload in events.Value)
        {
            var invocation = new ActiveInvocation(context.Ids.Next(), version.Value, owner, context.Time.GetUtcNow(), payload)
            {
                Durability = version.Value.Spec.Durability,
            };
            ids.Add(InvocationId.Format(invocation.Id));
            commits.Add(context.Dispatcher.SubmitAsync(invocation, inline: false).AsTask());
        }
        await Task.WhenAll(commits);
        http.Response.StatusCode = StatusCodes.Status202Accepted;
        await JsonAsync(http, new BatchView(ids), ApiJson.Default.BatchView);
    }

    /// <summary>The invocation that the address names; null after a 404 was written.</summary>
    public async ValueTask<InvocationView?> FindAsync(HttpContext http)
    {
        if (ReadId(http) is { } id && await context.FindAsync(id, http.RequestAborted) is { } view)
            return view;
        await NotFoundAsync(http);
        return null;
    }

    internal static long? ReadId(HttpContext http) => InvocationId.TryParse((string)http.Request.RouteValues["id"]!, out var id) ? id : null;

    internal static Task JsonAsync<T>(HttpContext http, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        http.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(http.Response.Body, value, type, http.RequestAborted);
    }

    private static Task NotFoundAsync(HttpContext http) =>
        ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchInvocation.With($"There is no invocation '{http.Request.RouteValues["id"]}'."));
}
