using System.Text;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>What is configured of a bucket: versioning, CORS, policy, access control list, tags.</summary>
internal static class BucketConfiguration
{
    public static async Task<S3Error?> GetVersioningAsync(S3Call call)
    {
        using var xml = new XmlText();
        xml.Root("VersioningConfiguration");
        if (call.Bucket.Versioning != Versioning.Off)
            xml.Element("Status", call.Bucket.Versioning == Versioning.Enabled ? "Enabled" : "Suspended");
        xml.Close("VersioningConfiguration");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutVersioningAsync(S3Call call)
    {
        var (root, error) = await XmlBody.ReadAsync(call);
        if (root is null)
            return error;
        if (XmlBody.Text(root, "MfaDelete") is "Enabled")
            return S3Errors.NotImplemented("MFA delete");
        Versioning? wanted = root.Name.LocalName != "VersioningConfiguration" ? null : XmlBody.Text(root, "Status") switch
        {
            "Enabled" => Versioning.Enabled,
            "Suspended" => Versioning.Suspended,
            _ => null,
        };
        return wanted is null ? new S3Error("IllegalVersioningConfigurationException", 400, "The versioning element must be specified")
            : await ChangeAsync(call, new BucketChange { Versioning = wanted });
    }

    public static async Task<S3Error?> GetCorsAsync(S3Call call)
    {
        if (call.Bucket.Cors is not { Length: > 0 } cors)
            return Absent(call, "NoSuchCORSConfiguration", "The CORS configuration does not exist");
        using var xml = new XmlText(declaration: false);
        xml.Raw(cors);
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutCorsAsync(S3Call call)
    {
        var (root, error) = await XmlBody.ReadAsync(call);
        if (root is null)
            return error;
        var (rules, wrong) = CorsRules.Parse(root);
        return rules is null ? wrong : await ChangeAsync(call, new BucketChange { Cors = root.ToString(System.Xml.Linq.SaveOptions.DisableFormatting) });
    }

    public static Task<S3Error?> DeleteCorsAsync(S3Call call) => ChangeAsync(call, new BucketChange { Cors = "" }, 204);

    public static async Task<S3Error?> GetPolicyAsync(S3Call call)
    {
        if (call.Bucket.Policy is not { Length: > 0 } policy)
            return Absent(call, "NoSuchBucketPolicy", "The bucket policy does not exist");
        var bytes = Encoding.UTF8.GetBytes(policy);
        call.Http.Response.ContentType = "application/json";
        call.Http.Response.ContentLength = bytes.Length;
        await call.Http.Response.BodyWriter.WriteAsync(bytes, call.Cancel);
        return null;
    }

    public static async Task<S3Error?> PutPolicyAsync(S3Call call)
    {
        var (bytes, error) = await XmlBody.BytesAsync(call);
        if (bytes is null)
            return error;
        var text = Encoding.UTF8.GetString(bytes);
        var (policy, wrong) = BucketPolicy.Parse(text, call.BucketName);
        return policy is null ? wrong : await ChangeAsync(call, new BucketChange { Policy = text }, 204);
    }

    public static Task<S3Error?> DeletePolicyAsync(S3Call call) => ChangeAsync(call, new BucketChange { Policy = "" }, 204);

    public static async Task<S3Error?> GetPolicyStatusAsync(S3Call call)
    {
        if (call.Bucket.Policy is not { Length: > 0 } policy)
            return Absent(call, "NoSuchBucketPolicy", "The bucket policy does not exist");
        using var xml = new XmlText();
        xml.Root("PolicyStatus").Element("IsPublic", BucketPolicy.Of(policy, call.BucketName).IsPublic).Close("PolicyStatus");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> GetAclAsync(S3Call call)
    {
        using var xml = new XmlText();
        Acl.Write(xml, call.Bucket.Owner, call.Bucket.Acl);
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutAclAsync(S3Call call)
    {
        var (acl, wrong) = await ReadAclAsync(call, call.Bucket.Owner);
        return acl is null ? wrong : await ChangeAsync(call, new BucketChange { Acl = acl });
    }

    public static async Task<S3Error?> GetTagsAsync(S3Call call)
    {
        if (call.Bucket.Tags.Count == 0)
            return Absent(call, "NoSuchTagSet", "The TagSet does not exist");
        using var xml = new XmlText();
        Tags.Write(xml, call.Bucket.Tags);
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutTagsAsync(S3Call call)
    {
        var (root, error) = await XmlBody.ReadAsync(call);
        if (root is null)
            return error;
        var (tags, wrong) = Tags.OfXml(root, Tags.OfBucketMax);
        return tags is null ? wrong : await ChangeAsync(call, new BucketChange { Tags = tags }, 204);
    }

    public static Task<S3Error?> DeleteTagsAsync(S3Call call) => ChangeAsync(call, new BucketChange { Tags = new Dictionary<string, string>(StringComparer.Ordinal) }, 204);

    /// <summary>The list that a request to set one names, in its header or its body.</summary>
    public static async ValueTask<(CannedAcl? Acl, S3Error? Error)> ReadAclAsync(S3Call call, string owner)
    {
        var (acl, wrong) = Acl.OfHeaders(call);
        if (wrong is not null || acl is not null)
            return (acl, wrong);
        var (bytes, error) = await XmlBody.BytesAsync(call);
        if (bytes is null)
            return (null, error);
        if (bytes.Length == 0)
            return (null, new S3Error("MissingSecurityHeader", 400, "Your request was missing a required header"));
        return XmlBody.Parse(new MemoryStream(bytes)) is { } root ? Acl.OfXml(root, owner) : (null, S3Errors.MalformedXml with { Code = "MalformedACLError" });
    }

    private static async Task<S3Error?> ChangeAsync(S3Call call, BucketChange change, int status = 200) =>
        await call.Store.ChangeBucketAsync(call.BucketName, change, call.Cancel) is { } fault ? S3Errors.Of(fault) : call.Answer(status);

    private static S3Error Absent(S3Call call, string code, string message) =>
        new(code, 404, message, new Dictionary<string, string>(StringComparer.Ordinal) { ["BucketName"] = call.BucketName });
}
