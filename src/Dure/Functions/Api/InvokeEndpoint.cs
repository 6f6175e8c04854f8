using System.Text;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>POST /api/functions/{name}/invocations: the hot path.</summary>
internal sealed class InvokeEndpoint(FunctionsContext context)
{
    private const int KeyMost = 255;

    /// <summary>Handles the request.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var caller = http.Caller();
        var name = (string)http.Request.RouteValues["name"]!;
        var version = Choose(name, http.Request.Query["version"]);
        if (!version.Ok)
        {
            await ProblemResponse.WriteAsync(http, version.Problem);
            return;
        }
        if (context.RefuseWork() is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var payload = await InvokeRequest.ReadPayloadAsync(http.Request, context, http.RequestAborted);
        if (!payload.Ok)
        {
            await ProblemResponse.WriteAsync(http, payload.Problem);
            return;
        }
        var preference = Preference.Read(http.Request);
        var invocation = Create(http, caller, version.Value, payload.Value, preference);
        if (invocation.IdempotencyKey is { } key && (key.Length is 0 or > KeyMost || key.StartsWith(Schedules.Scheduler.KeyPrefix, StringComparison.Ordinal)))
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The idempotency key cannot be used.",
                [new Fault("Idempotency-Key", $"1 to {KeyMost} characters that do not begin with '{Schedules.Scheduler.KeyPrefix}', which names the firings of schedules.")]));
            return;
        }
        if (invocation.CallbackUrl is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var target) && target.Scheme is "http" or "https"))
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.BadCallback.With($"'{url}' is not an absolute http or https address."));
            return;
        }
        await RunAsync(http, invocation, preference);
    }

    /// <summary>Finds the version that a call goes to.</summary>
    public Outcome<FunctionVersion> Choose(string name, string? asked)
    {
        if (context.Catalog.Find(name) is not { } function)
            return FunctionErrors.NoSuchFunction.With($"There is no function '{name}'.");
        if (!string.IsNullOrEmpty(asked))
            return function.Find(asked) is { } found ? found : FunctionErrors.NoSuchVersion.With($"'{name}' has no version '{asked}'.");
        return function.Choose(function.Canary is null ? 0 : Random.Shared.Next(100)) is { } version
            ? version : FunctionErrors.NotLive.With($"'{name}' has no live version.");
    }

    private ActiveInvocation Create(HttpContext http, Caller caller, FunctionVersion version, Payload payload, Preference preference)
    {
        string? key = http.Request.Headers["Idempotency-Key"];
        string? callback = http.Request.Headers["Dure-Callback-Url"];
        var durability = version.Spec.Durability;
        return new ActiveInvocation(context.Ids.Next(), version, caller.Name, context.Time.GetUtcNow(), payload)
        {
            Durability = durability,
            WantsStream = preference.Stream,
            IdempotencyKey = key,
            RequestHash = key is null ? null : InvokeRequest.Hash(version.FunctionName, payload),
            CallbackUrl = callback,
            // Only a synchronous call that promises nothing else may be written down behind its answer: one that may be answered 202 may not.
            Recorded = durability == Durability.Durable || key is not null || callback is not null || preference.LongestWait is not null,
        };
    }

    private async Task RunAsync(HttpContext http, ActiveInvocation invocation, Preference preference)
    {
        if (preference.Async)
            invocation.Recorded = true;
        var inserted = await context.Dispatcher.StoreAsync(invocation, inline: true);
        var (id, version, state, completion) = (invocation.Id, invocation.Version, invocation.State, invocation.Completion);
        if (inserted.ExistingId == 0)
        {
            // The function first: where another processor is free, it runs while this one answers.
            context.Dispatcher.Begin(invocation);
        }
        else
        {
            if (!inserted.SameRequest)
            {
                await ProblemResponse.WriteAsync(http, FunctionErrors.KeyReused.With($"Invocation {InvocationId.Format(inserted.ExistingId)} was asked for with this key and another payload."));
                return;
            }
            id = inserted.ExistingId;
            state = StateOf(id);
            completion = FindCompletion(id);
            // The first request's version ran it, which need not be the live one any more.
            version = context.Dispatcher.Active(id)?.Version ?? await context.Reader.VersionAsync(id, http.RequestAborted) ?? version;
        }
        if (preference.Async)
            await AcceptedAsync(http, id, version, state);
        else if (preference.Stream)
            await new StreamResponse(context).WriteAsync(http, id, version, completion);
        else
            await WaitAsync(http, id, version, completion, preference.LongestWait);
    }

    // The same key again: join the invocation that runs, or answer with what was stored.
    private Task<Finished> FindCompletion(long id) => context.Dispatcher.Active(id)?.Completion ?? StoredAsync(id);

    private async Task<Finished> StoredAsync(long id)
    {
        while (true)
        {
            if (await context.Reader.FinishedAsync(id, CancellationToken.None) is { } finished)
                return finished;
            if (context.Dispatcher.Active(id) is { } active)
                return await active.Completion;
            await Task.Delay(TimeSpan.FromMilliseconds(20), context.Time);
        }
    }

    private async Task WaitAsync(HttpContext http, long id, FunctionVersion version, Task<Finished> completion, TimeSpan? longest)
    {
        Finished finished;
        try
        {
            finished = longest is { } limit ? await completion.WaitAsync(limit, context.Time, http.RequestAborted) : await completion.WaitAsync(http.RequestAborted);
        }
        catch (TimeoutException)
        {
            await AcceptedAsync(http, id, version, StateOf(id));
            return;
        }
        catch (OperationCanceledException)
        {
            // The caller went away; the invocation goes on and its result is kept.
            return;
        }
        await ResultResponse.WriteAsync(http, context, id, version, finished);
    }

    private InvocationState StateOf(long id) => context.Dispatcher.Active(id)?.State ?? InvocationState.Pending;

    private static async Task AcceptedAsync(HttpContext http, long id, FunctionVersion version, InvocationState state)
    {
        http.Response.StatusCode = StatusCodes.Status202Accepted;
        var text = InvocationId.Format(id);
        http.Response.Headers.Location = "/api/invocations/" + text;
        ResultResponse.WriteHeaders(http, id, version);
        http.Response.ContentType = "application/json";
        // An Accepted, written by hand; with its length known the answer leaves in one piece.
        var bytes = Encoding.UTF8.GetBytes($"{{\"id\":\"{text}\",\"state\":\"{state.Word()}\"}}");
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
    }
}

/// <summary>Body of a 202.</summary>
public sealed record Accepted(string Id, string State);
