using System.Security.Cryptography;
using System.Text;
using Dure.Host.Configuration;
using Dure.Host.Identity.Oidc;
using Dure.Host.Web;

namespace Dure.Host.Identity;

/// <summary>Who may what: tokens, people, their sessions, and the audit trail.</summary>
internal sealed partial class IdentityRole : IDisposable
{
    /// <summary>The cookie of a session.</summary>
    public const string Cookie = "dure_session";

    private const string CsrfHeader = "Dure-Csrf";
    private static readonly TimeSpan CleanEvery = TimeSpan.FromHours(1);

    private readonly HostServices _host;
    private readonly SigninOptions _options;
    private readonly OidcSignin _oidc;

    private IdentityRole(HostServices host, TokenStore tokens, PeopleStore people, SessionStore sessions, SigninKeys keys)
    {
        (_host, _options, Tokens, People, Sessions, Keys) = (host, host.Options.Signin, tokens, people, sessions, keys);
        Audit = new AuditTrail(host.Database, host.Time, host.Loggers.CreateLogger<AuditTrail>());
        Limiter = new SigninLimiter(host.Time);
        Address = new ClientAddress(_options.Proxies);
        _oidc = new OidcSignin(this, host.Options.Signin.Providers, host.Secrets, host.Time, host.Loggers.CreateLogger<OidcSignin>());
    }

    public TokenStore Tokens { get; }

    public PeopleStore People { get; }

    public SessionStore Sessions { get; }

    public SigninKeys Keys { get; }

    public AuditTrail Audit { get; }

    public SigninLimiter Limiter { get; }

    public PasswordWork Passwords { get; } = new();

    public ClientAddress Address { get; }

    public TimeProvider Time => _host.Time;

    /// <summary>Buttons of the sign-in page.</summary>
    public IReadOnlyList<OidcProviderOptions> Providers => _options.Providers;

    /// <summary>Opens the stores; makes the owner's token and account at first start.</summary>
    public static async Task<IdentityRole> OpenAsync(HostServices host, CancellationToken cancel)
    {
        var tokens = await TokenStore.OpenAsync(host.Database, host.Live, host.Time, cancel);
        await OwnerToken.EnsureAsync(tokens, host.Options.Data, cancel);
        var people = await PeopleStore.OpenAsync(host.Database, host.Live, host.Time, cancel);
        var sessions = await SessionStore.OpenAsync(host.Database, host.Live, host.Time, cancel);
        return new IdentityRole(host, tokens, people, sessions, await SigninKeys.OpenAsync(host.Database, host.Secrets, cancel));
    }

    /// <summary>The door of all endpoints.</summary>
    public Gate Door(IEndpointRouteBuilder routes) => new(routes, ByToken) { Sessions = BySessionAsync, Audit = WriteAuditAsync };

    /// <summary>Maps the endpoints.</summary>
    public void Map(Gate gate)
    {
        TokensApi.Map(gate, Tokens);
        new SessionApi(this).Map(gate);
        new PeopleApi(this).Map(gate);
        AuditApi.Map(gate, Audit);
        _oidc.Map(gate);
    }

    /// <summary>Works until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(Tokens.RunAsync(cancel), People.RunAsync(cancel), Sessions.RunAsync(cancel), CleanAsync(cancel));

    /// <inheritdoc/>
    public void Dispose()
    {
        _oidc.Dispose();
        Passwords.Dispose();
        Sessions.Dispose();
        People.Dispose();
        Tokens.Dispose();
    }

    /// <summary>Opens a session for somebody who has shown who they are, and gives the browser its cookie.</summary>
    public async ValueTask<Session> SignInAsync(HttpContext http, Person person, string how)
    {
        // What the browser had before ends: nobody who knew that cookie gets into the new session.
        if (await ReadCookieAsync(http) is { } old)
            await Sessions.EndAsync(old.Id, null, http.RequestAborted);
        var session = await Sessions.OpenSessionAsync(person.Name, how, Address.Of(http), http.Request.Headers.UserAgent.ToString(), _options.Session, http.RequestAborted);
        var token = SessionToken.Make(new SessionClaims(session.Id, person.Name, person.Role.Word(), session.ExpiresAt.ToUnixTimeSeconds()), Keys.Tokens);
        http.Response.Cookies.Append(Cookie, token, CookieOptions(http, "/", session.ExpiresAt));
        return session;
    }

    /// <summary>Takes the cookie away.</summary>
    public void DropCookie(HttpContext http) => http.Response.Cookies.Delete(Cookie, CookieOptions(http, "/", expires: null));

    /// <summary>How a cookie is set: never to be read by scripts, never sent with another site's changes.</summary>
    public CookieOptions CookieOptions(HttpContext http, string path, DateTimeOffset? expires) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = IsSecure(http),
        Path = path,
        Expires = expires,
    };

    /// <summary>Where browsers find this server, without a slash at the end.</summary>
    public string OriginOf(HttpContext http) => _options.PublicUrl ?? $"{http.Request.Scheme}://{http.Request.Host}";

    /// <summary>A sign-in has an outcome; who is told only when there is such an account, since people type passwords in the wrong field.</summary>
    public ValueTask AuditSigninAsync(HttpContext http, string? name, string how, string action, int status) => Audit.AddAsync(
        new AuditEntry(name is not null && People.Find(name) is not null ? name : "-", how, Address.Of(http), action, "", status));

    /// <summary>Whether a request that changes something comes from this site's own pages, as far as the browser says.</summary>
    public bool IsSameOrigin(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site && site is not ("same-origin" or "none"))
            return false;
        if (headers.Origin.ToString() is not { Length: > 0 } origin)
            return true;
        return origin == _options.PublicUrl || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority == http.Request.Host.Value);
    }

    private Caller? ByToken(HttpContext http) => Tokens.Authenticate(http) is { } caller ? Bounded(caller) : null;

    // A token of a person may no more than the person may now.
    private Caller? Bounded(Caller caller) => caller.Person is not { } name ? caller
        : People.Find(name) is { DisabledAt: null } person ? caller with { Scopes = Within(caller.Scopes, person.Role.Scopes()) } : null;

    private static Scopes Within(Scopes asked, Scopes most) => asked.HasFlag(Scopes.Admin) ? most : asked & most;

    private async ValueTask<Outcome<Caller?>> BySessionAsync(HttpContext http)
    {
        // A token was meant; that it is not valid must be told.
        if (http.Request.Headers.Authorization.Count > 0 || await ReadCookieAsync(http) is not { } session || People.Find(session.Person) is not { DisabledAt: null } person)
            return (Caller?)null;
        if (http.Request.Method is not ("GET" or "HEAD") && Forged(http, session) is { } forged)
            return forged;
        return new Caller(person.Name, person.Role.Scopes()) { Person = person.Name, Session = session.Id, How = "session:" + session.Id };
    }

    /// <summary>The session of the request's cookie; null when there is none that is open.</summary>
    public async ValueTask<Session?> ReadCookieAsync(HttpContext http) =>
        http.Request.Cookies.TryGetValue(Cookie, out var text) && SessionToken.Read(text, Keys.Tokens, Time.GetUtcNow()) is { } claims
            && await Sessions.UseAsync(claims.Sid, http.RequestAborted) is { } session && session.Person == claims.Sub ? session : null;

    /// <summary>Why a change that comes with a session's cookie is not believed; null when it is.</summary>
    public Problem? Forged(HttpContext http, Session session) =>
        !IsSameOrigin(http) ? SigninErrors.Forged.With("The browser says that another site sent it.")
        : !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers[CsrfHeader].ToString()), Encoding.UTF8.GetBytes(Keys.Csrf(session.Id)))
            ? SigninErrors.Forged.With($"The header {CsrfHeader} is missing, or is that of another session.") : null;

    private bool IsSecure(HttpContext http) => http.Request.IsHttps || _options.PublicUrl?.StartsWith("https:", StringComparison.Ordinal) == true;

    private ValueTask WriteAuditAsync(HttpContext http, Caller caller) => Audit.AddAsync(new AuditEntry(
        caller.Name,
        caller.How,
        Address.Of(http),
        $"{http.Request.Method} {(http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText}",
        http.Features.Get<AuditSubject>()?.Text ?? string.Join('/', http.Request.RouteValues.Values),
        http.Response.StatusCode));

    private async Task CleanAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(CleanEvery, Time);
        do
        {
            try
            {
                await Audit.RemoveBeforeAsync(Time.GetUtcNow() - _options.KeepAudit, cancel);
            }
            catch (Exception error) when (error is System.Data.Common.DbException)
            {
                LogNotCleaned(_host.Loggers.CreateLogger<IdentityRole>(), error);
            }
        }
        while (await TicksAsync(timer, cancel));
    }

    private static async ValueTask<bool> TicksAsync(PeriodicTimer timer, CancellationToken cancel)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old lines of the audit trail could not be removed; tried again in an hour")]
    private static partial void LogNotCleaned(ILogger logger, Exception error);
}

/// <summary>What a change was done to, where its address does not say.</summary>
internal sealed record AuditSubject(string Text);
