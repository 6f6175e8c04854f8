using Dure.Host.Identity;

namespace Dure.Host.Web;

/// <summary>Maps endpoints that only callers with a scope reach.</summary>
/// <param name="authenticate">Who sent the request; null when nobody known.</param>
public sealed class Gate(IEndpointRouteBuilder routes, Func<HttpContext, Caller?> authenticate)
{
    /// <summary>Maps one endpoint.</summary>
    public IEndpointConventionBuilder Map(string method, string pattern, Scopes scope, RequestDelegate handle) =>
        routes.MapMethods(pattern, [method], http =>
        {
            if (authenticate(http) is not { } caller)
            {
                http.Response.Headers.WWWAuthenticate = "Bearer";
                return ProblemResponse.WriteAsync(http, HostErrors.NotSignedIn.With("Send the header 'Authorization: Bearer TOKEN'."));
            }
            if (!caller.May(scope))
                return ProblemResponse.WriteAsync(http, HostErrors.NotAllowed.With($"The token lacks the scope '{scope.ToString().ToLowerInvariant()}'."));
            http.Features.Set(caller);
            return handle(http);
        });

    /// <summary>Whether the caller of a request that is still being answered may still have what it asked for.</summary>
    public bool StillMay(HttpContext http, Scopes scope) => authenticate(http)?.May(scope) == true;
}
