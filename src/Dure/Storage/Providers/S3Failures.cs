using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>Says in Dure's words what an S3-compatible store answered.</summary>
internal static class S3Failures
{
    public static bool IsExpected(Exception failure) =>
        failure is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or OperationCanceledException or TimeoutException;

    /// <summary>The problem that a failure is.</summary>
    public static Problem Of(S3Connection s3, string what, Exception failure)
    {
        var where = $"{s3.Name} ({s3.Endpoint?.Host ?? s3.Options.Region}), {what}";
        if (failure is OperationCanceledException or TimeoutException)
        {
            return ProviderErrors.Unreachable.With($"{where}: no answer within {s3.Options.Timeout.TotalSeconds:0.###} s.");
        }

        if (failure is AmazonServiceException { StatusCode: not 0 } told)
        {
            // To HEAD there is no body and so no code.
            var code = told.ErrorCode is { Length: > 0 } and not "Unknown" ? told.ErrorCode + ": " : "";
            var detail = $"{where}: {(int)told.StatusCode} {code}{told.Message}";
            return KindOf(told).With(detail);
        }

        return ProviderErrors.Unreachable.With($"{where}: {Innermost(failure).Message}");
    }

    /// <summary>Whether a store said that it does not know what it was asked for, rather than that it will not.</summary>
    public static bool IsUnknown(Exception failure) =>
        failure is AmazonS3Exception { StatusCode: HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed }
            or AmazonS3Exception { ErrorCode: "NotImplemented" or "MissingContentMD5" or "MethodNotAllowed" };

    private static ErrorKind KindOf(AmazonServiceException told) => told.StatusCode switch
    {
        HttpStatusCode.NotFound when told.ErrorCode is not ("NoSuchBucket" or "NoSuchUpload" or "NoSuchCORSConfiguration") => ProviderErrors.NoSuchObject,
        HttpStatusCode.PreconditionFailed => ProviderErrors.Exists,
        HttpStatusCode.Conflict when told.ErrorCode is "ConditionalRequestConflict" => ProviderErrors.Exists,
        HttpStatusCode.NotImplemented => ProviderErrors.NotSupported,
        HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => ProviderErrors.Unreachable,
        _ when told.ErrorCode is "BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" => ProviderErrors.BadContent,
        _ => ProviderErrors.Refused,
    };

    private static Exception Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner)
        {
            failure = inner;
        }

        return failure;
    }
}
