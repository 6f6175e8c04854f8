namespace Dure.Host.Identity;

/// <summary>What a token allows.</summary>
[Flags]
public enum Scopes
{
    None = 0,

    /// <summary>Look at functions, invocations, logs and results.</summary>
    Read = 1,

    /// <summary>Invoke, cancel and rerun.</summary>
    Invoke = 2,

    /// <summary>Deploy, roll back and delete functions; set secrets.</summary>
    Deploy = 4,

    /// <summary>Everything, tokens and stopping the server included.</summary>
    Admin = 8,
}

/// <summary>Who sent a request.</summary>
/// <param name="Name">The owner that new things get.</param>
public sealed record Caller(string Name, Scopes Scopes)
{
    /// <summary>Whether the caller may do what the scope names.</summary>
    public bool May(Scopes scope) => (Scopes & (scope | Scopes.Admin)) != 0;
}

/// <summary>The caller of the present request.</summary>
public static class CallerFeature
{
    /// <summary>Who it is; only asked behind the endpoints' scope check.</summary>
    public static Caller Caller(this HttpContext http) => http.Features.Get<Caller>() ?? throw new InvalidOperationException("The endpoint has no scope check.");
}
