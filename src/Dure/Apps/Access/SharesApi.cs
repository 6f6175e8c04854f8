using System.Text.Json.Serialization;
using Dure.Edge;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Apps.Access;

/// <summary>A link into an app, as the API shows it.</summary>
public sealed record AppLinkEntry(string Id, string Owner, string Note, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, bool Over, DateTimeOffset? LastUsedAt, long Visits);

/// <summary>A link that was just made.</summary>
/// <param name="Url">Shown now and never again: its key is not kept.</param>
public sealed record AppShareView(string Id, string Url, DateTimeOffset ExpiresAt);

/// <summary>Body of POST /api/apps/{id}/shares.</summary>
/// <param name="ExpiresInSeconds">At most a year.</param>
/// <param name="Note">Whom it is for; told to nobody but those who list links.</param>
public sealed record AppShareRequest(long ExpiresInSeconds, string? Note);

/// <summary>Links into apps over HTTP.</summary>
internal sealed class SharesApi(AppsContext context, LinkStore links)
{
    private const int NoteMax = 100;
    private const int LinksMost = 1000;
    public static readonly TimeSpan LengthMost = TimeSpan.FromDays(366);

    public static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/apps/{id}/shares", "Links that lead into an app that is not for everybody, without their keys.", 200, SharesJson.Default.PageViewAppLinkEntry),
        new("POST", "/api/apps/{id}/shares", "Make a link; its address is in the answer and nowhere else.", 201, SharesJson.Default.AppShareView, SharesJson.Default.AppShareRequest),
        new("DELETE", "/api/apps/{id}/shares/{share}", "End a link: who came in by it is out.", 204),
        new("GET", "/api/apps/{id}/enter", "For browsers: from the portal's session to an app that members read.", 303),
    ];

    public void Map(Gate gate)
    {
        gate.Map("GET", "/api/apps/{id}/shares", Scopes.Deploy, ListAsync);
        gate.Map("POST", "/api/apps/{id}/shares", Scopes.Deploy, MakeAsync);
        gate.Map("DELETE", "/api/apps/{id}/shares/{share}", Scopes.Deploy, EndAsync);
    }

    private Task ListAsync(HttpContext http) => context.WithAppAsync(http, async app =>
    {
        var now = context.Host.Time.GetUtcNow();
        var found = await links.ListAsync(app.Id, http.RequestAborted);
        await JsonBody.WriteAsync(http, new PageView<AppLinkEntry>([.. found.Select(link => new AppLinkEntry(link.Id, link.Owner, link.Note, link.CreatedAt, link.ExpiresAt, link.ExpiresAt <= now, link.LastUsedAt, link.Visits))], null),
            SharesJson.Default.PageViewAppLinkEntry);
    });

    private Task MakeAsync(HttpContext http) => context.WithAppAsync(http, async app =>
    {
        var asked = await JsonBody.ReadAsync(http, SharesJson.Default.AppShareRequest);
        if (Refuse(app, asked) is { } refused)
        {
            await ProblemResponse.WriteAsync(http, refused);
            return;
        }

        if ((await links.ListAsync(app.Id, http.RequestAborted)).Count >= LinksMost)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With($"'{app.Id}' has {LinksMost} links already; revoke some first."));
            return;
        }

        var (link, key) = await links.AddAsync(app.Id, http.Caller().Name, asked.Value.Note ?? "", TimeSpan.FromSeconds(asked.Value.ExpiresInSeconds), http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status201Created;
        http.Response.Headers.CacheControl = "no-store";
        await JsonBody.WriteAsync(http, new AppShareView(link.Id, $"{context.AddressOf(app.LiveVersion!).AbsoluteUri}{AppRoute.Entrance}open?key={key}", link.ExpiresAt), SharesJson.Default.AppShareView);
    });

    private static Problem? Refuse(App app, Outcome<AppShareRequest> asked) =>
        !asked.Ok ? asked.Problem
        : asked.Value.ExpiresInSeconds < 1 || asked.Value.ExpiresInSeconds > LengthMost.TotalSeconds ? HostErrors.BadRequest.With("A link lasts from a second to a year.", [new Fault("expires_in_seconds", "From 1 to 31622400.")])
        : asked.Value.Note is { } note && (note.Length > NoteMax || note.Any(char.IsControl)) ? HostErrors.BadRequest.With("The note is not one short line.", [new Fault("note", $"At most {NoteMax} characters, without line breaks.")])
        : app.LiveVersion is not { } live ? AppErrors.NoSuchVersion.With($"No version of '{app.Id}' is live.")
        : live.Spec.Visibility is Visibility.Members or Visibility.Link ? null
        : AccessErrors.NotShared.With($"'{app.Id}' is {(live.Spec.Visibility == Visibility.Public ? "for everybody who knows its address" : "seen on its own machine only")}.");

    private Task EndAsync(HttpContext http) => context.WithAppAsync(http, async app =>
    {
        var share = (string)http.Request.RouteValues["share"]!;
        if (await links.EndAsync(app.Id, share, http.RequestAborted))
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        else
            await ProblemResponse.WriteAsync(http, AccessErrors.NoSuchLink.With($"'{app.Id}' has no link '{Host.Texts.Shown.Safely(share)}'."));
    });
}

/// <summary>JSON of links into apps: snake_case, nulls left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PageView<AppLinkEntry>))]
[JsonSerializable(typeof(IReadOnlyList<AppLinkEntry>))]
[JsonSerializable(typeof(AppShareView))]
[JsonSerializable(typeof(AppShareRequest))]
internal sealed partial class SharesJson : JsonSerializerContext;
