using Dure.Host.Identity;

namespace Dure.Host.Configuration;

/// <summary>How people sign in.</summary>
/// <param name="Session">How long a session lasts.</param>
/// <param name="PublicUrl">Where browsers find the server, without a slash at the end; null for where they say they found it.</param>
/// <param name="Proxies">Addresses of proxies whose X-Forwarded-For is believed.</param>
/// <param name="KeepAudit">How long lines of the audit trail are kept.</param>
public sealed record SigninOptions(TimeSpan Session, string? PublicUrl, IReadOnlyList<string> Proxies, TimeSpan KeepAudit)
{
    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<OidcProviderOptions> Providers { get; init; } = [];
}

/// <summary>An identity provider (OpenID Connect), as configured. The client's secret is never here, only the name of a secret.</summary>
/// <param name="Name">Lower-case letters, digits and dashes.</param>
/// <param name="Issuer">Exactly as the provider calls itself.</param>
/// <param name="Label">Of the button.</param>
/// <param name="Role">What newcomers become.</param>
/// <param name="Allow">Addresses, or domains as @lab.example, or * for everybody whom the provider knows; in lower case.</param>
/// <param name="Scopes">Asked for, with spaces between.</param>
public sealed record OidcProviderOptions(string Name, string Issuer, string ClientId, string? ClientSecretSecret, string Label, Role Role, IReadOnlyList<string> Allow, string Scopes)
{
    /// <summary>The environment variable of the client's secret; it wins over the secret store.</summary>
    public string SecretVariable => $"DURE_OIDC_{Name.Replace('-', '_').ToUpperInvariant()}_CLIENT_SECRET";

    /// <summary>Whether somebody new is let in.</summary>
    /// <param name="email">That the provider vouches for, in lower case; null for none.</param>
    public bool Allows(string? email) => Allow.Any(one => one == "*" || (email is not null && (one[0] == '@' ? email.EndsWith(one, StringComparison.Ordinal) : email == one)));
}
