using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>The source of a copy, from <c>x-amz-copy-source</c>: <c>[/]bucket/key[?versionId=ID]</c>, encoded as an address.</summary>
internal static class CopySource
{
    private const string Version = "?versionId=";

    /// <summary>Splits the header; null when it names no bucket and key.</summary>
    public static (string Bucket, string Key, string? VersionId)? Parse(string header)
    {
        string? version = null;
        var text = header.AsSpan();
        if (header.LastIndexOf(Version, StringComparison.Ordinal) is var at and >= 0)
        {
            version = header[(at + Version.Length)..];
            text = text[..at];
        }
        if (S3Query.Decode(text, plusIsSpace: false) is not { } decoded)
            return null;
        decoded = decoded.StartsWith('/') ? decoded[1..] : decoded;
        var slash = decoded.IndexOf('/', StringComparison.Ordinal);
        return slash <= 0 || slash == decoded.Length - 1 ? null : (decoded[..slash], decoded[(slash + 1)..], version);
    }

    /// <summary>Finds the source, looks whether the caller may read it, and whether the request's conditions on it hold.</summary>
    public static async ValueTask<(StoredObject? Source, Bucket? From, string? VersionId, S3Error? Error)> FindAsync(S3Call call)
    {
        if (Parse(call.Header("x-amz-copy-source") ?? "") is not { } named)
            return Wrong(S3Errors.InvalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", call.Header("x-amz-copy-source")));
        if (named.VersionId is { Length: 0 })
            return Wrong(S3Errors.InvalidArgument("Version id cannot be the empty string", "x-amz-copy-source"));
        if (await call.Store.FindBucketAsync(named.Bucket, call.Cancel) is not { } from)
            return Wrong(S3Errors.NoSuchBucket);
        if (call.Header("x-amz-source-expected-bucket-owner") is { } owner && owner != from.Owner)
            return Wrong(S3Errors.AccessDenied);
        var verdict = Access.Decide(call.Who, from, named.VersionId is null ? "s3:GetObject" : "s3:GetObjectVersion", KeyScopes.Read, AclGrant.ObjectRead, named.Key);
        if (verdict == Verdict.Denied)
            return Wrong(S3Errors.AccessDenied);
        var found = await call.Store.FindAsync(named.Bucket, named.Key, named.VersionId, call.Cancel);
        if (found.Fault is { } fault)
            return Wrong(Access.MayList(call.Who, from) ? S3Errors.Of(fault) : S3Errors.AccessDenied);
        var source = found.Value!;
        if (verdict == Verdict.AskObject && !Access.MayRead(call.Who, source))
            return Wrong(S3Errors.AccessDenied);
        if (source.IsDeleteMarker)
            return Wrong(named.VersionId is null ? S3Errors.NoSuchKey : S3Errors.InvalidRequest("The source of a copy request may not specifically refer to a delete marker by version id."));
        return Conditions.Copy(call, source) is { } failed ? Wrong(failed) : (source, from, named.VersionId, null);
    }

    private static (StoredObject?, Bucket?, string?, S3Error?) Wrong(S3Error error) => (null, null, null, error);
}
