using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Access control list and tags of an object.</summary>
internal static class ObjectSettings
{
    public static async Task<S3Error?> GetAclAsync(S3Call call)
    {
        var (what, error) = await ObjectReads.FindAsync(call);
        if (what is null)
            return error;
        call.SetVersion(what.VersionId);
        using var xml = new XmlText();
        Acl.Write(xml, what.Owner, what.Acl);
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutAclAsync(S3Call call)
    {
        var (what, error) = await ObjectReads.FindAsync(call);
        if (what is null)
            return error;
        var (acl, wrong) = await BucketConfiguration.ReadAclAsync(call, what.Owner);
        if (acl is null)
            return wrong;
        if (await call.Store.SetAclAsync(call.BucketName, call.Key, call.Query["versionId"], acl.Value, call.Cancel) is { } fault)
            return S3Errors.Of(fault);
        call.SetVersion(what.VersionId);
        return call.Answer(200);
    }

    public static async Task<S3Error?> GetTagsAsync(S3Call call)
    {
        var (what, error) = await ObjectReads.FindAsync(call);
        if (what is null)
            return error;
        call.SetVersion(what.VersionId);
        using var xml = new XmlText();
        Tags.Write(xml, what.Tags);
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutTagsAsync(S3Call call)
    {
        var (root, error) = await XmlBody.ReadAsync(call);
        if (root is null)
            return error;
        var (tags, wrong) = Tags.OfXml(root, Tags.OfObjectMax);
        return tags is null ? wrong : await SetTagsAsync(call, tags, 200);
    }

    public static Task<S3Error?> DeleteTagsAsync(S3Call call) => SetTagsAsync(call, Tags.None, 204);

    /// <summary>Retention and legal holds are never set here.</summary>
    public static Task<S3Error?> NoLockAsync(S3Call call) => Task.FromResult<S3Error?>(S3Errors.InvalidRequest("Bucket is missing Object Lock Configuration"));

    private static async Task<S3Error?> SetTagsAsync(S3Call call, IReadOnlyDictionary<string, string> tags, int status)
    {
        var (what, error) = await ObjectReads.FindAsync(call);
        if (what is null)
            return error;
        if (await call.Store.SetTagsAsync(call.BucketName, call.Key, call.Query["versionId"], tags, call.Cancel) is { } fault)
            return S3Errors.Of(fault);
        call.SetVersion(what.VersionId);
        return call.Answer(status);
    }
}
