using System.Net;
using System.Security.Cryptography;
using System.Text;
using Dure.Edge;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Apps.Access;

/// <summary>
/// Says who may enter an app that is not for everybody. Visitors have a cookie of that app's path, signed for that app: it names the portal's session or the link that they came by, and ends with it.
/// The portal's own cookie never comes to where apps are.
/// </summary>
internal sealed class Gatekeeper(IdentityRole identity, LinkStore links, DureOptions options, InProcessEdge door)
{
    public const string Cookie = "dure_app";
    private const string StateCookie = "dure_app_state";
    private const string ByMember = "member";
    private const string ByLink = "link";

    private static readonly TimeSpan MemberFor = TimeSpan.FromHours(12);
    private static readonly TimeSpan HandoverFor = TimeSpan.FromMinutes(1);

    // Long enough to find one's password.
    private static readonly TimeSpan StateFor = TimeSpan.FromMinutes(30);

    /// <summary>Where this server's portal listens; a browser finds it there unless <c>signin.public_url</c> says otherwise.</summary>
    public Uri? PortalAt { get; set; }

    /// <summary>Whether the request's cookie lets it into this app now.</summary>
    public async ValueTask<bool> MayAsync(string app, HttpContext http)
    {
        if (!http.Request.Cookies.TryGetValue(Cookie, out var text) || SessionToken.Read(text, identity.Keys.Visits, identity.Time.GetUtcNow()) is not { } visit || visit.Sub != app
            || door.Table.Find(app) is not { IsGuarded: true } route)
            return false;
        return visit.Role == ByLink ? links.Find(visit.Sid) is { } link && link.App == app
            : route.Visibility == Visibility.Members && await MemberAsync(visit.Sid, http.RequestAborted) is not null;
    }

    /// <summary>The whole of a request to a guarded app on this machine's own door: true lets it pass.</summary>
    public async ValueTask<bool> PassAsync(HttpContext http, AppRoute route)
    {
        var path = http.Request.Path.Value!;
        if (path.AsSpan(route.Prefix.Length).StartsWith(AppRoute.Entrance, StringComparison.Ordinal))
            await OpenAsync(http, route.Id, path[(route.Prefix.Length + AppRoute.Entrance.Length)..]);
        else if (await MayAsync(route.Id, http))
            return true;
        else
            await RefuseAsync(http, route.Id, http.Request.Method, path + http.Request.QueryString);
        return false;
    }

    /// <summary>Answers somebody who may not enter: browsers that go somewhere are sent to sign in, all others are refused.</summary>
    /// <param name="method">Of the request that was refused.</param>
    /// <param name="uri">Path and query that were asked for.</param>
    public async Task RefuseAsync(HttpContext http, string app, string method, string uri)
    {
        var headers = http.Request.Headers;
        var goes = HttpMethods.IsGet(method) && headers.Upgrade.Count == 0
            && (headers["Sec-Fetch-Mode"].ToString() is { Length: > 0 } mode ? mode == "navigate" : headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal));
        var route = door.Table.Find(app);
        Close(http);
        if (goes && route is { Visibility: Visibility.Members } && Portal(http) is { } portal)
        {
            var state = SecretText.New();
            http.Response.Cookies.Append(StateCookie, state, CookieOptions(http, route.Prefix + AppRoute.Entrance, identity.Time.GetUtcNow() + StateFor));
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = $"{portal}/api/apps/{app}/enter?state={Convert.ToHexStringLower(SecretText.Hash(state))}&to={Uri.EscapeDataString(uri)}";
            return;
        }

        await SayAsync(http, goes, AccessErrors.NotLetIn.With(route?.Visibility == Visibility.Members ? "It is read by members of the lab, and by whom they give a link." : "It is read by those who have a link to it."));
    }

    /// <summary>At the portal: hands whoever is signed in over to an app, by a code that is good once, for a minute, and for the browser that asked.</summary>
    public async Task HandOverAsync(HttpContext http)
    {
        Close(http);
        var (app, query) = ((string)http.Request.RouteValues["id"]!, http.Request.Query);
        if (door.Table.Find(app) is not { Visibility: Visibility.Members } route || query["state"].ToString() is not { Length: 64 } state || !state.All(char.IsAsciiHexDigitLower))
        {
            await ProblemResponse.WriteAsync(http, AppErrors.NoSuchApp.With("No app asks members to sign in there."));
            return;
        }

        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        if (await identity.ReadCookieAsync(http) is not { } session || await MemberAsync(session.Id, http.RequestAborted) is null)
        {
            http.Response.Headers.Location = "/signin?to=" + Uri.EscapeDataString(http.Request.Path.Value + http.Request.QueryString);
            return;
        }

        var code = SecretText.New();
        await links.AddHandoverAsync(SecretText.Hash(code), app, session.Id, Convert.FromHexString(state), HandoverFor);
        http.Response.Headers.Location = $"{(options.Apps.Edge is null ? null : options.Apps.PublicUrl) ?? SameHost(http, door.Address)}{route.Prefix}{AppRoute.Entrance}enter?code={code}&to={Uri.EscapeDataString(Inside(route, query["to"]))}";
    }

    /// <summary>At the app's own address: takes a link's key or a code, and gives the browser a cookie in its place. The address with the secret in it is left at once.</summary>
    /// <param name="way">open or enter.</param>
    public async Task OpenAsync(HttpContext http, string app, string way)
    {
        Close(http);
        if (door.Table.Find(app) is not { } route)
        {
            await SayAsync(http, true, AccessErrors.NotLetIn.With("It is not published."));
            return;
        }

        var query = http.Request.Query;
        if (!route.IsGuarded || way is not ("open" or "enter"))
            Leave(http, route.Prefix);
        else if (way == "enter")
            await EnterAsync(http, route, query["code"].ToString(), query["to"]);
        else if (await links.TakeAsync(app, query["key"], http.RequestAborted) is { } link)
        {
            Admit(http, route, ByLink, link.Id, link.ExpiresAt);
            Leave(http, route.Prefix);
        }
        else
            await SayAsync(http, true, AccessErrors.LinkOver.With($"No link of '{app}' has this key."));
    }

    private async Task EnterAsync(HttpContext http, AppRoute route, string code, string? to)
    {
        var taken = await links.TakeHandoverAsync(SecretText.Hash(code), route.Id);
        http.Request.Cookies.TryGetValue(StateCookie, out var state);
        http.Response.Cookies.Delete(StateCookie, CookieOptions(http, route.Prefix + AppRoute.Entrance, null));
        if (taken is not { } handover || state is null || !CryptographicOperations.FixedTimeEquals(SecretText.Hash(state), handover.State)
            || await MemberAsync(handover.Session, http.RequestAborted) is not { } member)
        {
            await SayAsync(http, true, AccessErrors.HandoverOver.With("The code is used up, too old, or was made for another browser."));
            return;
        }

        var most = identity.Time.GetUtcNow() + MemberFor;
        Admit(http, route, ByMember, member.Id, member.ExpiresAt < most ? member.ExpiresAt : most);
        Leave(http, Inside(route, to));
    }

    /// <summary>The session, while it is open and its person may sign in.</summary>
    private async ValueTask<Session?> MemberAsync(string session, CancellationToken cancel) =>
        await identity.Sessions.UseAsync(session, cancel) is { } open && identity.People.Find(open.Person) is { DisabledAt: null } ? open : null;

    private void Admit(HttpContext http, AppRoute route, string kind, string id, DateTimeOffset until)
    {
        var visit = SessionToken.Make(new SessionClaims(id, route.Id, kind, until.ToUnixTimeSeconds()), identity.Keys.Visits);
        http.Response.Cookies.Append(Cookie, visit, CookieOptions(http, route.Prefix, until));
    }

    private static void Leave(HttpContext http, string to)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = to;
    }

    /// <summary>A place below the app and nowhere else.</summary>
    private static string Inside(AppRoute route, string? to) =>
        to is { Length: <= 2000 } && to.StartsWith(route.Prefix, StringComparison.Ordinal) && !to.AsSpan(route.Prefix.Length).StartsWith(AppRoute.Entrance, StringComparison.Ordinal)
            && to.All(c => c is > ' ' and < '\x7f' and not '\\') ? to : route.Prefix;

    private string? Portal(HttpContext http) => options.Signin.PublicUrl ?? (PortalAt is { } at && options.Apps.Edge is null ? SameHost(http, at) : null);

    // The name that the browser knows this machine by, with another of its ports.
    private static string SameHost(HttpContext http, Uri other) => FormattableString.Invariant($"{http.Request.Scheme}://{http.Request.Host.Host}:{other.Port}");

    private static CookieOptions CookieOptions(HttpContext http, string path, DateTimeOffset? expires) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = http.Request.IsHttps || http.Request.Headers["X-Forwarded-Proto"] == "https",
        Path = path,
        Expires = expires,
    };

    private static void Close(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
    }

    private static async Task SayAsync(HttpContext http, bool page, Problem problem)
    {
        if (!page)
        {
            await ProblemResponse.WriteAsync(http, problem);
            return;
        }

        http.Response.StatusCode = problem.Kind.Status;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        await http.Response.WriteAsync(Page.Replace("@TITLE@", WebUtility.HtmlEncode(problem.Kind.Title), StringComparison.Ordinal).Replace("@DETAIL@", WebUtility.HtmlEncode(problem.Detail), StringComparison.Ordinal)
            .Replace("@REMEDY@", WebUtility.HtmlEncode(problem.Kind.Remedy), StringComparison.Ordinal).Replace("@ID@", problem.Kind.Id, StringComparison.Ordinal), http.RequestAborted);
    }

    private const string Page =
        """
        <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>@TITLE@</title>
        <style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.25rem}h1{font-size:1.4rem}small{opacity:.65}</style>
        <h1>@TITLE@</h1><p>@DETAIL@</p><p>@REMEDY@</p><small>@ID@</small></html>
        """;
}
