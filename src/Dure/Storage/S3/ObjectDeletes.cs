using System.Globalization;
using System.Xml.Linq;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>DeleteObject and DeleteObjects.</summary>
internal static class ObjectDeletes
{
    private const int ManyMax = 1000;

    // So many wait for one flush of the disk together.
    private const int AtOnce = 64;

    public static async Task<S3Error?> OneAsync(S3Call call)
    {
        var (conditions, wrong) = Conditions.Delete(call);
        if (wrong is not null)
            return wrong;
        var versionId = call.Query["versionId"];
        if (versionId is { Length: 0 })
            return S3Errors.InvalidArgument("Version id cannot be the empty string", "versionId");
        var deleted = await call.Store.DeleteAsync(call.BucketName, call.Key, versionId, conditions, call.Cancel);
        if (deleted.Fault is { } fault && !IsGone(fault, conditions))
            return S3Errors.Of(fault);
        if (deleted.Value is { } what)
        {
            call.SetVersion(what.VersionId);
            if (what.IsDeleteMarker)
                call.Set("x-amz-delete-marker", "true");
        }
        return call.Answer(204);
    }

    public static async Task<S3Error?> ManyAsync(S3Call call)
    {
        if (!call.Http.Request.Headers.Any(header => header.Key.Equals("Content-MD5", StringComparison.OrdinalIgnoreCase)
            || header.Key.StartsWith("x-amz-checksum-", StringComparison.OrdinalIgnoreCase) || header.Key.Equals("x-amz-trailer", StringComparison.OrdinalIgnoreCase)))
            return S3Errors.MissingContentMd5;
        var (root, error) = await XmlBody.ReadAsync(call);
        if (root is null)
            return error;
        var (asked, malformed) = Read(root);
        if (asked is null)
            return malformed;
        var quiet = XmlBody.Text(root, "Quiet") is "true" or "True" or "1";
        using var xml = new XmlText();
        xml.Root("DeleteResult");
        for (var at = 0; at < asked.Count; at += AtOnce)
        {
            var some = asked.Skip(at).Take(AtOnce).ToList();
            var ends = await Task.WhenAll(some.Select(one => DeleteAsync(call, one)));
            for (var i = 0; i < some.Count; i++)
                Write(xml, some[i], ends[i], quiet);
        }
        xml.Close("DeleteResult");
        return await call.AnswerAsync(xml);
    }

    private static async Task<(Deleted? Deleted, S3Error? Error)> DeleteAsync(S3Call call, Asked asked)
    {
        if (asked.Key.Length == 0)
            return (null, new S3Error("UserKeyMustBeSpecified", 400, "The bucket POST must contain the specified field name."));
        if (S3Request.CheckKey(asked.Key) is { } bad)
            return (null, bad);
        var action = asked.VersionId is null ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
        if (Access.Decide(call.Who, call.Bucket, action, KeyScopes.Write, AclGrant.BucketWrite, asked.Key) != Verdict.Allowed)
            return (null, S3Errors.AccessDenied);
        var deleted = await call.Store.DeleteAsync(call.BucketName, asked.Key, asked.VersionId, asked.Conditions, call.Cancel);
        return deleted.Fault is { } fault && !IsGone(fault, asked.Conditions) ? (null, S3Errors.Of(fault)) : (deleted.Value, null);
    }

    // Deleting what is not there is done already, unless it had to be as it was.
    private static bool IsGone(StoreFault fault, WriteConditions conditions) => fault == StoreFault.NoSuchVersion || (fault == StoreFault.NoSuchKey && conditions.IfMatch is null);

    private static void Write(XmlText xml, Asked asked, (Deleted? Deleted, S3Error? Error) end, bool quiet)
    {
        if (end.Error is { } error)
        {
            xml.Open("Error").Element("Key", asked.Key).Optional("VersionId", asked.VersionId).Element("Code", error.Code).Element("Message", error.Message).Close("Error");
            return;
        }
        if (quiet)
            return;
        xml.Open("Deleted").Element("Key", asked.Key).Optional("VersionId", asked.VersionId);
        if (end.Deleted is { IsDeleteMarker: true } marker)
            xml.Element("DeleteMarker", true).Optional("DeleteMarkerVersionId", marker.VersionId);
        xml.Close("Deleted");
    }

    private static (List<Asked>? Asked, S3Error? Error) Read(XElement root)
    {
        if (root.Name.LocalName != "Delete")
            return (null, S3Errors.MalformedXml);
        var asked = new List<Asked>();
        foreach (var element in root.Elements())
        {
            if (element.Name.LocalName == "Quiet")
                continue;
            if (element.Name.LocalName != "Object" || XmlBody.Child(element, "Key") is not { } key || asked.Count == ManyMax)
                return (null, S3Errors.MalformedXml);
            var time = XmlBody.Text(element, "LastModifiedTime");
            long? size = XmlBody.Text(element, "Size") is { } text ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1 : null;
            var tag = Conditions.Bare(XmlBody.Text(element, "ETag"));
            var conditions = tag is null && time is null && size is null ? WriteConditions.None
                : new WriteConditions(tag, null, time is null ? null : Conditions.Time(time) ?? DateTimeOffset.UnixEpoch, size);
            var version = XmlBody.Text(element, "VersionId");
            asked.Add(new Asked(key.Value, version is { Length: > 0 } ? version : null, conditions));
        }
        return asked.Count > 0 ? (asked, null) : (null, S3Errors.MalformedXml);
    }

    private sealed record Asked(string Key, string? VersionId, WriteConditions Conditions);
}
