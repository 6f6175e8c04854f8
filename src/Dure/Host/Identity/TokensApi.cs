using Dure.Host.Commands;
using Dure.Host.Web;

namespace Dure.Host.Identity;

/// <summary>The API of tokens: <c>/api/tokens</c>, for admins.</summary>
public static class TokensApi
{
    private const int NameLengthMax = 100;
    private const int DaysMax = 3650;
    private const int LimitMax = 1000;

    private static readonly Dictionary<string, Scopes> Names = new(StringComparer.Ordinal)
    {
        ["read"] = Scopes.Read,
        ["invoke"] = Scopes.Invoke,
        ["deploy"] = Scopes.Deploy,
        ["admin"] = Scopes.Admin,
    };

    /// <summary>Maps the endpoints.</summary>
    public static void Map(Gate gate, TokenStore tokens)
    {
        gate.Map("GET", "/api/tokens", Scopes.Admin, http => ListAsync(http, tokens));
        gate.Map("POST", "/api/tokens", Scopes.Admin, http => CreateAsync(http, tokens));
        gate.Map("DELETE", "/api/tokens/{id}", Scopes.Admin, http => RevokeAsync(http, tokens));
    }

    private static Task ListAsync(HttpContext http, TokenStore tokens)
    {
        var query = http.Request.Query;
        var limit = 50;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
        {
            return ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
        }
        var cursor = query["cursor"].ToString();
        var after = tokens.List().Where(token => string.CompareOrdinal(CursorOf(token), cursor) > 0).Take(limit + 1).ToList();
        var page = after.Take(limit).Select(View).ToList();
        return JsonBody.WriteAsync(http, new PageView<TokenView>(page, after.Count > limit ? CursorOf(after[limit - 1]) : null), HostJson.Default.PageViewTokenView);
    }

    private static async Task CreateAsync(HttpContext http, TokenStore tokens)
    {
        var body = await JsonBody.ReadAsync(http, HostJson.Default.CreateTokenRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var faults = Check(body.Value);
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The token cannot be made.", faults));
            return;
        }
        var request = body.Value;
        var scopes = request.Scopes.Aggregate(Scopes.None, (all, scope) => all | Names[scope]);
        var expiresIn = request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : (TimeSpan?)null;
        var (text, token) = await tokens.CreateAsync(request.Name, scopes, owner: request.Name, expiresIn, http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status201Created;
        http.Response.Headers.CacheControl = "no-store";
        await JsonBody.WriteAsync(http, new CreatedTokenView(text, token.Id, token.Name, ScopesOf(token), token.CreatedAt, token.ExpiresAt), HostJson.Default.CreatedTokenView);
    }

    private static async Task RevokeAsync(HttpContext http, TokenStore tokens)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        if (tokens.List().FirstOrDefault(token => token.Id == id)?.Name == OwnerToken.Name)
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

    private static List<Fault> Check(CreateTokenRequest request)
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
        if (request.Scopes is not { Count: > 0 } scopes || scopes.Any(scope => scope is null || !Names.ContainsKey(scope)))
        {
            faults.Add(new Fault("scopes", $"At least one of {string.Join(", ", Names.Keys)}."));
        }
        if (request.ExpiresInDays is < 1 or > DaysMax)
        {
            faults.Add(new Fault("expires_in_days", $"1 to {DaysMax}, or left out for a token that does not run out."));
        }
        return faults;
    }

    private static TokenView View(Token token) =>
        new(token.Id, token.Name, ScopesOf(token), token.CreatedAt, token.LastUsedAt, token.ExpiresAt);

    private static List<string> ScopesOf(Token token) => [.. Names.Where(name => token.Scopes.HasFlag(name.Value)).Select(name => name.Key)];

    private static string CursorOf(Token token) => $"{token.CreatedAt.ToUnixTimeMilliseconds():D15}-{token.Id}";
}
