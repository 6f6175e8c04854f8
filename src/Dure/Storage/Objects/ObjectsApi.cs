using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.Objects;

/// <summary>
/// The API of objects, <c>/api/storage/buckets/{name}/…</c>: the embedded store for those who are signed in, without access keys. The same
/// store and the same rules as at the S3 endpoint. Keys are in the query, for they may hold anything.
/// </summary>
internal static class ObjectsApi
{
    private const int PageMax = 1000;

    private static readonly Dictionary<string, string> Key = With(("key", "Of the object."));
    private static readonly Dictionary<string, string> UploadKey = With(("key", "Of the object that is being uploaded."));

    /// <summary>One for each endpoint, for the API's document.</summary>
    public static IReadOnlyList<ApiOperation> Operations { get; } =
    [
        new("GET", "/api/storage/buckets/{name}/objects", "Objects of a bucket in the order of their keys, folders as prefixes.", 200, ObjectJson.Default.ObjectPageView)
        {
            Parameters = With(("prefix", "Of the keys."), ("delimiter", "Where folders end, mostly `/`; without, every key is told."), ("limit", "Items and prefixes, 1 to 1000."), ("cursor", "As `next` of the page before.")),
        },
        new("GET", "/api/storage/buckets/{name}/versions", "Versions of one object, the newest first.", 200, ObjectJson.Default.ObjectVersionsView)
        {
            Parameters = With(("key", "Of the object."), ("limit", "1 to 1000."), ("cursor", "As `next` of the page before.")),
        },
        new("GET", "/api/storage/buckets/{name}/object", "The bytes of an object. Browsers never run what is in it.", 200)
        {
            ResponseType = "application/octet-stream",
            Parameters = With(("key", "Of the object."), ("version", "A version; without, the latest."), ("download", "`true` has browsers save it."), ("Range", "bytes=FIRST-LAST.")),
        },
        new("PUT", "/api/storage/buckets/{name}/object", "Keep the body as an object, up to 5 GiB; larger ones are uploaded in parts.", 201, ObjectJson.Default.ObjectView)
        {
            RequestType = "application/octet-stream",
            Parameters = With(("key", "Of the object."), ("If-None-Match", "`*` refuses to replace an object."), ("If-Match", "Only in place of the object with this ETag.")),
        },
        new("POST", "/api/storage/buckets/{name}/delete", "Delete objects, versions and whole folders.", 200, ObjectJson.Default.DeletedObjectsView, ObjectJson.Default.DeleteObjectsRequest),
        new("POST", "/api/storage/buckets/{name}/copy", "Copy an object, or give it another name.", 201, ObjectJson.Default.ObjectView, ObjectJson.Default.CopyObjectRequest),
        new("POST", "/api/storage/buckets/{name}/link", "An address by which whoever has it may read or write one object for a while.", 201, ObjectJson.Default.LinkView, ObjectJson.Default.LinkRequest),
        new("POST", "/api/storage/buckets/{name}/uploads", "Begin an upload in parts.", 201, ObjectJson.Default.UploadView, ObjectJson.Default.BeginUploadRequest),
        new("GET", "/api/storage/buckets/{name}/uploads/{id}", "The parts that are kept: where to go on.", 200, ObjectJson.Default.PartsView) { Parameters = UploadKey },
        new("PUT", "/api/storage/buckets/{name}/uploads/{id}/{part}", "Keep the body as a part, 1 to 10000.", 200, ObjectJson.Default.PartView) { RequestType = "application/octet-stream", Parameters = UploadKey },
        new("POST", "/api/storage/buckets/{name}/uploads/{id}/complete", "Make the object of its parts.", 201, ObjectJson.Default.ObjectView, ObjectJson.Default.CompleteUploadRequest) { Parameters = UploadKey },
        new("DELETE", "/api/storage/buckets/{name}/uploads/{id}", "Give an upload up.", 204) { Parameters = Key },
    ];

    /// <summary>Maps the endpoints.</summary>
    /// <param name="changed">Hears after every change; must return at once.</param>
    public static void Map(Gate gate, StoreServices services, ObjectLinks links, Action changed)
    {
        void Map(string method, string path, Scopes scope, Func<ObjectCall, Task> handle) => gate.Map(method, "/api/storage/buckets/{name}/" + path, scope, async http =>
        {
            if (await ObjectCall.BeginAsync(http, services) is { } call)
                await handle(call);
            if (method != "GET" && http.Response.StatusCode < 300)
                changed();
        });

        Map("GET", "objects", Scopes.Read, ListAsync);
        Map("GET", "versions", Scopes.Read, VersionsAsync);
        Map("GET", "object", Scopes.Read, ObjectTransfers.GetAsync);
        Map("PUT", "object", Scopes.Deploy, ObjectTransfers.PutAsync);
        Map("POST", "delete", Scopes.Deploy, ObjectChanges.DeleteAsync);
        Map("POST", "copy", Scopes.Deploy, ObjectChanges.CopyAsync);
        Map("POST", "link", Scopes.Read | Scopes.Deploy, links.MakeAsync);
        Map("POST", "uploads", Scopes.Deploy, ObjectParts.BeginAsync);
        Map("GET", "uploads/{id}", Scopes.Deploy, ObjectParts.ListAsync);
        Map("PUT", "uploads/{id}/{part}", Scopes.Deploy, ObjectParts.PutAsync);
        Map("POST", "uploads/{id}/complete", Scopes.Deploy, ObjectParts.CompleteAsync);
        Map("DELETE", "uploads/{id}", Scopes.Deploy, ObjectParts.AbortAsync);
    }

    private static async Task ListAsync(ObjectCall call)
    {
        if (call.Refusal("s3:ListBucket", KeyScopes.Read, AclGrant.BucketRead, null) is { } refused)
        {
            await call.AnswerAsync(refused);
            return;
        }
        if (await LimitAsync(call) is not { } limit)
            return;
        var listed = await call.Store.ListAsync(call.Bucket.Name, new ListKeys(call.Query("prefix") ?? "", call.Query("delimiter") ?? "", call.Query("cursor") ?? "", limit), call.Cancel);
        if (listed.Fault is { } fault)
        {
            await call.AnswerAsync(ObjectErrors.Of(fault, ObjectCall.Named(call.Bucket, null)));
            return;
        }
        var page = listed.Value!;
        await JsonBody.WriteAsync(call.Http, new ObjectPageView([.. page.Objects.Select(one => ObjectView.Of(one, call.Bucket))], page.CommonPrefixes, page.Next), ObjectJson.Default.ObjectPageView);
    }

    private static async Task VersionsAsync(ObjectCall call)
    {
        if (await call.KeyAsync() is not { } key)
            return;
        if (call.Refusal("s3:ListBucketVersions", KeyScopes.Read, AclGrant.BucketRead, null) is { } refused)
        {
            await call.AnswerAsync(refused);
            return;
        }
        if (await LimitAsync(call) is not { } limit)
            return;
        // The key itself is the smallest with its own prefix, so its versions come before all others.
        var after = call.Query("cursor");
        var listed = await call.Store.ListVersionsAsync(call.Bucket.Name, new ListVersions(key, "", after is null ? "" : key, after ?? "", limit), call.Cancel);
        if (listed.Fault is { } fault)
        {
            await call.AnswerAsync(fault, key);
            return;
        }
        var page = listed.Value!;
        var own = page.Versions.Where(version => version.Key == key).ToList();
        if (own.Count == 0 && after is null)
        {
            await call.AnswerAsync(StoreFault.NoSuchKey, key);
            return;
        }
        var next = own.Count == page.Versions.Count && page.NextKey == key ? page.NextVersion : null;
        await JsonBody.WriteAsync(call.Http, new ObjectVersionsView([.. own.Select(one => ObjectView.Of(one, call.Bucket))], next), ObjectJson.Default.ObjectVersionsView);
    }

    private static async ValueTask<int?> LimitAsync(ObjectCall call)
    {
        var limit = PageMax;
        if (call.Query("limit") is not { } text || (int.TryParse(text, out limit) && limit is >= 1 and <= PageMax))
            return limit;
        await call.AnswerAsync(HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {PageMax}.")]));
        return null;
    }

    private static Dictionary<string, string> With(params (string Name, string Meaning)[] parameters) => parameters.ToDictionary(one => one.Name, one => one.Meaning, StringComparer.Ordinal);
}
