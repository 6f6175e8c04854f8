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

/// <summary>Words of scopes, as the API and the command line write them.</summary>
public static class ScopeWords
{
    /// <summary>Every scope by its word.</summary>
    public static readonly IReadOnlyDictionary<string, Scopes> All = new Dictionary<string, Scopes>(StringComparer.Ordinal)
    {
        ["read"] = Scopes.Read,
        ["invoke"] = Scopes.Invoke,
        ["deploy"] = Scopes.Deploy,
        ["admin"] = Scopes.Admin,
    };

    /// <summary>The words of those that are set.</summary>
    public static IReadOnlyList<string> Of(Scopes scopes) => [.. All.Where(word => scopes.HasFlag(word.Value)).Select(word => word.Key)];
}

/// <summary>Who sent a request.</summary>
/// <param name="Name">The owner that new things get.</param>
public sealed record Caller(string Name, Scopes Scopes)
{
    /// <summary>The account; null for a token that belongs to nobody in particular.</summary>
    public string? Person { get; init; }

    /// <summary>Id of the session; null for a token.</summary>
    public string? Session { get; init; }

    /// <summary>What the audit trail says of how the caller came in: <c>token:ID</c> or <c>session:ID</c>.</summary>
    public string How { get; init; } = "token";

    /// <summary>Whether the caller may do what the scope names.</summary>
    public bool May(Scopes scope) => (Scopes & (scope | Scopes.Admin)) != 0;
}

/// <summary>The caller of the present request.</summary>
public static class CallerFeature
{
    /// <summary>Who it is; only asked behind the endpoints' scope check.</summary>
    public static Caller Caller(this HttpContext http) => http.Features.Get<Caller>() ?? throw new InvalidOperationException("The endpoint has no scope check.");
}
