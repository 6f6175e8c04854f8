namespace Dure.Edge;

/// <summary>What every door tells browsers about every app, whatever the app says itself.</summary>
internal static class SecurityHeaders
{
    public static readonly IReadOnlyList<(string Name, string Value)> All =
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ];
}
