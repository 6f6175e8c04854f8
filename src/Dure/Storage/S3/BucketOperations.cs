using System.Buffers.Text;
using System.Text;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Buckets themselves: list, create, head, delete, where they lie.</summary>
internal static class BucketOperations
{
    private const int PageMax = 10_000;

    public static async Task<S3Error?> ListAsync(S3Call call)
    {
        var (most, wrong) = call.Number("max-buckets", PageMax, 1, PageMax);
        if (wrong is not null)
            return wrong;
        var prefix = call.Query["prefix"] ?? "";
        var (after, bad) = Marker(call.Query["continuation-token"]);
        if (bad is not null)
            return bad;
        var who = call.Who!;
        var all = (await call.Store.ListBucketsAsync(call.Cancel))
            .Where(bucket => (bucket.Owner == who.User || who.Scopes.HasFlag(KeyScopes.Admin)) && Access.MayTouch(who, bucket.Name))
            .Where(bucket => bucket.Name.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(bucket.Name, after) > 0)
            .OrderBy(bucket => bucket.Name, StringComparer.Ordinal).Take(most + 1).ToList();
        using var xml = new XmlText();
        xml.Root("ListAllMyBucketsResult").Owner("Owner", call.User).Open("Buckets");
        foreach (var bucket in all.Take(most))
            xml.Open("Bucket").Element("Name", bucket.Name).Element("CreationDate", bucket.CreatedAt).Element("BucketRegion", call.Services.Region).Close("Bucket");
        xml.Close("Buckets");
        if (all.Count > most)
            xml.Element("ContinuationToken", Token(all[most - 1].Name));
        if (prefix.Length > 0)
            xml.Element("Prefix", prefix);
        xml.Close("ListAllMyBucketsResult");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> CreateAsync(S3Call call)
    {
        if (!BucketNames.IsValid(call.BucketName))
            return S3Errors.InvalidBucketName with { Details = new Dictionary<string, string>(StringComparer.Ordinal) { ["BucketName"] = call.BucketName } };
        if (call.Header("x-amz-bucket-object-lock-enabled") is "true" or "True")
            return S3Errors.NotImplemented("Object lock");
        var (acl, wrong) = Acl.OfHeaders(call);
        if (wrong is not null)
            return wrong;
        var (bytes, unread) = await XmlBody.BytesAsync(call);
        if (bytes is null)
            return unread;
        if (bytes.Length > 0 && CheckLocation(call, bytes) is { } elsewhere)
            return elsewhere;
        var made = await call.Store.CreateBucketAsync(call.BucketName, call.User, acl ?? CannedAcl.Private, call.Cancel);
        if (made.Fault == StoreFault.BucketExists)
        {
            var there = await call.Store.FindBucketAsync(call.BucketName, call.Cancel);
            return there?.Owner == call.User ? S3Errors.BucketAlreadyOwnedByYou : S3Errors.BucketAlreadyExists;
        }
        if (made.Fault is { } fault)
            return S3Errors.Of(fault);
        call.Set("Location", "/" + call.BucketName);
        return call.Answer(200);
    }

    public static Task<S3Error?> HeadAsync(S3Call call)
    {
        call.Set("x-amz-bucket-region", call.Services.Region);
        call.Set("x-amz-access-point-alias", "false");
        call.Http.Response.ContentType = "application/xml";
        return Task.FromResult(call.Answer(200));
    }

    public static async Task<S3Error?> DeleteAsync(S3Call call) =>
        await call.Store.DeleteBucketAsync(call.BucketName, call.Cancel) is { } fault ? S3Errors.Of(fault) : call.Answer(204);

    public static async Task<S3Error?> LocationAsync(S3Call call)
    {
        using var xml = new XmlText();
        xml.Root("LocationConstraint");
        if (call.Services.Region != "us-east-1")
            xml.Text(call.Services.Region);
        xml.Close("LocationConstraint");
        return await call.AnswerAsync(xml);
    }

    /// <summary>A token that clients take as it is: the name to go on after.</summary>
    public static string Token(string name) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes("1" + name));

    /// <summary>The name in a token; empty where there is none.</summary>
    public static (string After, S3Error? Error) Marker(string? token)
    {
        if (token is null)
            return ("", null);
        try
        {
            if (Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token)) is ['1', .. var name])
                return (name, null);
        }
        catch (FormatException)
        {
            // Answered below.
        }
        return ("", S3Errors.InvalidArgument("The continuation token provided is incorrect", "continuation-token", token));
    }

    private static S3Error? CheckLocation(S3Call call, byte[] bytes)
    {
        if (XmlBody.Parse(new MemoryStream(bytes)) is not { Name.LocalName: "CreateBucketConfiguration" } root)
            return S3Errors.MalformedXml;
        var region = XmlBody.Text(root, "LocationConstraint");
        return region is null or "" or "us-east-1" || region == call.Services.Region ? null
            : new S3Error("InvalidLocationConstraint", 400, "The specified location-constraint is not valid",
                new Dictionary<string, string>(StringComparer.Ordinal) { ["LocationConstraint"] = region });
    }
}
