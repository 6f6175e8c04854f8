using System.Text;
using Dure.Host;
using Dure.Host.Web;
using Dure.Storage.S3;
using Dure.Storage.Signing;

namespace Dure.Storage.Objects;

/// <summary>Bytes of objects, out and in.</summary>
internal static class ObjectTransfers
{
    // What is stored was written by anyone, and comes from the portal's own origin: it may be looked at, and may not run, frame, send or be a script of a page.
    private const string Inert = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; frame-ancestors 'self'";

    private static readonly HashSet<string> Executed = new(StringComparer.OrdinalIgnoreCase)
    {
        "script", "style", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet", "manifest", "xslt", "json", "embed", "object",
    };

    public static async Task GetAsync(ObjectCall call)
    {
        if (await call.KeyAsync() is not { } key)
            return;
        if (Executed.Contains(call.Http.Request.Headers["Sec-Fetch-Dest"].ToString()))
        {
            await call.AnswerAsync(ObjectErrors.NotAllowed.With("A page may not use an object as its script, style or plug-in from here; use the S3 endpoint and its own origin."));
            return;
        }
        var version = call.Query("version");
        var verdict = Access.Decide(call.Who, call.Bucket, version is null ? "s3:GetObject" : "s3:GetObjectVersion", KeyScopes.Read, AclGrant.ObjectRead, key);
        if (verdict == Verdict.Denied)
        {
            await call.AnswerAsync(ObjectErrors.NotAllowed.With($"'{call.Who.User}' may not read {ObjectCall.Named(call.Bucket, key)}."));
            return;
        }
        var s3 = call.ToS3(key, [("response-content-disposition", Disposition(key, call.Query("download") == "true")), .. version is null ? [] : (IEnumerable<(string, string)>)[("versionId", version)]]);
        s3.AskObject = verdict == Verdict.AskObject;
        call.Http.Response.OnStarting(static state => Guard((HttpResponse)state), call.Http.Response);
        if (await ObjectReads.GetAsync(s3) is not { } error)
            return;
        if (error.Status == StatusCodes.Status304NotModified)
            call.Http.Response.StatusCode = error.Status;
        else
            await AnswerAsync(call, error, key);
    }

    public static async Task PutAsync(ObjectCall call)
    {
        if (await call.KeyAsync() is not { } key)
            return;
        if (call.Refusal("s3:PutObject", KeyScopes.Write, AclGrant.BucketWrite, key) is { } refused)
        {
            await call.AnswerAsync(refused);
            return;
        }
        // Browsers say these of the request, not of the object.
        call.Http.Request.Headers.Remove("Cache-Control");
        call.Http.Request.Headers.Remove("Expires");
        if (await ObjectWrites.PutAsync(call.ToS3(key)) is { } error)
        {
            await AnswerAsync(call, error, key);
            return;
        }
        await ToldAsync(call, key);
    }

    /// <summary>Answers 201 with the object as it is now.</summary>
    public static async Task ToldAsync(ObjectCall call, string key)
    {
        var found = await call.Store.FindAsync(call.Bucket.Name, key, null, call.Cancel);
        call.Http.Response.ContentLength = null;
        if (found.Fault is { } gone)
        {
            // It was kept, and somebody else has deleted it since.
            await call.AnswerAsync(gone, key);
            return;
        }
        call.Http.Response.StatusCode = StatusCodes.Status201Created;
        await JsonBody.WriteAsync(call.Http, ObjectView.Of(found.Value!, call.Bucket), ObjectJson.Default.ObjectView);
    }

    /// <summary>Answers an error of S3, which may have set a length for a body that does not come.</summary>
    public static Task AnswerAsync(ObjectCall call, S3Error error, string key)
    {
        if (call.Http.Response.HasStarted)
        {
            call.Http.Abort();
            return Task.CompletedTask;
        }
        call.Http.Response.ContentLength = null;
        return call.AnswerAsync(error, key);
    }

    /// <summary>How a browser shows or saves it: under the last part of its key, whatever letters that has (RFC 6266).</summary>
    internal static string Disposition(string key, bool save)
    {
        var name = key.TrimEnd('/')[(key.TrimEnd('/').LastIndexOf('/') + 1)..];
        var plain = new StringBuilder();
        foreach (var letter in name)
            plain.Append(letter is < ' ' or > '~' or '"' or '\\' or '%' ? '_' : letter);
        return $"{(save ? "attachment" : "inline")}; filename=\"{plain}\"; filename*=UTF-8''{Uri.EscapeDataString(name)}";
    }

    private static Task Guard(HttpResponse response)
    {
        // Headers of this server are ASCII; those that were stored may be more. Metadata is told by the list of versions.
        foreach (var (name, value) in response.Headers.ToList())
        {
            if (name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase) || !Ascii.IsValid(value.ToString()))
                response.Headers.Remove(name);
        }
        response.Headers.ContentSecurityPolicy = Inert;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        response.Headers["Referrer-Policy"] = "no-referrer";
        if (response.Headers.CacheControl.Count == 0)
            response.Headers.CacheControl = "private, no-cache";
        return Task.CompletedTask;
    }
}
