using Dure.Host.Commands;
using Dure.Host.Web;

namespace Dure.Host.Identity;

/// <summary>The API of accounts: <c>/api/people</c>, for owners; everybody sets a password of their own.</summary>
internal sealed class PeopleApi(IdentityRole identity)
{
    private const int LimitMax = 1000;

    /// <summary>Maps the endpoints.</summary>
    public void Map(Gate gate)
    {
        gate.Map("GET", "/api/people", Scopes.Admin, ListAsync);
        gate.Map("POST", "/api/people", Scopes.Admin, AddAsync);
        gate.Map("PATCH", "/api/people/{name}", Scopes.Admin, ChangeAsync);
        gate.Map("DELETE", "/api/people/{name}", Scopes.Admin, RemoveAsync);
        gate.Map("PUT", "/api/people/{name}/password", Scopes.Read, SetPasswordAsync);
    }

    /// <summary>What is shown of an account.</summary>
    public static PersonView View(Person person, IReadOnlyList<Session> sessions) => new(
        person.Name, person.DisplayName, person.Role.Word(), person.Email, person.HasPassword, person.Provider, person.CreatedAt, person.DisabledAt,
        sessions.Count, sessions.Count == 0 ? null : sessions.Max(session => session.LastUsedAt));

    private Task ListAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var limit = 50;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
            return ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
        var cursor = query["cursor"].ToString();
        var sessions = identity.Sessions.List(null).ToLookup(session => session.Person, StringComparer.Ordinal);
        var after = identity.People.List().Where(person => string.CompareOrdinal(person.Name, cursor) > 0).Take(limit + 1).ToList();
        var page = after.Take(limit).Select(person => View(person, [.. sessions[person.Name]])).ToList();
        return JsonBody.WriteAsync(http, new PageView<PersonView>(page, after.Count > limit ? after[limit - 1].Name : null), SigninJson.Default.PageViewPersonView);
    }

    private async Task AddAsync(HttpContext http)
    {
        var body = await JsonBody.ReadAsync(http, SigninJson.Default.AddPersonRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var asked = body.Value;
        var role = Roles.Parse(asked.Role ?? "member");
        List<Fault> faults = [.. PeopleStore.Check(asked.Name ?? "", asked.DisplayName, asked.Email), .. RoleFault(role), .. asked.Password is null ? [] : PasswordRules.Check(asked.Password, asked.Name ?? "")];
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The account cannot be made.", faults));
            return;
        }
        http.Features.Set(new AuditSubject($"{asked.Name} ({role!.Value.Word()})"));
        var hash = asked.Password is null ? new Outcome<string>((string)null!) : await identity.Passwords.HashAsync(asked.Password, http.RequestAborted);
        var person = new Person(asked.Name!, asked.DisplayName ?? asked.Name!, role.Value, asked.Email is { Length: > 0 } email ? email : null, hash.Ok && hash.Value is not null, null, null, default, null);
        var added = hash.Ok ? await identity.People.AddAsync(person, hash.Value, http.RequestAborted) : hash.Problem;
        if (added.Ok)
            http.Response.StatusCode = StatusCodes.Status201Created;
        await AnswerAsync(http, added);
    }

    private async Task ChangeAsync(HttpContext http)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        var body = await JsonBody.ReadAsync(http, SigninJson.Default.ChangePersonRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var asked = body.Value;
        var role = Roles.Parse(asked.Role);
        List<Fault> faults = [.. PeopleStore.Check(null, asked.DisplayName, asked.Email), .. asked.Role is null ? [] : RoleFault(role)];
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The account cannot be changed so.", faults));
            return;
        }
        http.Features.Set(new AuditSubject(Told(name, asked)));
        var changed = await identity.People.ChangeAsync(name, new PersonChange(asked.DisplayName, role, asked.Email, asked.Disabled), http.RequestAborted);
        // Its sessions and tokens are refused at once while it is disabled; they must not come back with it.
        if (changed.Ok && asked.Disabled == true)
            await EndEverythingAsync(name, http.RequestAborted);
        await AnswerAsync(http, changed);
    }

    private async Task RemoveAsync(HttpContext http)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        if (await identity.People.RemoveAsync(name, http.RequestAborted) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        await EndEverythingAsync(name, http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task SetPasswordAsync(HttpContext http)
    {
        var (caller, name) = (http.Caller(), (string)http.Request.RouteValues["name"]!);
        var body = await JsonBody.ReadAsync(http, SigninJson.Default.PasswordRequest);
        var problem = !body.Ok ? body.Problem : await RefusedAsync(http, caller, name, body.Value);
        if (problem is null)
        {
            var hash = await identity.Passwords.HashAsync(body.Value.Password, http.RequestAborted);
            problem = hash.Problem;
            if (hash.Ok)
            {
                await identity.People.SetPasswordAsync(name, hash.Value, null, http.RequestAborted);
                // Whoever knew the old one is out; the browser in which it was changed stays.
                await identity.Sessions.EndAllAsync(name, caller.Person == name ? caller.Session : null, http.RequestAborted);
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                return;
            }
        }
        await ProblemResponse.WriteAsync(http, problem!);
    }

    private async ValueTask<Problem?> RefusedAsync(HttpContext http, Caller caller, string name, PasswordRequest asked)
    {
        var own = caller.Person == name;
        if (!caller.May(Scopes.Admin) && !(own && caller.Session is not null))
            return own ? SigninErrors.OnlyInPerson.With("A token sets no password.") : HostErrors.NotAllowed.With("Only owners set another's password.");
        if (identity.People.Find(name) is not { } person)
            return SigninErrors.NoSuchPerson.With($"There is no account '{name}'.");
        var faults = PasswordRules.Check(asked.Password, name);
        if (faults.Count > 0)
            return HostErrors.BadRequest.With("The password cannot be taken.", faults);
        if (!own || !person.HasPassword || caller.Session is null)
            return null;
        // A browser that was left open must not be enough to take the account over.
        if (identity.Limiter.Begin(name, identity.Address.NetworkOf(http)) is { } wait)
            return SigninErrors.TooManyTries.With($"Try again in {Math.Ceiling(wait.TotalSeconds)} s.");
        var right = await identity.Passwords.VerifyAsync(await identity.People.PasswordAsync(name, http.RequestAborted), asked.Current ?? "", http.RequestAborted);
        if (right is { Ok: true, Value: true })
        {
            identity.Limiter.Succeeded(name, identity.Address.NetworkOf(http));
            return null;
        }
        return right.Problem ?? SigninErrors.WrongPassword.With("The present password is wrong.") with { Kind = SigninErrors.WrongPassword with { Status = StatusCodes.Status403Forbidden } };
    }

    private async ValueTask EndEverythingAsync(string name, CancellationToken cancel)
    {
        await identity.Sessions.EndAllAsync(name, null, cancel);
        await identity.Tokens.RevokeOfAsync(name, cancel);
    }

    private static IEnumerable<Fault> RoleFault(Role? role) => role is null ? [new Fault("role", "owner, member or viewer.")] : [];

    private static string Told(string name, ChangePersonRequest asked) => string.Join(' ', new[]
    {
        name, asked.Role, asked.Disabled switch { true => "disabled", false => "enabled", _ => null }, asked.Email, asked.DisplayName,
    }.Where(word => !string.IsNullOrEmpty(word)));

    private Task AnswerAsync(HttpContext http, Outcome<Person> outcome) => outcome.Ok
        ? JsonBody.WriteAsync(http, View(outcome.Value, identity.Sessions.List(outcome.Value.Name)), SigninJson.Default.PersonView)
        : ProblemResponse.WriteAsync(http, outcome.Problem);
}
