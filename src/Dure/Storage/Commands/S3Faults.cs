using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Dure.Host;

namespace Dure.Storage.Commands;

/// <summary>A store's errors as problems.</summary>
internal static class S3Faults
{
    /// <summary>Failures that belong to stores, networks and disks; the others are bugs.</summary>
    public static bool IsExpected(Exception failure, CancellationToken cancel) => failure switch
    {
        OperationCanceledException => !cancel.IsCancellationRequested,
        AmazonServiceException or AmazonClientException or HttpRequestException or IOException or UnauthorizedAccessException => true,
        _ => false,
    };

    /// <summary>The problem.</summary>
    /// <param name="what">What was being done to what: an address, a path.</param>
    public static Problem Explain(Exception failure, string what) => failure switch
    {
        AmazonServiceException { InnerException: HttpRequestException inner } => TransferErrors.StoreUnreachable.With($"{what}: {inner.Message}"),
        AmazonServiceException { ErrorCode: "NoSuchBucket" } => TransferErrors.NoSuchBucket.With(what),
        AmazonServiceException { ErrorCode: "NoSuchKey" or "NoSuchVersion" or "NotFound" } => TransferErrors.NoSuchObject.With(what),
        AmazonServiceException { ErrorCode: "BadDigest" or "InvalidDigest" or "XAmzContentChecksumMismatch" } bad => TransferErrors.Differs.With($"{what}: {bad.Message}"),
        AmazonServiceException { ErrorCode: "QuotaExceeded" } full => TransferErrors.NoRoom.With($"{what}: {Words(full)}"),
        AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage } full => TransferErrors.NoRoom.With($"{what}: {Words(full)}"),
        AmazonServiceException { StatusCode: HttpStatusCode.PreconditionFailed } => TransferErrors.Changed.With(what),
        AmazonServiceException { StatusCode: HttpStatusCode.NotFound } => TransferErrors.NoSuchObject.With(what),
        AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } denied => TransferErrors.Denied.With($"{what}: {Words(denied)}"),
        AmazonServiceException { ErrorCode: "EntityTooLarge" } large => TransferErrors.TooLarge.With($"{what}: {large.Message}"),
        AmazonServiceException { StatusCode: 0 or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout } away => TransferErrors.StoreUnreachable.With($"{what}: {Words(away)}"),
        AmazonServiceException other => TransferErrors.StoreRefused.With($"{what}: {Words(other)}"),
        OperationCanceledException => TransferErrors.StoreUnreachable.With($"{what}: nothing moved for {StoreConnection.StalledAfter.TotalSeconds:0} s."),
        AmazonClientException or HttpRequestException or HttpIOException => TransferErrors.StoreUnreachable.With($"{what}: {failure.Message}"),
        _ => TransferErrors.LocalFile.With($"{what}: {failure.Message}"),
    };

    /// <summary>True when the object that a conditional request asked for is there already.</summary>
    public static bool IsExisting(Exception failure) => failure is AmazonS3Exception { StatusCode: HttpStatusCode.PreconditionFailed };

    private static string Words(AmazonServiceException failure) => string.IsNullOrEmpty(failure.ErrorCode) ? failure.Message : $"{failure.ErrorCode}: {failure.Message}";
}
