using System.Text.Json.Serialization;
using Dure.Host.Commands;

namespace Dure.Host.Identity;

/// <summary>What GET /api/session tells of who is signed in.</summary>
/// <param name="Csrf">To be sent with every change, as the header Dure-Csrf.</param>
/// <param name="Methods">How one can sign in here.</param>
public sealed record SessionView(PersonView User, IReadOnlyList<string> Scopes, string Csrf, string Id, string How, DateTimeOffset ExpiresAt, MethodsView Methods);

/// <summary>Ways to sign in.</summary>
/// <param name="Password">Whether anybody has one.</param>
public sealed record MethodsView(bool Password, IReadOnlyList<OidcMethodView> Oidc, bool Link);

/// <summary>An identity provider's button.</summary>
public sealed record OidcMethodView(string Name, string Label);

/// <summary>The problem that nobody is signed in, with the ways to do so.</summary>
public sealed record NotSignedInView(string Type, string Id, string Title, int Status, string Detail, string Remedy, MethodsView Methods);

/// <summary>An account, without its password.</summary>
/// <param name="Role">owner, member or viewer.</param>
/// <param name="Password">Whether it has one.</param>
/// <param name="Provider">The identity provider that vouches for it.</param>
/// <param name="LastSeenAt">The latest use of its open sessions.</param>
public sealed record PersonView(
    string Name, string DisplayName, string Role, string? Email, bool Password, string? Provider, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt, int Sessions, DateTimeOffset? LastSeenAt);

/// <summary>Body of POST /api/people.</summary>
public sealed record AddPersonRequest(string Name, string? DisplayName, string? Role, string? Email, string? Password)
{
    /// <summary>Not the password.</summary>
    public override string ToString() => Name;
}

/// <summary>Body of PATCH /api/people/{name}; what is left out stays, an empty e-mail is removed.</summary>
public sealed record ChangePersonRequest(string? DisplayName, string? Role, string? Email, bool? Disabled);

/// <summary>Body of PUT /api/people/{name}/password.</summary>
/// <param name="Current">The one of before; only for one's own, where there is one.</param>
public sealed record PasswordRequest(string Password, string? Current)
{
    /// <summary>Not the passwords.</summary>
    public override string ToString() => "";
}

/// <summary>Body of POST /api/session.</summary>
public sealed record SignInRequest(string Name, string Password)
{
    /// <summary>Not the password.</summary>
    public override string ToString() => Name;
}

/// <summary>Body of POST /api/session/link.</summary>
public sealed record LinkRequest(string Code)
{
    /// <summary>Not the code.</summary>
    public override string ToString() => "";
}

/// <summary>A one-time link.</summary>
/// <param name="Url">With the code in its fragment, which browsers keep to themselves.</param>
/// <param name="Name">Whom it signs in.</param>
public sealed record LinkView(string Url, string Name, DateTimeOffset ExpiresAt);

/// <summary>An open session.</summary>
/// <param name="Current">The one that asks.</param>
public sealed record OpenSessionView(string Id, string Person, string How, string Address, string Agent, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset LastUsedAt, bool Current);

/// <summary>How many sessions were ended.</summary>
public sealed record EndedView(int Ended);

/// <summary>A line of the audit trail.</summary>
/// <param name="Status">What was answered.</param>
public sealed record AuditView(long Id, DateTimeOffset At, string Who, string How, string Address, string Action, string Subject, int Status);

/// <summary>JSON of people and sessions.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(NotSignedInView))]
[JsonSerializable(typeof(PersonView))]
[JsonSerializable(typeof(PageView<PersonView>))]
[JsonSerializable(typeof(IReadOnlyList<PersonView>))]
[JsonSerializable(typeof(AddPersonRequest))]
[JsonSerializable(typeof(ChangePersonRequest))]
[JsonSerializable(typeof(PasswordRequest))]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(LinkRequest))]
[JsonSerializable(typeof(LinkView))]
[JsonSerializable(typeof(PageView<OpenSessionView>))]
[JsonSerializable(typeof(EndedView))]
[JsonSerializable(typeof(PageView<AuditView>))]
[JsonSerializable(typeof(IReadOnlyList<AuditView>))]
internal sealed partial class SigninJson : JsonSerializerContext;
