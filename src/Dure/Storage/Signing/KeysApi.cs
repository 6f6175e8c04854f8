using System.Text.RegularExpressions;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Storage.Signing;

/// <summary>The API of access keys: <c>/api/storage/keys</c> for admins, <c>/api/storage/session</c> for everyone who may read or deploy.</summary>
public static partial class KeysApi
{
    private const int UserLengthMax = 100;
    private const int BucketsMax = 100;
    private const int DaysMax = 3650;
    private const int LimitMax = 1000;

    private static readonly Dictionary<string, KeyScopes> Names = new(StringComparer.Ordinal)
    {
        ["read"] = KeyScopes.Read,
        ["write"] = KeyScopes.Write,
        ["buckets"] = KeyScopes.Buckets,
        ["admin"] = KeyScopes.Admin,
    };

    /// <summary>One for each endpoint, for the API's document.</summary>
    internal static IReadOnlyList<ApiOperation> Operations { get; } =
    [
        new("GET", "/api/storage/keys", "Access keys of the store, without their secrets.", 200, KeyJson.Default.PageViewAccessKeyView)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["limit"] = "Items, 1 to 1000.", ["cursor"] = "As `next` of the page before." },
        },
        new("POST", "/api/storage/keys", "Make an access key; its secret is told this once.", 201, KeyJson.Default.CreatedAccessKeyView, KeyJson.Default.CreateAccessKeyRequest),
        new("DELETE", "/api/storage/keys/{id}", "Revoke an access key.", 204),
        new("POST", "/api/storage/session", "An access key for the next twelve hours, with what the token allows.", 201, KeyJson.Default.CreatedAccessKeyView),
    ];

    /// <summary>Maps the endpoints.</summary>
    /// <param name="endpoint">Where the store answers.</param>
    public static void Map(Gate gate, AccessKeyStore keys, Func<string> endpoint, string region)
    {
        gate.Map("GET", "/api/storage/keys", Scopes.Admin, http => ListAsync(http, keys));
        gate.Map("POST", "/api/storage/keys", Scopes.Admin, http => CreateAsync(http, keys, endpoint, region));
        gate.Map("DELETE", "/api/storage/keys/{id}", Scopes.Admin, http => RevokeAsync(http, keys));
        gate.Map("POST", "/api/storage/session", Scopes.Read | Scopes.Deploy, http =>
        {
            var caller = http.Caller();
            return WriteAsync(http, keys.CreateSession(caller.Name, ScopesOf(caller)), endpoint(), region);
        });
    }

    /// <summary>What a key of this person may do.</summary>
    internal static KeyScopes ScopesOf(Caller caller) =>
        (caller.May(Scopes.Admin) ? KeyScopes.Admin : KeyScopes.None)
        | (caller.May(Scopes.Deploy) ? KeyScopes.Read | KeyScopes.Write | KeyScopes.Buckets : KeyScopes.None)
        | (caller.May(Scopes.Read) ? KeyScopes.Read : KeyScopes.None);

    private static Task ListAsync(HttpContext http, AccessKeyStore keys)
    {
        var query = http.Request.Query;
        var limit = 50;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
        {
            return ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
        }
        var cursor = query["cursor"].ToString();
        var after = keys.List().Where(key => string.CompareOrdinal(CursorOf(key), cursor) > 0).Take(limit + 1).ToList();
        var page = after.Take(limit).Select(key => new AccessKeyView(key.Id, key.User, WordsOf(key.Scopes), key.Buckets, key.CreatedAt, key.ExpiresAt)).ToList();
        return JsonBody.WriteAsync(http, new PageView<AccessKeyView>(page, after.Count > limit ? CursorOf(after[limit - 1]) : null), KeyJson.Default.PageViewAccessKeyView);
    }

    private static async Task CreateAsync(HttpContext http, AccessKeyStore keys, Func<string> endpoint, string region)
    {
        var body = await JsonBody.ReadAsync(http, KeyJson.Default.CreateAccessKeyRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var faults = Check(body.Value);
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The access key cannot be made.", faults));
            return;
        }
        var request = body.Value;
        var scopes = request.Scopes.Aggregate(KeyScopes.None, (all, scope) => all | Names[scope]);
        var expiresIn = request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : (TimeSpan?)null;
        await WriteAsync(http, await keys.CreateAsync(request.User, scopes, request.Buckets ?? [], expiresIn, http.RequestAborted), endpoint(), region);
    }

    private static async Task RevokeAsync(HttpContext http, AccessKeyStore keys)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        if (!await keys.RevokeAsync(id, http.RequestAborted))
        {
            await ProblemResponse.WriteAsync(http, KeyErrors.NoSuchKey.With($"No access key has the id '{id}'."));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Task WriteAsync(HttpContext http, AccessKey key, string endpoint, string region)
    {
        http.Response.StatusCode = StatusCodes.Status201Created;
        http.Response.Headers.CacheControl = "no-store";
        return JsonBody.WriteAsync(http, new CreatedAccessKeyView(key.Id, key.Secret, key.User, WordsOf(key.Scopes), key.ExpiresAt, endpoint, region), KeyJson.Default.CreatedAccessKeyView);
    }

    private static List<Fault> Check(CreateAccessKeyRequest request)
    {
        var faults = new List<Fault>();
        if (request.User is not { Length: > 0 and <= UserLengthMax } user || user.Any(char.IsControl) || user.Trim() != user)
        {
            faults.Add(new Fault("user", $"1 to {UserLengthMax} characters, none of them a control character, no space at either end."));
        }
        if (request.Scopes is not { Count: > 0 } scopes || scopes.Any(scope => scope is null || !Names.ContainsKey(scope)))
        {
            faults.Add(new Fault("scopes", $"At least one of {string.Join(", ", Names.Keys)}."));
        }
        if (request.Buckets is { } buckets && (buckets.Count > BucketsMax || buckets.Any(bucket => bucket is null || !BucketName().IsMatch(bucket))))
        {
            faults.Add(new Fault("buckets", $"At most {BucketsMax} names of buckets: 3 to 63 small letters, digits, dots and hyphens."));
        }
        if (request.ExpiresInDays is < 1 or > DaysMax)
        {
            faults.Add(new Fault("expires_in_days", $"1 to {DaysMax}, or left out for a key that does not run out."));
        }
        return faults;
    }

    private static List<string> WordsOf(KeyScopes scopes) => [.. Names.Where(name => scopes.HasFlag(name.Value)).Select(name => name.Key)];

    private static string CursorOf(AccessKeyFacts key) => $"{key.CreatedAt.ToUnixTimeMilliseconds():D15}-{key.Id}";

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z", RegexOptions.None, 1000)]
    private static partial Regex BucketName();
}
