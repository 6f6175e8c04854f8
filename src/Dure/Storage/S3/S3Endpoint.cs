using System.Diagnostics;
using System.Globalization;
using Dure.Host.Files;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Answers every request of the S3 endpoint: who asks, for what, whether he may, and the answer or S3's error.</summary>
internal sealed partial class S3Endpoint(StoreServices services, StoreMetrics metrics, ILogger log)
{
    private const int HeaderBytesMax = 8192;
    private const int DrainMax = 64 * 1024;

    // Tells which process answered, as S3's own does for its hosts.
    private static readonly string HostId = Convert.ToBase64String(Guid.CreateVersion7().ToByteArray());

    /// <summary>Handles a request.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var begun = Stopwatch.GetTimestamp();
        var id = ((ulong)Random.Shared.NextInt64()).ToString("X16", CultureInfo.InvariantCulture);
        http.Response.Headers["x-amz-request-id"] = id;
        http.Response.Headers["x-amz-id-2"] = HostId;
        var name = "Unknown";
        try
        {
            var (call, error) = await BeginAsync(http, found => name = found);
            error ??= call is null ? null : await call.Operation.Handle(call);
            if (error is not null)
                await RefuseAsync(http, error, id);
        }
        catch (Exception failure) when (http.RequestAborted.IsCancellationRequested && failure is OperationCanceledException or IOException)
        {
            // The client went away.
        }
        catch (Exception failure)
        {
            await FailAsync(http, failure, id);
        }
        finally
        {
            metrics.Answered(name, http, Stopwatch.GetElapsedTime(begun));
        }
    }

    private async ValueTask<(S3Call? Call, S3Error? Error)> BeginAsync(HttpContext http, Action<string> named)
    {
        if (HeaderBytes(http.Request) > HeaderBytesMax)
            return (null, S3Errors.HeadersTooLarge);
        var (request, malformed) = S3Request.Parse(http.Request, services.Domain);
        if (request is null)
            return (null, malformed);
        if (HttpMethods.IsOptions(http.Request.Method))
        {
            named("OPTIONS");
            return (null, await PreflightAsync(http, request));
        }
        var (operation, none) = S3Operations.Find(http.Request, request);
        if (operation is null)
            return (null, none);
        named(operation.Name);
        var isForm = operation.Name == "PostObject";
        var (verified, refused) = isForm ? (new VerifiedRequest(null, BodySigning.None, null), null) : services.Verifier.Verify(http.Request);
        if (verified is null)
            return (null, refused);
        var call = new S3Call(http, request, verified, operation, services);
        if (!operation.NeedsBucket)
            return await WithoutBucketAsync(call);
        if (await services.Store.FindBucketAsync(call.BucketName, call.Cancel) is not { } bucket)
            return (null, BucketNames.IsValid(call.BucketName) ? Named(S3Errors.NoSuchBucket, call.BucketName) : Named(S3Errors.InvalidBucketName, call.BucketName));
        call.Bucket = bucket;
        if (bucket.Cors is { Length: > 0 } cors && http.Request.Headers.Origin is [{ Length: > 0 } origin])
            CorsRules.Of(cors).Apply(http.Response.Headers, origin, http.Request.Method, null);
        if (call.Header("x-amz-expected-bucket-owner") is { } owner && owner != bucket.Owner)
            return (null, S3Errors.AccessDenied);
        // The policy of a form, and each key of a delete of many, are looked at where they are read.
        if (operation.Action.Length == 0)
            return call.Who is { } key && !(Access.MayTouch(key, bucket.Name) && Access.Has(key, operation.Scope)) ? (null, S3Errors.AccessDenied) : (call, null);
        var verdict = Access.Decide(call.Who, bucket, ActionOf(call), operation.Scope, operation.Grant, request.Key);
        call.AskObject = verdict == Verdict.AskObject;
        return verdict == Verdict.Denied ? (null, S3Errors.AccessDenied) : (call, null);
    }

    // Making and listing buckets takes a key.
    private static async ValueTask<(S3Call?, S3Error?)> WithoutBucketAsync(S3Call call)
    {
        if (call.Who is null || !Access.Has(call.Who, call.Operation.Scope) || (call.Request.Bucket is { } name && !Access.MayTouch(call.Who, name)))
            return (null, S3Errors.AccessDenied);
        await ValueTask.CompletedTask;
        return (call, null);
    }

    // Old versions have actions of their own in policies.
    private static string ActionOf(S3Call call) => call.Operation.Action switch
    {
        "s3:GetObject" when call.Query.Has("versionId") => "s3:GetObjectVersion",
        "s3:DeleteObject" when call.Query.Has("versionId") => "s3:DeleteObjectVersion",
        var action => action,
    };

    private async ValueTask<S3Error?> PreflightAsync(HttpContext http, S3Request request)
    {
        var headers = http.Request.Headers;
        if (headers.Origin is not [{ Length: > 0 } origin])
            return new S3Error("BadRequest", 400, "Insufficient information. Origin request header needed.");
        if (headers.AccessControlRequestMethod is not [{ Length: > 0 } method])
            return new S3Error("BadRequest", 400, "Invalid Access-Control-Request-Method: null");
        var bucket = request.Bucket is { } name ? await services.Store.FindBucketAsync(name, http.RequestAborted) : null;
        if (bucket?.Cors is not { Length: > 0 } cors)
            return new S3Error("AccessForbidden", 403, "CORSResponse: CORS is not enabled for this bucket.");
        if (!CorsRules.Of(cors).Apply(http.Response.Headers, origin, method, headers.AccessControlRequestHeaders.ToString()))
        {
            return new S3Error("AccessForbidden", 403, "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
                + "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.");
        }
        http.Response.ContentLength = 0;
        return null;
    }

    private static S3Error Named(S3Error error, string bucket) => error with { Details = new Dictionary<string, string>(StringComparer.Ordinal) { ["BucketName"] = bucket } };

    private static int HeaderBytes(HttpRequest request)
    {
        var total = 0;
        foreach (var (name, values) in request.Headers)
        {
            // What browsers and proxies add of themselves is not the section that S3 means.
            if (name.Equals("Cookie", StringComparison.OrdinalIgnoreCase))
                continue;
            foreach (var value in values)
                total += name.Length + (value?.Length ?? 0) + 4;
        }
        return total;
    }

    private static async Task RefuseAsync(HttpContext http, S3Error error, string id)
    {
        var response = http.Response;
        if (response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            http.Abort();
            return;
        }
        response.StatusCode = error.Status;
        response.Headers.ContentLength = null;
        // A body that nobody will read is not waited for.
        if (http.Request.ContentLength is > DrainMax || (http.Request.ContentLength is null && http.Request.Headers.TransferEncoding.Count > 0))
            response.Headers.Connection = "close";
        if (error.Status == StatusCodes.Status304NotModified)
            return;
        response.ContentType = "application/xml";
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        using var xml = new XmlText();
        WriteError(xml, error, http.Request.Path, id);
        response.ContentLength = xml.Written.Length;
        await response.BodyWriter.WriteAsync(xml.Written, http.RequestAborted);
    }

    /// <summary>The error document.</summary>
    public static void WriteError(XmlText xml, S3Error error, string resource, string id)
    {
        xml.Open("Error").Element("Code", error.Code).Element("Message", error.Message);
        foreach (var (name, value) in error.Details ?? new Dictionary<string, string>(StringComparer.Ordinal))
            xml.Element(name, value);
        xml.Element("Resource", resource).Element("RequestId", id).Element("HostId", HostId).Close("Error");
    }

    private Task FailAsync(HttpContext http, Exception failure, string id)
    {
        if (failure is BrokenBodyException broken)
            return RefuseAsync(http, S3Errors.Of(broken.Fault), id);
        if (failure is BadHttpRequestException bad)
        {
            return RefuseAsync(http, bad.StatusCode == StatusCodes.Status408RequestTimeout
                ? new S3Error("RequestTimeout", 400, "Your socket connection to the server was not read from or written to within the timeout period.")
                : S3Errors.IncompleteBody, id);
        }
        if (failure is EndOfStreamException)
            return RefuseAsync(http, S3Errors.IncompleteBody, id);
        if (failure is IOException io && DurableFile.IsNoRoom(io))
            return RefuseAsync(http, S3Errors.NoRoom, id);
        LogUnexpected(failure, http.Request.Method, http.Request.Path, id);
        return RefuseAsync(http, S3Errors.InternalError, id);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed unexpectedly (request {Id})")]
    private partial void LogUnexpected(Exception error, string method, string path, string id);
}
