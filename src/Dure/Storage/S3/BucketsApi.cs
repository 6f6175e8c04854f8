using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>The API of buckets, <c>/api/storage/buckets</c>: what S3 has no words for (quota, usage, copies at providers) and the rest beside it.</summary>
internal static class BucketsApi
{
    private const int LimitMax = 1000;
    private const int DeletePage = 1000;

    /// <summary>One for each endpoint, for the API's document.</summary>
    public static IReadOnlyList<ApiOperation> Operations { get; } =
    [
        new("GET", "/api/storage/buckets", "Buckets of the embedded store, with what they hold.", 200, BucketJson.Default.PageViewBucketView)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["limit"] = "Items, 1 to 1000.", ["cursor"] = "As `next` of the page before." },
        },
        new("POST", "/api/storage/buckets", "Make a bucket.", 201, BucketJson.Default.BucketView, BucketJson.Default.BucketRequest),
        new("GET", "/api/storage/buckets/{name}", "One bucket.", 200, BucketJson.Default.BucketView),
        new("PATCH", "/api/storage/buckets/{name}", "Change a bucket.", 200, BucketJson.Default.BucketView, BucketJson.Default.BucketRequest),
        new("DELETE", "/api/storage/buckets/{name}", "Delete an empty bucket.", 204)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["force"] = "`true` removes every object and version in it first." },
        },
    ];

    /// <summary>Maps the endpoints.</summary>
    /// <param name="changed">Hears after every change; must return at once.</param>
    public static void Map(Gate gate, ObjectStore store, Action? changed = null)
    {
        gate.Map("GET", "/api/storage/buckets", Scopes.Read, http => ListAsync(http, store));
        gate.Map("POST", "/api/storage/buckets", Scopes.Deploy, http => TellAsync(http, CreateAsync(http, store), changed));
        gate.Map("GET", "/api/storage/buckets/{name}", Scopes.Read, http => ShowAsync(http, store));
        gate.Map("PATCH", "/api/storage/buckets/{name}", Scopes.Deploy, http => TellAsync(http, ChangeAsync(http, store), changed));
        gate.Map("DELETE", "/api/storage/buckets/{name}", Scopes.Deploy, http => TellAsync(http, DeleteAsync(http, store), changed));
    }

    private static async Task TellAsync(HttpContext http, Task done, Action? changed)
    {
        await done;
        if (http.Response.StatusCode < 300)
            changed?.Invoke();
    }

    private static async Task ListAsync(HttpContext http, ObjectStore store)
    {
        var query = http.Request.Query;
        var limit = LimitMax;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
            return;
        }
        var cursor = query["cursor"].ToString();
        var after = (await store.ListBucketsAsync(http.RequestAborted)).Where(bucket => string.CompareOrdinal(bucket.Name, cursor) > 0)
            .OrderBy(bucket => bucket.Name, StringComparer.Ordinal).Take(limit + 1).ToList();
        var page = after.Take(limit).Select(View).ToList();
        await JsonBody.WriteAsync(http, new PageView<BucketView>(page, after.Count > limit ? after[limit - 1].Name : null), BucketJson.Default.PageViewBucketView);
    }

    private static async Task ShowAsync(HttpContext http, ObjectStore store)
    {
        if (await FindAsync(http, store) is { } bucket)
            await JsonBody.WriteAsync(http, View(bucket), BucketJson.Default.BucketView);
    }

    private static async Task CreateAsync(HttpContext http, ObjectStore store)
    {
        var body = await JsonBody.ReadAsync(http, BucketJson.Default.BucketRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var name = body.Value.Name ?? "";
        var (change, faults) = Read(body.Value, name);
        if (!BucketNames.IsValid(name))
            faults.Add(new Fault("name", "3 to 63 lower-case letters, digits, hyphens and dots; a letter or digit at both ends; no address of a machine."));
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, StoreErrors.BadBucket.With("The bucket cannot be made.", faults));
            return;
        }
        var made = await store.CreateBucketAsync(name, body.Value.Owner ?? http.Caller().Name, change.Acl ?? CannedAcl.Private, http.RequestAborted);
        var fault = made.Fault ?? await store.ChangeBucketAsync(name, change, http.RequestAborted);
        if (fault is { } failed)
        {
            await ProblemResponse.WriteAsync(http, Of(failed, name));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status201Created;
        await JsonBody.WriteAsync(http, View((await store.FindBucketAsync(name, http.RequestAborted))!), BucketJson.Default.BucketView);
    }

    private static async Task ChangeAsync(HttpContext http, ObjectStore store)
    {
        var body = await JsonBody.ReadAsync(http, BucketJson.Default.BucketRequest);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        if (await FindAsync(http, store) is not { } bucket)
            return;
        var (change, faults) = Read(body.Value, bucket.Name);
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, StoreErrors.BadBucket.With($"The bucket '{bucket.Name}' cannot be changed so.", faults));
            return;
        }
        if (await store.ChangeBucketAsync(bucket.Name, change, http.RequestAborted) is { } fault)
        {
            await ProblemResponse.WriteAsync(http, Of(fault, bucket.Name));
            return;
        }
        await ShowAsync(http, store);
    }

    private static async Task DeleteAsync(HttpContext http, ObjectStore store)
    {
        if (await FindAsync(http, store) is not { } bucket)
            return;
        var fault = http.Request.Query["force"] == "true" ? await EmptyAsync(store, bucket.Name, http.RequestAborted) : null;
        fault ??= await store.DeleteBucketAsync(bucket.Name, http.RequestAborted);
        if (fault is { } failed)
            await ProblemResponse.WriteAsync(http, Of(failed, bucket.Name));
        else
            http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async ValueTask<StoreFault?> EmptyAsync(ObjectStore store, string bucket, CancellationToken cancel)
    {
        while (true)
        {
            var page = await store.ListVersionsAsync(bucket, new ListVersions("", "", "", "", DeletePage), cancel);
            if (page.Fault is not null || page.Value!.Versions.Count == 0)
                return page.Fault;
            foreach (var some in page.Value.Versions.Chunk(64))
            {
                var ends = await Task.WhenAll(some.Select(one => store.DeleteAsync(bucket, one.Key, one.VersionId, WriteConditions.None, cancel).AsTask()));
                if (Array.Find(ends, end => end.Fault is not (null or StoreFault.NoSuchKey or StoreFault.NoSuchVersion)) is { Fault: { } fault })
                    return fault;
            }
        }
    }

    private static async ValueTask<Bucket?> FindAsync(HttpContext http, ObjectStore store)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        var bucket = await store.FindBucketAsync(name, http.RequestAborted);
        if (bucket is null)
            await ProblemResponse.WriteAsync(http, Of(StoreFault.NoSuchBucket, name));
        return bucket;
    }

    private static (BucketChange Change, List<Fault> Faults) Read(BucketRequest request, string name)
    {
        var faults = new List<Fault>();
        Versioning? versioning = request.Versioning switch { "enabled" => Versioning.Enabled, "suspended" => Versioning.Suspended, _ => null };
        if (request.Versioning is not (null or "off") && versioning is null)
            faults.Add(new Fault("versioning", "enabled or suspended; once enabled it cannot be off again."));
        var (acl, unknown) = Acl.Of(request.Acl);
        if (unknown is not null)
            faults.Add(new Fault("acl", "private, public-read, public-read-write or authenticated-read."));
        if (request.Cors is { Length: > 0 } cors && (XmlBody.Parse(cors) is { } root ? CorsRules.Parse(root).Error : S3Errors.MalformedXml) is { } badCors)
            faults.Add(new Fault("cors", badCors.Message));
        if (request.Policy is { Length: > 0 } policy && BucketPolicy.Parse(policy, name).Error is { } badPolicy)
            faults.Add(new Fault("policy", badPolicy.Message));
        if (request.QuotaBytes is < 0)
            faults.Add(new Fault("quota_bytes", "A number of bytes; 0 takes the limit away."));
        if (request.Replicate is { } providers && providers.Any(provider => provider is not { Length: > 0 and <= 100 } || provider.Contains(',', StringComparison.Ordinal)))
            faults.Add(new Fault("replicate", "Names of providers in dure.yaml."));
        return (new BucketChange { Versioning = versioning, Acl = acl, Cors = request.Cors, Policy = request.Policy, QuotaBytes = request.QuotaBytes, Replicate = request.Replicate }, faults);
    }

    private static BucketView View(Bucket bucket) => new(bucket.Name, bucket.Owner, bucket.CreatedAt, bucket.Versioning.ToString().ToLowerInvariant(), Acl.NameOf(bucket.Acl),
        bucket.Cors is { Length: > 0 } cors ? cors : null, bucket.Policy is { Length: > 0 } policy ? policy : null, bucket.QuotaBytes, bucket.UsedBytes, bucket.Objects, bucket.Replicate);

    private static Problem Of(StoreFault fault, string name) => fault switch
    {
        StoreFault.NoSuchBucket => StoreErrors.NoSuchBucket.With($"There is no bucket '{name}'."),
        StoreFault.BucketExists => StoreErrors.BucketExists.With($"The bucket '{name}' exists."),
        StoreFault.BucketNotEmpty => StoreErrors.BucketNotEmpty.With($"The bucket '{name}' still holds objects or versions."),
        _ => StoreErrors.NotPossible.With($"The bucket '{name}': {fault}."),
    };
}
