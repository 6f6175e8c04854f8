using Dure.Host.Identity;

namespace Dure.Host.Web;

/// <summary>The only door: maps endpoints that only callers with a scope reach, and writes the audit trail of what they change.</summary>
/// <param name="authenticate">Who sent the request, told by its token; null when it has none that is valid.</param>
public sealed class Gate(IEndpointRouteBuilder routes, Func<HttpContext, Caller?> authenticate)
{
    /// <summary>Who sent a request without a token, told by its session's cookie; the problem when it is not to be trusted, null when nobody.</summary>
    internal Func<HttpContext, ValueTask<Outcome<Caller?>>>? Sessions { get; init; }

    /// <summary>Writes down who changed what.</summary>
    internal Func<HttpContext, Caller, ValueTask>? Audit { get; init; }

    /// <summary>Maps one endpoint.</summary>
    /// <param name="audited">Whether a change is written to the audit trail; false where the change is recorded by itself, as calls are.</param>
    public IEndpointConventionBuilder Map(string method, string pattern, Scopes scope, RequestDelegate handle, bool audited = true)
    {
        var guarded = audited && Audit is not null && method is not ("GET" or "HEAD") ? Audited(handle) : handle;
        return routes.MapMethods(pattern, [method], http =>
        {
            if (authenticate(http) is { } caller)
                return PassAsync(http, caller, scope, guarded);
            return Sessions is null ? RefuseAsync(http) : WithSessionAsync(http, scope, guarded);
        });
    }

    /// <summary>Maps an endpoint that anybody reaches, and that sees to itself who may what.</summary>
    public IEndpointConventionBuilder MapOpen(string method, string pattern, RequestDelegate handle) => routes.MapMethods(pattern, [method], handle);

    /// <summary>What a request without a valid token or session is told.</summary>
    public static Task RefuseAsync(HttpContext http)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer";
        return ProblemResponse.WriteAsync(http, HostErrors.NotSignedIn.With("Send the header 'Authorization: Bearer TOKEN', or sign in at /signin."));
    }

    /// <summary>Whether the caller of a request that is still being answered may still have what it asked for.</summary>
    public async ValueTask<bool> StillMayAsync(HttpContext http, Scopes scope) =>
        (authenticate(http) ?? (Sessions is not null && await Sessions(http) is { Ok: true, Value: { } caller } ? caller : null))?.May(scope) == true;

    private async Task WithSessionAsync(HttpContext http, Scopes scope, RequestDelegate handle)
    {
        var found = await Sessions!(http);
        await (!found.Ok ? ProblemResponse.WriteAsync(http, found.Problem) : found.Value is { } caller ? PassAsync(http, caller, scope, handle) : RefuseAsync(http));
    }

    private static Task PassAsync(HttpContext http, Caller caller, Scopes scope, RequestDelegate handle)
    {
        http.Features.Set(caller);
        return caller.May(scope) ? handle(http) : DenyAsync(http, caller, scope);
    }

    private static Task DenyAsync(HttpContext http, Caller caller, Scopes scope) => ProblemResponse.WriteAsync(http, HostErrors.NotAllowed.With(caller.Session is null
        ? $"The token lacks the scope '{scope.ToString().ToLowerInvariant()}'."
        : $"{caller.Name} may not do this: it takes the scope '{scope.ToString().ToLowerInvariant()}', which an owner can give with another role."));

    private RequestDelegate Audited(RequestDelegate handle) => async http =>
    {
        try
        {
            await handle(http);
        }
        catch (Exception) when (!http.Response.HasStarted)
        {
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            throw;
        }
        finally
        {
            await Audit!(http, http.Caller());
        }
    };
}
