using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dure.Host.Commands;
using Dure.Host.Web;

namespace Dure.Host.Identity;

/// <summary>The API of signing in and of sessions: <c>/api/session</c> is one's own, <c>/api/sessions</c> are all of one's own, or everybody's.</summary>
internal sealed class SessionApi(IdentityRole identity)
{
    private static readonly TimeSpan LinkLength = TimeSpan.FromMinutes(10);

    /// <summary>Maps the endpoints.</summary>
    public void Map(Gate gate)
    {
        gate.MapOpen("GET", "/api/session", ShowAsync);
        gate.MapOpen("POST", "/api/session", SignInAsync);
        gate.MapOpen("POST", "/api/session/link", TakeLinkAsync);
        gate.MapOpen("DELETE", "/api/session", SignOutAsync);
        gate.Map("GET", "/api/sessions", Scopes.Read, ListAsync);
        gate.Map("DELETE", "/api/sessions", Scopes.Read, EndOwnAsync);
        gate.Map("DELETE", "/api/sessions/{id}", Scopes.Read, EndAsync);
        gate.Map("DELETE", "/api/people/{name}/sessions", Scopes.Admin, EndOfPersonAsync);
        gate.Map("POST", "/api/people/{name}/link", Scopes.Admin, MakeLinkAsync);
    }

    private MethodsView Methods() => new(
        identity.People.List().Any(person => person is { HasPassword: true, DisabledAt: null }),
        [.. identity.Providers.Select(provider => new OidcMethodView(provider.Name, provider.Label))],
        Link: true);

    private async Task ShowAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (await identity.ReadCookieAsync(http) is { } session && identity.People.Find(session.Person) is { DisabledAt: null } person)
        {
            await WriteAsync(http, session, person);
            return;
        }
        var kind = HostErrors.NotSignedIn;
        http.Response.StatusCode = kind.Status;
        http.Response.Headers.WWWAuthenticate = "Bearer";
        var view = new NotSignedInView("/errors/" + kind.Id, kind.Id, kind.Title, kind.Status, "This browser has no session, or it has ended.", kind.Remedy, Methods());
        http.Response.ContentType = "application/problem+json";
        await System.Text.Json.JsonSerializer.SerializeAsync(http.Response.Body, view, SigninJson.Default.NotSignedInView, http.RequestAborted);
    }

    private async Task SignInAsync(HttpContext http)
    {
        if (NotFromHere(http) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var body = await JsonBody.ReadAsync(http, SigninJson.Default.SignInRequest);
        if (!body.Ok || body.Value.Name is not { Length: > 0 and <= 200 } || body.Value.Password is not { Length: > 0 } || Encoding.UTF8.GetByteCount(body.Value.Password) > PasswordRules.BytesMost)
        {
            await ProblemResponse.WriteAsync(http, body.Ok ? HostErrors.BadRequest.With("A name and a password are wanted.", [new Fault("name", "A text."), new Fault("password", "A text.")]) : body.Problem);
            return;
        }
        var name = body.Value.Name.Trim().ToLowerInvariant();
        var address = identity.Address.NetworkOf(http);
        var outcome = await TryPasswordAsync(http, name, body.Value.Password, address);
        await identity.AuditSigninAsync(http, name, "password", "POST /api/session", outcome.Ok ? StatusCodes.Status200OK : outcome.Problem.Kind.Status);
        if (!outcome.Ok)
        {
            await ProblemResponse.WriteAsync(http, outcome.Problem);
            return;
        }
        await WriteAsync(http, await identity.SignInAsync(http, outcome.Value, "password"), outcome.Value);
    }

    private async ValueTask<Outcome<Person>> TryPasswordAsync(HttpContext http, string name, string password, string address)
    {
        if (identity.Limiter.Begin(name, address) is { } wait)
            return TooMany(http, wait);
        // As much is done for a name that nobody has: how long it takes must not tell which names there are.
        var stored = await identity.People.PasswordAsync(name, http.RequestAborted);
        var verified = await identity.Passwords.VerifyAsync(stored, password, http.RequestAborted);
        if (!verified.Ok)
        {
            http.Response.Headers.RetryAfter = "1";
            return verified.Problem;
        }
        if (!verified.Value || identity.People.Find(name) is not { } person)
            return SigninErrors.WrongPassword.With("Nobody has this name and this password.");
        identity.Limiter.Succeeded(name, address);
        if (person.DisabledAt is not null)
            return SigninErrors.Disabled.With($"'{name}' was disabled.");
        if (PasswordHash.IsWeak(stored!) && await identity.Passwords.HashAsync(password, http.RequestAborted) is { Ok: true } better)
            await identity.People.SetPasswordAsync(name, better.Value, stored, http.RequestAborted);
        return person;
    }

    private async Task TakeLinkAsync(HttpContext http)
    {
        if (NotFromHere(http) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var body = await JsonBody.ReadAsync(http, SigninJson.Default.LinkRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var address = identity.Address.NetworkOf(http);
        var outcome = await TryLinkAsync(http, body.Value.Code ?? "", address);
        await identity.AuditSigninAsync(http, outcome.Ok ? outcome.Value.Name : null, "link", "POST /api/session/link", outcome.Ok ? StatusCodes.Status200OK : outcome.Problem.Kind.Status);
        if (!outcome.Ok)
        {
            await ProblemResponse.WriteAsync(http, outcome.Problem);
            return;
        }
        await WriteAsync(http, await identity.SignInAsync(http, outcome.Value, "link"), outcome.Value);
    }

    private async ValueTask<Outcome<Person>> TryLinkAsync(HttpContext http, string code, string address)
    {
        if (identity.Limiter.Begin(null, address) is { } wait)
            return TooMany(http, wait);
        if (await identity.Sessions.TakeLinkAsync(SecretText.Hash(code), http.RequestAborted) is not { } name || identity.People.Find(name) is not { } person)
            return SigninErrors.LinkSpent.With("It was used already, is older than ten minutes, or was not copied whole.");
        identity.Limiter.Succeeded(null, address);
        return person.DisabledAt is null ? person : SigninErrors.Disabled.With($"'{name}' was disabled.");
    }

    private async Task SignOutAsync(HttpContext http)
    {
        if (await identity.ReadCookieAsync(http) is { } session)
        {
            if (identity.Forged(http, session) is { } forged)
            {
                await ProblemResponse.WriteAsync(http, forged);
                return;
            }
            await identity.Sessions.EndAsync(session.Id, null, http.RequestAborted);
            await identity.AuditSigninAsync(http, session.Person, "session:" + session.Id, "DELETE /api/session", StatusCodes.Status204NoContent);
        }
        identity.DropCookie(http);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private Task ListAsync(HttpContext http)
    {
        var caller = http.Caller();
        var everyone = caller.May(Scopes.Admin) && !http.Request.Query.ContainsKey("mine");
        var items = everyone ? identity.Sessions.List(null) : caller.Person is { } person ? identity.Sessions.List(person) : [];
        var views = items.Select(s => new OpenSessionView(s.Id, s.Person, s.How, s.Address, s.Agent, s.CreatedAt, s.ExpiresAt, s.LastUsedAt, s.Id == caller.Session)).ToList();
        return JsonBody.WriteAsync(http, new PageView<OpenSessionView>(views, null), SigninJson.Default.PageViewOpenSessionView);
    }

    private async Task EndAsync(HttpContext http)
    {
        var (caller, id) = (http.Caller(), (string)http.Request.RouteValues["id"]!);
        if (InPerson(caller) is { } refused)
            await ProblemResponse.WriteAsync(http, refused);
        else if (await identity.Sessions.EndAsync(id, caller.May(Scopes.Admin) ? null : caller.Person, http.RequestAborted))
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        else
            await ProblemResponse.WriteAsync(http, SigninErrors.NoSuchSession.With($"No open session of yours has the id '{id}'."));
    }

    private async Task EndOwnAsync(HttpContext http)
    {
        var caller = http.Caller();
        if (caller.Session is null || caller.Person is null)
        {
            await ProblemResponse.WriteAsync(http, SigninErrors.OnlyInPerson.With("A token has no sessions."));
            return;
        }
        var ended = await identity.Sessions.EndAllAsync(caller.Person, http.Request.Query.ContainsKey("others") ? caller.Session : null, http.RequestAborted);
        await JsonBody.WriteAsync(http, new EndedView(ended), SigninJson.Default.EndedView);
    }

    private async Task EndOfPersonAsync(HttpContext http)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        if (identity.People.Find(name) is null)
        {
            await ProblemResponse.WriteAsync(http, SigninErrors.NoSuchPerson.With($"There is no account '{name}'."));
            return;
        }
        await JsonBody.WriteAsync(http, new EndedView(await identity.Sessions.EndAllAsync(name, null, http.RequestAborted)), SigninJson.Default.EndedView);
    }

    private async Task MakeLinkAsync(HttpContext http)
    {
        var asked = (string)http.Request.RouteValues["name"]!;
        // A dash stands for the owner, whatever the owner is called.
        var person = asked == "-" ? identity.People.FirstOwner() : identity.People.Find(asked);
        if (person is null || person.DisabledAt is not null)
        {
            await ProblemResponse.WriteAsync(http, person is null ? SigninErrors.NoSuchPerson.With($"There is no account '{asked}'.") : SigninErrors.Disabled.With($"'{asked}' was disabled."));
            return;
        }
        var code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var expiresAt = identity.Time.GetUtcNow() + LinkLength;
        await identity.Sessions.AddLinkAsync(SecretText.Hash(code), person.Name, expiresAt, http.RequestAborted);
        http.Features.Set(new AuditSubject(person.Name));
        http.Response.StatusCode = StatusCodes.Status201Created;
        http.Response.Headers.CacheControl = "no-store";
        await JsonBody.WriteAsync(http, new LinkView($"{identity.OriginOf(http)}/signin#link={code}", person.Name, expiresAt), SigninJson.Default.LinkView);
    }

    // Another site could otherwise sign a browser in as somebody else, who then reads what is typed there.
    private Problem? NotFromHere(HttpContext http) =>
        !identity.IsSameOrigin(http) ? SigninErrors.Forged.With("The browser says that another site sent it.")
        : http.Request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true ? HostErrors.BadRequest.With("The body must be of the type application/json.") : null;

    private static Problem? InPerson(Caller caller) =>
        caller.Session is not null || caller.May(Scopes.Admin) ? null : SigninErrors.OnlyInPerson.With("A token that is not an admin's ends no sessions.");

    private static Problem TooMany(HttpContext http, TimeSpan wait)
    {
        var seconds = (int)Math.Ceiling(wait.TotalSeconds);
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return SigninErrors.TooManyTries.With($"Try again in {seconds} s.");
    }

    private Task WriteAsync(HttpContext http, Session session, Person person)
    {
        http.Response.Headers.CacheControl = "no-store";
        var view = new SessionView(PeopleApi.View(person, []), ScopeWords.Of(person.Role.Scopes()), identity.Keys.Csrf(session.Id), session.Id, session.How, session.ExpiresAt, Methods());
        return JsonBody.WriteAsync(http, view, SigninJson.Default.SessionView);
    }
}
