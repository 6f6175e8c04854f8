using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Host.Configuration;
using Dure.Host.Secrets;
using Dure.Host.Web;

namespace Dure.Host.Identity.Oidc;

/// <summary>A sign-in that is under way at a provider: kept sealed in a cookie of the browser that began it.</summary>
internal sealed record OidcUnderWay(string Provider, string State, string Nonce, string Verifier, string To, long Until);

/// <summary>
/// Signing in through OpenID Connect: the code flow with PKCE (S256). State and nonce are bound to the browser by a sealed cookie, so
/// that whichever server the browser comes back to can go on. What was refused is told to the page by its id, and in full to the log.
/// </summary>
internal sealed partial class OidcSignin : IDisposable
{
    private const string CookieName = "dure_oidc";
    private const string Root = "/api/session/oidc";
    private const int AnswerMax = 1 << 20;
    private const int ToMax = 2000;
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(10);

    private readonly IdentityRole _identity;
    private readonly SecretStore _secrets;
    private readonly TimeProvider _time;
    private readonly ILogger<OidcSignin> _logger;
    private readonly HttpClient? _http;
    private readonly Dictionary<string, OidcProvider> _providers;

    public OidcSignin(IdentityRole identity, IReadOnlyList<OidcProviderOptions> providers, SecretStore secrets, TimeProvider time, ILogger<OidcSignin> logger)
    {
        (_identity, _secrets, _time, _logger) = (identity, secrets, time, logger);
        _http = providers.Count == 0 ? null : new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false, UseCookies = false })
        {
            Timeout = TimeSpan.FromSeconds(10),
            MaxResponseContentBufferSize = AnswerMax,
        };
        _providers = providers.ToDictionary(options => options.Name, options => new OidcProvider(options, _http!, time), StringComparer.Ordinal);
    }

    /// <summary>Maps the endpoints, which browsers go to.</summary>
    public void Map(Gate gate)
    {
        gate.MapOpen("GET", Root + "/{name}/start", StartAsync);
        gate.MapOpen("GET", Root + "/{name}/callback", CallbackAsync);
    }

    /// <inheritdoc/>
    public void Dispose() => _http?.Dispose();

    /// <summary>A place of this site only: no other host, however it is written.</summary>
    public static string Local(string? to) =>
        to is { Length: > 0 and <= ToMax } && to[0] == '/' && (to.Length == 1 || to[1] is not ('/' or '\\')) && to.All(c => c is > ' ' and < '\x7f' and not '\\') ? to : "/";

    private async Task StartAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        var provider = Find(http);
        var places = provider is not null ? await provider.PlacesAsync(http.RequestAborted)
            : SigninErrors.NoSuchProvider.With($"No identity provider is called '{http.Request.RouteValues["name"]}'.");
        if (!places.Ok)
        {
            await FailAsync(http, places.Problem);
            return;
        }
        var begun = new OidcUnderWay(provider!.Options.Name, Random(), Random(), Random(), Local(http.Request.Query["to"]), (_time.GetUtcNow() + Length).ToUnixTimeSeconds());
        http.Response.Cookies.Append(CookieName, _identity.Keys.Seal(JsonSerializer.Serialize(begun, OidcJson.Default.OidcUnderWay)), _identity.CookieOptions(http, Root, _time.GetUtcNow() + Length));
        var query = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["response_type"] = "code",
            ["client_id"] = provider.Options.ClientId,
            ["redirect_uri"] = RedirectOf(http, provider),
            ["scope"] = provider.Options.Scopes,
            ["state"] = begun.State,
            ["nonce"] = begun.Nonce,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(begun.Verifier))),
            ["code_challenge_method"] = "S256",
        };
        var separator = places.Value.Authorize.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        http.Response.Redirect(places.Value.Authorize + separator + string.Join('&', query.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}")));
    }

    private async Task CallbackAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        var begun = UnderWay(http);
        http.Response.Cookies.Delete(CookieName, _identity.CookieOptions(http, Root, expires: null));
        var person = await WhoAsync(http, begun);
        var how = "oidc:" + http.Request.RouteValues["name"];
        await _identity.AuditSigninAsync(http, person.Ok ? person.Value.Name : null, how, $"GET {Root}/{{name}}/callback", person.Ok ? StatusCodes.Status302Found : person.Problem.Kind.Status);
        if (!person.Ok)
        {
            await FailAsync(http, person.Problem);
            return;
        }
        await _identity.SignInAsync(http, person.Value, how);
        http.Response.Redirect(begun!.To);
    }

    private async ValueTask<Outcome<Person>> WhoAsync(HttpContext http, OidcUnderWay? begun)
    {
        var query = http.Request.Query;
        if (Find(http) is not { } provider)
            return SigninErrors.NoSuchProvider.With($"No identity provider is called '{http.Request.RouteValues["name"]}'.");
        if (begun is null || begun.Provider != provider.Options.Name || begun.Until < _time.GetUtcNow().ToUnixTimeSeconds())
            return SigninErrors.AnswerRefused.With("This browser has not begun to sign in there, or more than ten minutes ago.");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(query["state"].ToString()), Encoding.UTF8.GetBytes(begun.State)))
            return SigninErrors.AnswerRefused.With("The answer belongs to another sign-in (state).");
        // RFC 9207: a provider that names itself must be the one that was asked.
        if (query["iss"].ToString() is { Length: > 0 } issuer && issuer != provider.Options.Issuer)
            return SigninErrors.AnswerRefused.With("The answer comes from another provider (iss).");
        if (query["code"].ToString() is not { Length: > 0 } code)
            return SigninErrors.AnswerRefused.With($"{provider.Options.Name} answered '{Word(query["error"].ToString())}'.");
        var claims = await ClaimsAsync(http, provider, begun, code);
        return claims.Ok ? await AdmitAsync(provider.Options, claims.Value, http.RequestAborted) : claims.Problem;
    }

    private async ValueTask<Outcome<OidcClaims>> ClaimsAsync(HttpContext http, OidcProvider provider, OidcUnderWay begun, string code)
    {
        var cancel = http.RequestAborted;
        var places = await provider.PlacesAsync(cancel);
        if (!places.Ok)
            return places.Problem;
        var secret = await SecretAsync(provider.Options, cancel);
        if (!secret.Ok)
            return secret.Problem;
        var tokens = await provider.ExchangeAsync(places.Value, code, begun.Verifier, RedirectOf(http, provider), secret.Value.Length > 0 ? secret.Value : null, cancel);
        if (!tokens.Ok)
            return tokens.Problem;
        var keys = await provider.KeysAsync(places.Value, IdToken.KeyIdOf(tokens.Value.IdToken) ?? "", cancel);
        if (!keys.Ok)
            return keys.Problem;
        var (claims, wrong) = IdToken.Check(tokens.Value.IdToken, keys.Value, new IdTokenChecks(provider.Options.Issuer, provider.Options.ClientId, begun.Nonce, _time.GetUtcNow()));
        if (claims is null)
            return SigninErrors.AnswerRefused.With($"The identity token of {provider.Options.Name} cannot be trusted: {wrong}.");
        if (claims.Email is not null || places.Value.UserInfo is not { } about || tokens.Value.AccessToken is not { } access)
            return claims;
        var told = await provider.UserAsync(about, access, cancel);
        if (!told.Ok)
            return told.Problem;
        return IdToken.Text(told.Value, "sub") == claims.Subject ? IdToken.ClaimsOf(told.Value) : SigninErrors.AnswerRefused.With($"{provider.Options.Name} told of somebody else.");
    }

    /// <summary>The account of somebody whom the provider knows: bound already, invited by e-mail, or let in by the settings.</summary>
    private async ValueTask<Outcome<Person>> AdmitAsync(OidcProviderOptions options, OidcClaims claims, CancellationToken cancel)
    {
        var people = _identity.People;
        var email = claims is { EmailVerified: true, Email.Length: > 0 and <= 255 } ? claims.Email.ToLowerInvariant() : null;
        if (people.FindBy(options.Name, claims.Subject) is { } known)
            return known.DisabledAt is null ? known : SigninErrors.Disabled.With($"'{known.Name}' was disabled.");
        if (email is not null && people.List().FirstOrDefault(person => person.Provider is null && string.Equals(person.Email, email, StringComparison.OrdinalIgnoreCase)) is { } invited)
        {
            if (invited.DisabledAt is not null)
                return SigninErrors.Disabled.With($"'{invited.Name}' was disabled.");
            if (await people.BindAsync(invited.Name, options.Name, claims.Subject, cancel) > 0)
                return people.Find(invited.Name)!;
        }
        if (!options.Allows(email))
            return SigninErrors.NotInvited.With(email is null ? $"{options.Name} vouches for no e-mail address of yours." : "Your address is not among those that are let in.");
        var wanted = NameOf(claims.Username ?? email?.Split('@')[0] ?? claims.Name ?? "person");
        for (var suffix = 1; ; suffix++)
        {
            var name = suffix == 1 ? wanted : $"{wanted}-{suffix}";
            var display = claims.Name is { Length: > 0 and <= 100 } given && !given.Any(char.IsControl) && given.Trim() == given ? given : name;
            var added = await people.AddAsync(new Person(name, display, options.Role, email, false, options.Name, claims.Subject, default, null), null, cancel);
            if (added.Ok || suffix >= 100)
                return added;
        }
    }

    private OidcProvider? Find(HttpContext http) => _providers.GetValueOrDefault((string)http.Request.RouteValues["name"]!);

    private OidcUnderWay? UnderWay(HttpContext http)
    {
        if (!http.Request.Cookies.TryGetValue(CookieName, out var sealedText) || _identity.Keys.Unseal(sealedText) is not { } text)
            return null;
        return JsonSerializer.Deserialize(text, OidcJson.Default.OidcUnderWay);
    }

    private async ValueTask<Outcome<string>> SecretAsync(OidcProviderOptions options, CancellationToken cancel)
    {
        if (Environment.GetEnvironmentVariable(options.SecretVariable) is { Length: > 0 } given)
            return given;
        if (options.ClientSecretSecret is not { } name)
            return "";
        var read = await _secrets.ReadAsync([name], cancel);
        return read.Ok ? read.Value[name] : read.Problem;
    }

    private string RedirectOf(HttpContext http, OidcProvider provider) => $"{_identity.OriginOf(http)}{Root}/{provider.Options.Name}/callback";

    private Task FailAsync(HttpContext http, Problem problem)
    {
        LogRefused(Word(http.Request.RouteValues["name"] as string ?? ""), problem.Kind.Id, problem.Detail + string.Concat(problem.Faults.Select(fault => $" {fault.Where}: {fault.What}")));
        // Only the id: what stands in an address could be anybody's words.
        http.Response.Redirect("/signin#problem=" + problem.Kind.Id);
        return Task.CompletedTask;
    }

    private static string NameOf(string text)
    {
        var name = new string([.. text.ToLowerInvariant().Split('@')[0].Select(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '.' or '_' or '-' ? c : '-').Take(32)]).Trim('-', '.', '_');
        return name.Length == 0 ? "person" : name;
    }

    private static string Word(string text) => new([.. text.Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-').Take(60)]);

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sign-in through {Provider} was refused ({Id}): {Why}")]
    private partial void LogRefused(string provider, string id, string why);
}

[JsonSerializable(typeof(OidcUnderWay))]
internal sealed partial class OidcJson : JsonSerializerContext;
