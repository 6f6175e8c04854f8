using Dure.Host.Web.OpenApi;

namespace Dure.Host.Identity;

/// <summary>The part of the API's document that tells of people and their sessions.</summary>
internal static class SigninOperations
{
    private const string Limit = "Items, 1 to 1000.";
    private const string Cursor = "As `next` of the page before.";

    /// <summary>One for each endpoint.</summary>
    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("GET", "/api/session", "Who is signed in; 401 with the ways to sign in when nobody is. Needs no token.", 200, SigninJson.Default.SessionView),
        new("POST", "/api/session", "Sign in with a name and a password: sets the cookie. Needs no token.", 200, SigninJson.Default.SessionView, SigninJson.Default.SignInRequest),
        new("POST", "/api/session/link", "Sign in with the code of a one-time link: sets the cookie. Needs no token.", 200, SigninJson.Default.SessionView, SigninJson.Default.LinkRequest),
        new("DELETE", "/api/session", "Sign out. Needs no token.", 204),
        new("GET", "/api/session/oidc/{name}/start", "Go to an identity provider to sign in; for browsers. Needs no token.", 302)
        {
            Parameters = Of(("to", "Where to go afterwards, a place of this site.")),
        },
        new("GET", "/api/session/oidc/{name}/callback", "Where an identity provider sends the browser back to. Needs no token.", 302)
        {
            Parameters = Of(("code", "Of the provider."), ("state", "As it was sent."), ("iss", "Who the provider is."), ("error", "Why there is no code.")),
        },
        new("GET", "/api/sessions", "Open sessions: one's own, or for owners everybody's.", 200, SigninJson.Default.PageViewOpenSessionView) { Parameters = Of(("mine", "Only one's own.")) },
        new("DELETE", "/api/sessions", "Sign out everywhere.", 200, SigninJson.Default.EndedView) { Parameters = Of(("others", "Everywhere but here.")) },
        new("DELETE", "/api/sessions/{id}", "End a session.", 204),
        new("GET", "/api/people", "Accounts.", 200, SigninJson.Default.PageViewPersonView) { Parameters = Of(("limit", Limit), ("cursor", Cursor)) },
        new("POST", "/api/people", "Make an account.", 201, SigninJson.Default.PersonView, SigninJson.Default.AddPersonRequest),
        new("PATCH", "/api/people/{name}", "Change an account.", 200, SigninJson.Default.PersonView, SigninJson.Default.ChangePersonRequest),
        new("DELETE", "/api/people/{name}", "Remove an account, its sessions and its tokens; what it made stays.", 204),
        new("PUT", "/api/people/{name}/password", "Set a password: one's own, or for owners anybody's.", 204, null, SigninJson.Default.PasswordRequest),
        new("DELETE", "/api/people/{name}/sessions", "End all sessions of a person.", 200, SigninJson.Default.EndedView),
        new("POST", "/api/people/{name}/link", "Make a link that signs a person in once, within ten minutes; `-` is the owner.", 201, SigninJson.Default.LinkView),
        new("GET", "/api/audit", "Who changed what, the newest first.", 200, SigninJson.Default.PageViewAuditView)
        {
            Parameters = Of(("limit", Limit), ("cursor", Cursor), ("who", "Only this caller's."), ("text", "Stands in the action or the subject."), ("from", "Not before this moment."), ("to", "Before this moment.")),
        },
    ];

    private static Dictionary<string, string> Of(params (string Name, string Meaning)[] parameters) => parameters.ToDictionary(p => p.Name, p => p.Meaning, StringComparer.Ordinal);
}
