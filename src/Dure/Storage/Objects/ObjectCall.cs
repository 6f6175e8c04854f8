using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.Objects;

/// <summary>
/// One request of a signed-in person about objects of a bucket. What may be done is decided as for an S3 request that is signed by a key of
/// the same person: the bucket's policy, its owner, its access list.
/// </summary>
internal sealed class ObjectCall
{
    private ObjectCall(HttpContext http, StoreServices services, Bucket bucket, AccessKey who) => (Http, Services, Bucket, Who) = (http, services, bucket, who);

    public HttpContext Http { get; }

    public StoreServices Services { get; }

    public Bucket Bucket { get; }

    /// <summary>A key that the person could have; it has no secret and signs nothing.</summary>
    public AccessKey Who { get; }

    public ObjectStore Store => Services.Store;

    public CancellationToken Cancel => Http.RequestAborted;

    /// <summary>Finds the bucket that the route names.</summary>
    /// <returns>Null when there is none, and it was answered.</returns>
    public static async ValueTask<ObjectCall?> BeginAsync(HttpContext http, StoreServices services)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        var caller = http.Caller();
        if (await services.Store.FindBucketAsync(name, http.RequestAborted) is { } bucket)
            return new ObjectCall(http, services, bucket, new AccessKey("", "", caller.Name, KeysApi.ScopesOf(caller), [], null));
        await ProblemResponse.WriteAsync(http, StoreErrors.NoSuchBucket.With($"There is no bucket '{name}'."));
        return null;
    }

    /// <summary>A value of the query; null when it is missing or empty.</summary>
    public string? Query(string name) => Http.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    /// <summary>What somebody who may not is told; null when he may.</summary>
    /// <param name="key">Null for what concerns the whole bucket.</param>
    public Problem? Refusal(string action, KeyScopes scope, AclGrant grant, string? key) => Refusal(Bucket, action, scope, grant, key);

    /// <summary>The same for another bucket.</summary>
    public Problem? Refusal(Bucket bucket, string action, KeyScopes scope, AclGrant grant, string? key) =>
        Access.Decide(Who, bucket, action, scope, grant, key) == Verdict.Allowed ? null : ObjectErrors.NotAllowed.With($"'{Who.User}' may not {action[3..]} in {Named(bucket, key)}.");

    /// <summary>The key that the query names, looked at.</summary>
    /// <returns>Null when it is missing or no key, and it was answered.</returns>
    public async ValueTask<string?> KeyAsync()
    {
        var key = Query("key");
        if (Fault(key) is not { } fault)
            return key;
        await AnswerAsync(HostErrors.BadRequest.With("The query has a fault.", [fault]));
        return null;
    }

    /// <summary>What is wrong with a key; null when nothing.</summary>
    public static Fault? Fault(string? key, string where = "key") => key is not { Length: > 0 } ? new Fault(where, "The key of an object: 1 to 1024 bytes.")
        : S3Request.CheckKey(key) is { } wrong ? new Fault(where, wrong.Message) : null;

    /// <summary>The request as the handlers of S3 know it.</summary>
    public S3Call ToS3(string key, params (string Name, string Value)[] query) =>
        new(Http, new S3Request(Bucket.Name, key, new S3Query(query), ""), new VerifiedRequest(Who, BodySigning.None, null), S3Operations.Plain, Services) { Bucket = Bucket };

    public Task AnswerAsync(Problem problem) => ProblemResponse.WriteAsync(Http, problem);

    public Task AnswerAsync(S3Error error, string key) => AnswerAsync(ObjectErrors.Of(error, Named(Bucket, key)));

    public Task AnswerAsync(StoreFault fault, string key) => AnswerAsync(ObjectErrors.Of(fault, Named(Bucket, key)));

    public static string Named(Bucket bucket, string? key) => key is null ? $"s3://{bucket.Name}" : $"s3://{bucket.Name}/{key}";
}
