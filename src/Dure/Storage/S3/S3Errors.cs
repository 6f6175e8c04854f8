namespace Dure.Storage.S3;

/// <summary>Errors of the S3 API, by S3's own codes, statuses and words (API reference, "Error Responses").</summary>
internal static class S3Errors
{
    public static readonly S3Error AccessDenied = new("AccessDenied", 403, "Access Denied");
    public static readonly S3Error NoSuchBucket = new("NoSuchBucket", 404, "The specified bucket does not exist");
    public static readonly S3Error NoSuchKey = new("NoSuchKey", 404, "The specified key does not exist.");
    public static readonly S3Error NoSuchVersion = new("NoSuchVersion", 404, "The specified version does not exist.");
    public static readonly S3Error NoSuchUpload = new("NoSuchUpload", 404, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
    public static readonly S3Error BucketAlreadyOwnedByYou = new("BucketAlreadyOwnedByYou", 409, "Your previous request to create the named bucket succeeded and you already own it.");
    public static readonly S3Error BucketAlreadyExists = new("BucketAlreadyExists", 409, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Select a different name and try again.");
    public static readonly S3Error BucketNotEmpty = new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty. You must delete all versions in the bucket.");
    public static readonly S3Error InvalidBucketName = new("InvalidBucketName", 400, "The specified bucket is not valid.");
    public static readonly S3Error InvalidUri = new("InvalidURI", 400, "Couldn't parse the specified URI.");
    public static readonly S3Error MethodNotAllowed = new("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");
    public static readonly S3Error PreconditionFailed = new("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold");
    public static readonly S3Error Conflict = new("ConditionalRequestConflict", 409, "The conditional request cannot succeed due to a conflicting operation against this resource.");
    public static readonly S3Error MalformedXml = new("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema");
    public static readonly S3Error InvalidPart = new("InvalidPart", 400, "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.");
    public static readonly S3Error InvalidPartOrder = new("InvalidPartOrder", 400, "The list of parts was not in ascending order. The parts list must be specified in order by part number.");
    public static readonly S3Error EntityTooSmall = new("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size");
    public static readonly S3Error EntityTooLarge = new("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size");
    public static readonly S3Error QuotaExceeded = new("QuotaExceeded", 403, "The bucket's quota would be exceeded.");
    public static readonly S3Error NoRoom = new("InsufficientStorage", 507, "The disk has no room for this; nothing was kept of it and what was stored is unharmed.");
    public static readonly S3Error IncompleteBody = new("IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header");
    public static readonly S3Error BadDigest = new("BadDigest", 400, "The Content-MD5 you specified did not match what we received.");
    public static readonly S3Error ChecksumMismatch = new("BadDigest", 400, "The checksum you specified did not match the calculated checksum.");
    public static readonly S3Error Sha256Mismatch = new("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.");
    public static readonly S3Error BadSignature = new("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
    public static readonly S3Error MalformedTrailer = new("MalformedTrailerError", 400, "The request contained trailing data that was not well-formed or did not conform to our published schema.");
    public static readonly S3Error InternalError = new("InternalError", 500, "We encountered an internal error. Please try again.");
    public static readonly S3Error MissingContentMd5 = new("InvalidRequest", 400, "Missing required header for this request: Content-MD5");
    public static readonly S3Error HeadersTooLarge = new("RequestHeaderSectionTooLarge", 400, "Your request header section exceeds the maximum allowed size.",
        new Dictionary<string, string>(StringComparer.Ordinal) { ["MaxSizeAllowed"] = "8192" });

    public static S3Error InvalidArgument(string message, string? name = null, string? value = null) => new("InvalidArgument", 400, message,
        name is null ? null : new Dictionary<string, string>(StringComparer.Ordinal) { ["ArgumentName"] = name, ["ArgumentValue"] = value ?? "" });

    public static S3Error InvalidRequest(string message) => new("InvalidRequest", 400, message);

    public static S3Error NotImplemented(string what) => new("NotImplemented", 501, $"{what} is not implemented by this store.");

    public static S3Error Malformed(string message) => MalformedXml with { Message = message };

    /// <summary>The store's own words in those of S3.</summary>
    public static S3Error Of(Store.StoreFault fault) => fault switch
    {
        Store.StoreFault.NoSuchBucket => NoSuchBucket,
        Store.StoreFault.NoSuchKey => NoSuchKey,
        Store.StoreFault.NoSuchVersion => NoSuchVersion,
        Store.StoreFault.NoSuchUpload => NoSuchUpload,
        Store.StoreFault.BucketExists => BucketAlreadyExists,
        Store.StoreFault.BucketNotEmpty => BucketNotEmpty,
        Store.StoreFault.PreconditionFailed => PreconditionFailed,
        Store.StoreFault.Conflict => Conflict,
        Store.StoreFault.InvalidPart => InvalidPart,
        Store.StoreFault.InvalidPartOrder => InvalidPartOrder,
        Store.StoreFault.PartTooSmall => EntityTooSmall,
        Store.StoreFault.TooLarge => EntityTooLarge,
        Store.StoreFault.QuotaExceeded => QuotaExceeded,
        Store.StoreFault.NoRoom => NoRoom,
        Store.StoreFault.IncompleteBody => IncompleteBody,
        Store.StoreFault.BadDigest => BadDigest,
        Store.StoreFault.ChecksumMismatch => ChecksumMismatch,
        Store.StoreFault.Sha256Mismatch => Sha256Mismatch,
        Store.StoreFault.BadSignature => BadSignature,
        Store.StoreFault.MalformedTrailer => MalformedTrailer,
        Store.StoreFault.IsDeleteMarker => MethodNotAllowed,
        _ => InternalError,
    };
}
