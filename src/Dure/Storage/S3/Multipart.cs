using Dure.Storage.Checksums;
using Dure.Storage.Signing;

namespace Dure.Storage.S3;

/// <summary>Begins uploads in parts, takes parts, gives uploads up.</summary>
internal static class Multipart
{
    public const int PartsMax = 10_000;

    public static async Task<S3Error?> CreateAsync(S3Call call)
    {
        if (NewHeaders.Unsupported(call) is { } unsupported)
            return unsupported;
        var (what, error) = NewHeaders.Read(call, Store.WriteConditions.None);
        if (what is null)
            return error;
        var (kind, type, wrong) = Checksum(call);
        if (wrong is not null)
            return wrong;
        var begun = await call.Store.BeginUploadAsync(call.BucketName, what, kind, type, call.Cancel);
        if (begun.Fault is { } fault)
            return S3Errors.Of(fault);
        if (kind is { } algorithm)
        {
            call.Set("x-amz-checksum-algorithm", ChecksumNames.Word(algorithm));
            call.Set("x-amz-checksum-type", ChecksumXml.Of(type!.Value));
        }
        using var xml = new XmlText();
        xml.Root("InitiateMultipartUploadResult").Element("Bucket", call.BucketName).Element("Key", call.Key).Element("UploadId", begun.Value!.Id).Close("InitiateMultipartUploadResult");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> PutPartAsync(S3Call call)
    {
        var (number, wrong) = call.Number("partNumber", 0, 1, PartsMax);
        if (wrong is not null || number == 0)
            return wrong ?? S3Errors.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber");
        if (NewHeaders.Unsupported(call) is { } unsupported)
            return unsupported;
        var found = await call.Store.FindUploadAsync(call.BucketName, call.Key, call.Query["uploadId"]!, call.Cancel);
        if (found.Fault is { } missing)
            return S3Errors.Of(missing);
        var upload = found.Value!;
        var (body, error) = RequestBody.Open(call.Http.Request, call.Verified, upload.ChecksumKind, Math.Min(ObjectWrites.PutMax, call.Services.UploadLimit));
        if (body is null)
            return error;
        var put = await call.Store.PutPartAsync(call.BucketName, call.Key, upload.Id, number, body, call.Cancel);
        if (put.Fault is { } fault)
            return S3Errors.Of(fault);
        call.Http.Response.Headers.ETag = $"\"{put.Value!.ETag}\"";
        foreach (var checksum in put.Value.Checksums)
            call.Set(ChecksumNames.Header(checksum.Kind), checksum.Value);
        return call.Answer(200);
    }

    public static async Task<S3Error?> AbortAsync(S3Call call) =>
        await call.Store.AbortAsync(call.BucketName, call.Key, call.Query["uploadId"]!, call.Cancel) is { } fault ? S3Errors.Of(fault) : call.Answer(204);

    /// <summary>The algorithm and the type that an upload is begun with.</summary>
    private static (ChecksumKind? Kind, ChecksumType? Type, S3Error? Error) Checksum(S3Call call)
    {
        var (name, type) = (call.Header("x-amz-checksum-algorithm"), call.Header("x-amz-checksum-type"));
        if (name is null)
            return type is null ? (null, null, null) : (null, null, S3Errors.InvalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."));
        if (!ChecksumNames.TryParseWord(name, out var kind))
            return (null, null, S3Errors.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"));
        // What S3 does where no type is named: CRC64NVME knows the whole only.
        ChecksumType? wanted = type?.ToUpperInvariant() switch
        {
            null => kind == ChecksumKind.Crc64Nvme ? ChecksumType.FullObject : ChecksumType.Composite,
            "COMPOSITE" when kind != ChecksumKind.Crc64Nvme => ChecksumType.Composite,
            "FULL_OBJECT" when kind is not (ChecksumKind.Sha1 or ChecksumKind.Sha256) => ChecksumType.FullObject,
            _ => null,
        };
        return wanted is null
            ? (null, null, S3Errors.InvalidRequest($"The {type} checksum type cannot be used with the {name.ToLowerInvariant()} checksum algorithm."))
            : (kind, wanted, null);
    }
}
