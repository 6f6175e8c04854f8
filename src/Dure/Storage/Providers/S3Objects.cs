using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Host.Configuration;

namespace Dure.Storage.Providers;

/// <summary>
/// Objects in a bucket of an S3-compatible store: Amazon, Google's interoperable API, MinIO, Ceph, R2, CoreWeave, another Dure. The protocol is the one of
/// Amazon's API reference of S3, of which only what such stores have in common is used.
/// </summary>
public sealed class S3Objects : IObjects
{
    private const int DeletedAtOnceMax = 1000;

    private static readonly Dictionary<string, string> Empty = new(StringComparer.Ordinal);

    // A key such as a/../b must not be made shorter on its way.
    private static readonly UriCreationOptions Exact = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly S3Connection _s3;

    /// <summary>Speaks to nobody yet.</summary>
    public S3Objects(ProviderOptions options, ProviderCredentials credentials, TimeProvider time) => _s3 = new(options, credentials, time);

    /// <inheritdoc/>
    public string Name => _s3.Name;

    /// <summary>Bytes above which an object is copied in parts; the protocol allows 5 GiB at once.</summary>
    internal long CopyBytesMax { get; init; } = 5L << 30;

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel)
    {
        if (Check(what.Key) is { } wrong)
        {
            return wrong;
        }

        var put = await new S3Upload(_s3, what).RunAsync(cancel);
        return put.Ok
            ? new ObjectFacts(what.Key, put.Value.Length, put.Value.ETag, _s3.Time.GetUtcNow(), what.ContentType, MetadataText.Of(what, put.Value.Sha256))
            : put.Problem;
    }

    /// <inheritdoc/>
    public async Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel)
    {
        if (Check(key) is { } wrong)
        {
            return wrong;
        }

        if (length == 0)
        {
            var head = await HeadAsync(key, cancel);
            return head.Ok ? Stream.Null : head.Problem;
        }

        var request = new GetObjectRequest { BucketName = _s3.Bucket, Key = _s3.Key(key) };
        if (offset > 0 || length is not null)
        {
            request.ByteRange = new ByteRange(length is { } count ? $"bytes={offset}-{offset + Math.Min(count, long.MaxValue - offset) - 1}" : $"bytes={offset}-");
        }

        var silence = _s3.Listen(cancel);
        try
        {
            var response = await _s3.Client.GetObjectAsync(request, silence.Token).WaitAsync(silence.Token);
            silence.Touch();
            var sha256 = offset == 0 && IsWhole(response) ? MetadataOf(response.Metadata).GetValueOrDefault(MetadataText.Sha256) : null;
            return new ReceivedStream(response.ResponseStream, $"{Name}: {key}", response.ContentLength, sha256, silence, _s3.Options.Timeout, response);
        }
        catch (AmazonS3Exception past) when (past.StatusCode == System.Net.HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            silence.Dispose();
            return Stream.Null;
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested && S3Failures.IsExpected(failure))
        {
            silence.Dispose();
            return S3Failures.Of(_s3, "get " + key, failure);
        }
        catch
        {
            silence.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel) => Check(key) is { } wrong
        ? wrong
        : await _s3.CallAsync("look at " + key, async silence =>
        {
            var head = await _s3.Client.GetObjectMetadataAsync(_s3.Bucket, _s3.Key(key), silence.Token);
            return new ObjectFacts(key, head.ContentLength, head.ETag, Utc(head.LastModified), head.Headers.ContentType, MetadataOf(head.Metadata));
        }, cancel);

    /// <inheritdoc/>
    public Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel) => _s3.CallAsync("list " + prefix, async silence =>
    {
        var page = await _s3.Client.ListObjectsV2Async(
            new ListObjectsV2Request { BucketName = _s3.Bucket, Prefix = _s3.Key(prefix), MaxKeys = limit, ContinuationToken = next, Encoding = EncodingType.Url },
            silence.Token);
        // Asked for because XML cannot carry every key; a store that does not know it answers plainly.
        Func<string, string> key = page.Encoding == EncodingType.Url ? text => System.Net.WebUtility.UrlDecode(text) : text => text;
        return new ObjectsPage(
            [.. (page.S3Objects ?? []).Select(one => new ObjectFacts(key(one.Key)[_s3.Options.Prefix.Length..], one.Size ?? 0, one.ETag, Utc(one.LastModified), null, Empty))],
            page.IsTruncated == true ? page.NextContinuationToken : null);
    }, cancel);

    /// <inheritdoc/>
    public async Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel)
    {
        foreach (var some in keys.Chunk(DeletedAtOnceMax))
        {
            var deleted = some.Length > 1 && _s3.CanDeleteMany ? await DeleteManyAsync(some, cancel) : await DeleteEachAsync(some, cancel);
            if (!deleted.Ok)
            {
                return deleted;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel)
    {
        if (Check(to) is { } wrong)
        {
            return wrong;
        }

        var source = await HeadAsync(from, cancel);
        if (!source.Ok)
        {
            return source;
        }

        var copied = source.Value.Length > CopyBytesMax
            ? await new S3PartsCopy(_s3, source.Value, to, CopyBytesMax).RunAsync(cancel)
            : await _s3.CallAsync($"copy {from} to {to}", async silence =>
            {
                var request = new CopyObjectRequest { SourceBucket = _s3.Bucket, SourceKey = _s3.Key(from), DestinationBucket = _s3.Bucket, DestinationKey = _s3.Key(to) };
                await _s3.Client.CopyObjectAsync(request, silence.Token);
                return true;
            }, cancel);
        return copied.Ok ? await HeadAsync(to, cancel) : copied.Problem;
    }

    /// <inheritdoc/>
    public Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null)
    {
        var request = Address(method, key, valid);
        foreach (var (name, value) in headers ?? Empty)
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
            {
                request.ContentType = value;
            }
            else
            {
                request.Headers[name] = value;
            }
        }

        return new Uri(_s3.Client.GetPreSignedURL(request), Exact);
    }

    /// <inheritdoc/>
    public Uri? PresignPart(string key, string upload, int part, TimeSpan valid)
    {
        var request = Address("PUT", key, valid);
        (request.UploadId, request.PartNumber) = (upload, part);
        return new Uri(_s3.Client.GetPreSignedURL(request), Exact);
    }

    /// <inheritdoc/>
    public async Task<Outcome<string>> BeginPartsAsync(PutObject what, CancellationToken cancel) =>
        Check(what.Key) is { } wrong ? wrong : await new S3Upload(_s3, what).BeginAsync(what.Sha256, cancel);

    /// <inheritdoc/>
    public async Task<Outcome<ObjectFacts>> CompletePartsAsync(PutObject what, string upload, IReadOnlyList<string> etags, CancellationToken cancel)
    {
        var completed = await new S3Upload(_s3, what).CompleteAsync(upload, etags.Select((etag, index) => new PartETag(index + 1, etag)), cancel);
        return completed.Ok ? await HeadAsync(what.Key, cancel) : completed.Problem;
    }

    /// <inheritdoc/>
    public async Task<Outcome<bool>> AbortPartsAsync(string key, string upload, CancellationToken cancel)
    {
        var aborted = await _s3.CallAsync("abort " + key, silence => _s3.Client.AbortMultipartUploadAsync(_s3.Bucket, _s3.Key(key), upload, silence.Token), cancel);
        return aborted.Ok || aborted.Problem.Detail.Contains("NoSuchUpload", StringComparison.Ordinal) ? true : aborted.Problem;
    }

    /// <inheritdoc/>
    public Task<Outcome<IReadOnlyList<BucketCors>>> GetCorsAsync(CancellationToken cancel) => S3Cors.GetAsync(_s3, cancel);

    /// <inheritdoc/>
    public Task<Outcome<bool>> SetCorsAsync(IReadOnlyList<BucketCors> rules, CancellationToken cancel) => S3Cors.SetAsync(_s3, rules, cancel);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _s3.Dispose();
        return ValueTask.CompletedTask;
    }

    private static bool IsWhole(GetObjectResponse response) =>
        response.ContentRange is not { Length: > 0 } range || range.EndsWith("/" + response.ContentLength, StringComparison.Ordinal);

    private static DateTimeOffset Utc(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : DateTimeOffset.UnixEpoch;

    private static Dictionary<string, string> MetadataOf(MetadataCollection metadata) => metadata.Keys.ToDictionary(
        name => name.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase) ? name["x-amz-meta-".Length..].ToLowerInvariant() : name.ToLowerInvariant(),
        name => MetadataText.Read(metadata[name]),
        StringComparer.Ordinal);

    private Problem? Check(string key) => ObjectKey.Check(Name, key, _s3.Options.Prefix);

    private GetPreSignedUrlRequest Address(string method, string key, TimeSpan valid) => new()
    {
        BucketName = _s3.Bucket,
        Key = _s3.Key(key),
        Verb = Enum.Parse<HttpVerb>(method, ignoreCase: true),
        Expires = (_s3.Time.GetUtcNow() + valid).UtcDateTime,
        Protocol = _s3.IsTls ? Protocol.HTTPS : Protocol.HTTP,
    };

    private async Task<Outcome<bool>> DeleteManyAsync(string[] keys, CancellationToken cancel)
    {
        var request = new DeleteObjectsRequest { BucketName = _s3.Bucket, Quiet = true, Objects = [.. keys.Select(key => new KeyVersion { Key = _s3.Key(key) })] };
        var deleted = await _s3.CallAsync<Problem?>($"delete {keys.Length} objects", async silence =>
        {
            try
            {
                var answer = await _s3.Client.DeleteObjectsAsync(request, silence.Token);
                return answer.DeleteErrors?.FirstOrDefault() is { } error ? Refused(error) : null;
            }
            catch (DeleteObjectsException some) when (some.Response?.DeleteErrors is [var error, ..])
            {
                return Refused(error);
            }
            catch (AmazonS3Exception failure) when (S3Failures.IsUnknown(failure))
            {
                _s3.CanDeleteMany = false;
                return null;
            }
        }, cancel);
        return !deleted.Ok ? deleted.Problem : deleted.Value is { } refused ? refused : _s3.CanDeleteMany ? true : await DeleteEachAsync(keys, cancel);
    }

    private Problem Refused(DeleteError error) => ProviderErrors.Refused.With($"{Name}, delete {error.Key}: {error.Code}: {error.Message}");

    private async Task<Outcome<bool>> DeleteEachAsync(string[] keys, CancellationToken cancel)
    {
        foreach (var key in keys)
        {
            var deleted = await _s3.CallAsync("delete " + key, silence => _s3.Client.DeleteObjectAsync(_s3.Bucket, _s3.Key(key), silence.Token), cancel);
            if (!deleted.Ok && deleted.Problem.Kind != ProviderErrors.NoSuchObject)
            {
                return deleted.Problem;
            }
        }

        return true;
    }
}
