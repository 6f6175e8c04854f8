using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Host.Configuration;

/// <summary>
/// What can be configured of each identity provider, below <c>signin.oidc.NAME</c>: the one source for parsing, checking, <c>dure config</c>,
/// dure.example.yaml and the reference page.
/// </summary>
public static class OidcSettings
{
    /// <summary>Stands before a provider's name in a key.</summary>
    public const string Prefix = "signin.oidc.";

    /// <summary>Before the name in an environment variable.</summary>
    public const string VariablePrefix = "DURE_SIGNIN_OIDC_";

    /// <summary>The keys, without their prefix.</summary>
    internal static readonly IReadOnlyList<Setting> Fields =
    [
        Text("issuer", "", "Address of the provider, exactly as it calls itself, such as https://login.lab.example; https, or http on this machine."),
        Text("client_id", "", "Name under which this server is registered there; the address to register is PUBLIC_URL/api/session/oidc/NAME/callback."),
        Text("client_secret_secret", "", "Name of the secret that holds the client's secret; set it with `dure secrets set`, or give DURE_OIDC_<NAME>_CLIENT_SECRET; a public client has none."),
        Text("label", "", "What the button on the sign-in page says; empty takes the name."),
        Choice("role", "viewer", "What somebody becomes who signs in for the first time.", "viewer", "member"),
        Text("allow", "", "Who may come in for the first time, with commas: addresses, domains as @lab.example, or * for everybody whom the provider knows; empty for those only whom an owner added with their e-mail."),
        Text("scopes", "openid profile email", "What is asked of the provider."),
    ];

    /// <summary>A provider, commented out, for dure.example.yaml.</summary>
    internal static readonly IReadOnlyList<string> Example =
    [
        "lab:",
        "  issuer: https://login.lab.example",
        "  client_id: dure",
        "  client_secret_secret: LAB_CLIENT_SECRET",
        "  label: Lab account",
        "  role: member",
        "  allow: \"@lab.example\"",
    ];

    /// <summary>The setting of one provider.</summary>
    internal static Setting Of(string name, Setting field) => field with { Key = $"{Prefix}{name}.{field.Key}" };
}
