using Dure.Host.Commands;
using Dure.Host.Web;

namespace Dure.Host.Identity;

/// <summary>The API of tokens: <c>/api/tokens</c> for admins, <c>/api/tokens?mine</c> for everyone's own.</summary>
public static class TokensApi
{
    private const int NameLengthMax = 100;
    private const int DaysMax = 3650;
    private const int LimitMax = 1000;

    /// <summary>Maps the endpoints.</summary>
    public static void Map(Gate gate, TokenStore tokens)
    {
        gate.Map("GET", "/api/tokens", Scopes.Read, http => ListAsync(http, tokens));
        gate.Map("POST", "/api/tokens", Scopes.Read, http => CreateAsync(http, tokens));
        gate.Map("DELETE", "/api/tokens/{id}", Scopes.Read, http => RevokeAsync(http, tokens));
    }

    private static Task ListAsync(HttpContext http, TokenStore tokens)
    {
        if (Refused(http) is { } refused)
        {
            return ProblemResponse.WriteAsync(http, refused);
        }
        var query = http.Request.Query;
        var person = IsOwn(http) ? http.Caller().Person : null;
        var limit = 50;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
        {
            return ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
        }
        var cursor = query["cursor"].ToString();
        var after = tokens.List().Where(token => person is null || token.Person == person).Where(token => string.CompareOrdinal(CursorOf(token), cursor) > 0).Take(limit + 1).ToList();
        var page = after.Take(limit).Select(View).ToList();
        return JsonBody.WriteAsync(http, new PageView<TokenView>(page, after.Count > limit ? CursorOf(after[limit - 1]) : null), HostJson.Default.PageViewTokenView);
    }

    private static async Task CreateAsync(HttpContext http, TokenStore tokens)
    {
        if (Refused(http) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }
        var body = await JsonBody.ReadAsync(http, HostJson.Default.CreateTokenRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var caller = http.Caller();
        var faults = Check(body.Value, IsOwn(http) ? caller : null);
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The token cannot be made.", faults));
            return;
        }
        var request = body.Value;
        var scopes = request.Scopes.Aggregate(Scopes.None, (all, scope) => all | ScopeWords.All[scope]);
        var expiresIn = request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : (TimeSpan?)null;
        var person = IsOwn(http) ? caller.Person : null;
        var (text, token) = await tokens.CreateAsync(request.Name, scopes, person ?? request.Name, expiresIn, http.RequestAborted, person);
        http.Features.Set(new AuditSubject($"{token.Id} {token.Name} ({string.Join(' ', ScopeWords.Of(scopes))})"));
        http.Response.StatusCode = StatusCodes.Status201Created;
        http.Response.Headers.CacheControl = "no-store";
        await JsonBody.WriteAsync(http, new CreatedTokenView(text, token.Id, token.Name, ScopeWords.Of(token.Scopes), token.CreatedAt, token.ExpiresAt), HostJson.Default.CreatedTokenView);
    }

    private static async Task RevokeAsync(HttpContext http, TokenStore tokens)
    {
        var (caller, id) = (http.Caller(), (string)http.Request.RouteValues["id"]!);
        var token = tokens.List().FirstOrDefault(token => token.Id == id);
        if (!caller.May(Scopes.Admin) && (caller.Session is null || token is null || token.Person != caller.Person))
        {
            await ProblemResponse.WriteAsync(http, caller.Session is null ? HostErrors.NotAllowed.With("The token lacks the scope 'admin'.") : IdentityErrors.NoSuchToken.With($"No valid token of yours has the id '{id}'."));
        }
        else if (token?.Name == OwnerToken.Name && token.Person is null)
        {
            await ProblemResponse.WriteAsync(http, IdentityErrors.OwnerStays.With($"{id} is the owner's token."));
        }
        else if (await tokens.RevokeAsync(id, http.RequestAborted))
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            await ProblemResponse.WriteAsync(http, IdentityErrors.NoSuchToken.With($"No valid token has the id '{id}'."));
        }
    }

    private static bool IsOwn(HttpContext http) => http.Request.Query.ContainsKey("mine");

    private static Problem? Refused(HttpContext http)
    {
        var caller = http.Caller();
        return IsOwn(http)
            ? caller is { Session: not null, Person: not null } ? null : SigninErrors.OnlyInPerson.With("A token has no tokens of its own.")
            : caller.May(Scopes.Admin) ? null : HostErrors.NotAllowed.With("Everybody's tokens take the scope 'admin'; one's own are at /api/tokens?mine.");
    }

    /// <param name="own">Whose own token it becomes, which may no more than they; null for any.</param>
    private static List<Fault> Check(CreateTokenRequest request, Caller? own)
    {
        var faults = new List<Fault>();
        if (request.Name is not { Length: > 0 and <= NameLengthMax } name || name.Any(char.IsControl) || name.Trim() != name)
        {
            faults.Add(new Fault("name", $"1 to {NameLengthMax} characters, none of them a control character, no space at either end."));
        }
        else if (name == OwnerToken.Name)
        {
            faults.Add(new Fault("name", $"'{OwnerToken.Name}' is the name of the owner's own token; take another."));
        }
        if (request.Scopes is not { Count: > 0 } scopes || scopes.Any(scope => scope is null || !ScopeWords.All.ContainsKey(scope)))
        {
            faults.Add(new Fault("scopes", $"At least one of {string.Join(", ", ScopeWords.All.Keys)}."));
        }
        else if (own is not null && scopes.Any(scope => !own.May(ScopeWords.All[scope])))
        {
            faults.Add(new Fault("scopes", $"No more than your own: {string.Join(", ", ScopeWords.Of(own.Scopes))}."));
        }
        if (request.ExpiresInDays is < 1 or > DaysMax)
        {
            faults.Add(new Fault("expires_in_days", $"1 to {DaysMax}, or left out for a token that does not run out."));
        }
        return faults;
    }

    private static TokenView View(Token token) =>
        new(token.Id, token.Name, ScopeWords.Of(token.Scopes), token.CreatedAt, token.LastUsedAt, token.ExpiresAt, token.Person);

    private static string CursorOf(Token token) => $"{token.CreatedAt.ToUnixTimeMilliseconds():D15}-{token.Id}";
}
