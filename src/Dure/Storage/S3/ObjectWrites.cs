using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>PutObject.</summary>
internal static class ObjectWrites
{
    /// <summary>Bytes of one put, as S3 limits it; larger objects are uploaded in parts.</summary>
    public const long PutMax = 5L << 30;

    public static async Task<S3Error?> PutAsync(S3Call call)
    {
        if (NewHeaders.Unsupported(call) is { } unsupported)
            return unsupported;
        var (conditions, wrong) = Conditions.Write(call);
        if (wrong is not null)
            return wrong;
        var (what, bad) = NewHeaders.Read(call, conditions);
        if (what is null)
            return bad;
        var (body, error) = RequestBody.Open(call.Http.Request, call.Verified, null, Math.Min(PutMax, call.Services.UploadLimit));
        if (body is null)
            return error;
        var put = await call.Store.PutAsync(call.BucketName, what, body, call.Cancel);
        if (put.Fault is { } fault)
            return S3Errors.Of(fault);
        var made = put.Value!;
        call.Http.Response.Headers.ETag = $"\"{made.ETag}\"";
        call.SetVersion(made.VersionId);
        call.SetChecksums(made.Checksums);
        return call.Answer(200);
    }
}
