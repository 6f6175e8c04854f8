using System.Globalization;
using System.Text;
using Dure.Host.Files;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Dure.Storage.S3;

/// <summary>PostObject: an upload by a form of a web page (API reference, "POST Object"). Fields come first, the file last; what follows it is not read.</summary>
internal static class FormUpload
{
    private const int FieldsBytesMax = 20 * 1024;

    private static readonly S3Error Malformed = new("MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data.");

    public static async Task<S3Error?> PostAsync(S3Call call)
    {
        if (!MediaTypeHeaderValue.TryParse(call.Http.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= 200 } boundary)
            return S3Errors.PreconditionFailed with { Message = "Bucket POST must be of the enclosure-type multipart/form-data" };
        try
        {
            var reader = new MultipartReader(boundary.ToString(), call.Http.Request.Body);
            var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            var total = 0;
            while (await reader.ReadNextSectionAsync(call.Cancel) is { } section)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || HeaderUtilities.RemoveQuotes(disposition.Name) is not { Length: > 0 } name)
                    return Malformed;
                if (name.Equals("file", StringComparison.OrdinalIgnoreCase))
                    return await FileAsync(call, fields, section, FileName(disposition));
                var (value, length) = await TextAsync(section.Body, FieldsBytesMax - total, call.Cancel);
                total += length;
                if (value is null)
                    return new S3Error("MaxPostPreDataLengthExceeded", 400, "Your POST request fields preceding the upload file were too large.");
                fields[name.ToString()] = value;
            }
            return S3Errors.InvalidArgument("POST requires exactly one file upload per request.", "file", "0");
        }
        catch (Exception error) when (error is InvalidDataException || (error is IOException io and not BrokenBodyException and not BadHttpRequestException && !DurableFile.IsNoRoom(io)))
        {
            return Malformed;
        }
    }

    private static async Task<S3Error?> FileAsync(S3Call call, Dictionary<string, string> fields, MultipartSection section, string fileName)
    {
        if (!fields.TryGetValue("key", out var key) || key.Length == 0)
            return new S3Error("UserKeyMustBeSpecified", 400, "The bucket POST must contain the specified field name. If it is specified, check the order of the fields.");
        key = key.Replace("${filename}", fileName, StringComparison.Ordinal);
        if (S3Request.CheckKey(key) is { } bad)
            return bad;
        fields["key"] = key;
        var (post, refused) = call.Services.Forms.Verify(call.BucketName, fields);
        if (post is null)
            return refused;
        var who = post.Key;
        var most = Math.Min(post.LengthMax, Math.Min(ObjectWrites.PutMax, call.Services.UploadLimit));
        if (Access.Decide(who, call.Bucket, "s3:PutObject", KeyScopes.Write, AclGrant.BucketWrite, key) != Verdict.Allowed)
            return S3Errors.AccessDenied;
        var (headers, wrong) = NewHeaders.Of(fields.Select(field => new KeyValuePair<string, StringValues>(field.Key, field.Value)));
        if (headers is null)
            return wrong;
        var (acl, badAcl) = Acl.Of(fields.GetValueOrDefault("acl"));
        if (badAcl is not null)
            return badAcl;
        IReadOnlyDictionary<string, string>? tags = Tags.None;
        if (fields.GetValueOrDefault("tagging") is { Length: > 0 } tagging)
        {
            (tags, var badTags) = XmlBody.Parse(tagging) is { } root ? Tags.OfXml(root, Tags.OfObjectMax) : (null, S3Errors.MalformedXml);
            if (tags is null)
                return badTags;
        }
        var body = new IncomingBody(section.Body, null, Md5(fields), [], computed => computed.Length > most ? StoreFault.TooLarge : computed.Length < post.LengthMin ? StoreFault.PartTooSmall : null);
        var put = await call.Store.PutAsync(call.BucketName, new NewObject(key, who?.User ?? "anonymous", headers, acl ?? CannedAcl.Private, tags, WriteConditions.None), body, call.Cancel);
        return put.Fault is { } fault ? S3Errors.Of(fault) : await AnswerAsync(call, fields, put.Value!);
    }

    private static async Task<S3Error?> AnswerAsync(S3Call call, Dictionary<string, string> fields, StoredObject made)
    {
        var etag = $"\"{made.ETag}\"";
        var host = call.Http.Request;
        var location = call.Services.Domain is { } domain && host.Host.Host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase)
            ? $"{host.Scheme}://{host.Host}/{S3Query.Encode(made.Key)}" : $"{host.Scheme}://{host.Host}/{call.BucketName}/{S3Query.Encode(made.Key)}";
        call.Http.Response.Headers.ETag = etag;
        call.Http.Response.Headers.Location = location;
        call.SetVersion(made.VersionId);
        var redirect = fields.GetValueOrDefault("success_action_redirect") ?? fields.GetValueOrDefault("redirect");
        if (redirect is { Length: > 0 } && Uri.TryCreate(redirect, UriKind.Absolute, out var to) && to.Scheme is "http" or "https")
        {
            call.Http.Response.Headers.Location = redirect + (to.Query.Length == 0 ? "?" : "&")
                + $"bucket={Uri.EscapeDataString(call.BucketName)}&key={Uri.EscapeDataString(made.Key)}&etag={Uri.EscapeDataString(etag)}";
            return call.Answer(StatusCodes.Status303SeeOther);
        }
        switch (fields.GetValueOrDefault("success_action_status"))
        {
            case "200":
                return call.Answer(StatusCodes.Status200OK);
            case "201":
                using (var xml = new XmlText())
                {
                    xml.Open("PostResponse").Element("Location", location).Element("Bucket", call.BucketName).Element("Key", made.Key).Element("ETag", etag).Close("PostResponse");
                    return await call.AnswerAsync(xml, StatusCodes.Status201Created);
                }
            default:
                return call.Answer(StatusCodes.Status204NoContent);
        }
    }

    private static byte[]? Md5(Dictionary<string, string> fields)
    {
        var bytes = new byte[16];
        return fields.GetValueOrDefault("Content-MD5") is { Length: > 0 } text && Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length ? bytes : null;
    }

    private static string FileName(ContentDispositionHeaderValue disposition)
    {
        var name = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString();
        return name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
    }

    private static async ValueTask<(string? Value, int Length)> TextAsync(Stream body, int most, CancellationToken cancel)
    {
        var bytes = new byte[most + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return length > most ? (null, length) : (Encoding.UTF8.GetString(bytes, 0, length), length);
    }
}
