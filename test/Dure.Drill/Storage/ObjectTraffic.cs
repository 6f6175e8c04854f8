using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Dure.Drill.Storage;

/// <summary>
/// Clients that put, replace and delete objects all the time, each with keys of its own, and remember what they were told. What a key may
/// hold afterwards is its last acknowledged state, or what the one request did that was never answered.
/// </summary>
internal sealed class ObjectTraffic(Func<AmazonS3Client> connect, string bucket, int seed)
{
    private const int KeysOfEach = 12;
    private const int PartBytes = 5 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // null: there is no such object.
    private readonly ConcurrentDictionary<string, string?> _told = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string?> _unanswered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _reasons = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string[]> _parts = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _failures = new();
    private int _acknowledged, _refused;
    private int _connection;

    /// <summary>Why requests were refused or not answered, the most frequent first.</summary>
    public string Reasons => string.Join(", ", _reasons.OrderByDescending(reason => reason.Value).Select(reason => $"{reason.Value} {reason.Key}"));

    /// <summary>Answers by which the server said that it failed.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Writes and deletes that were acknowledged.</summary>
    public int Acknowledged => _acknowledged;

    /// <summary>Requests that were refused or never answered.</summary>
    public int Refused => _refused;

    /// <summary>SHA-256 of what each key surely holds; those that an unanswered request may have changed are left out.</summary>
    public IReadOnlyDictionary<string, string> Certain => _told.Where(told => told.Value is not null && !_unanswered.ContainsKey(told.Key))
        .ToDictionary(told => told.Key, told => told.Value!, StringComparer.Ordinal);

    /// <summary>The server has another address or other keys: clients connect again.</summary>
    public void ConnectAgain() => Interlocked.Increment(ref _connection);

    /// <summary>SHA-256 of everything that certain objects are made of: whole ones, and parts.</summary>
    public IEnumerable<string> Pieces => Certain.Values.SelectMany(digest => _parts.TryGetValue(digest, out var parts) ? parts : [digest]).Distinct(StringComparer.Ordinal);

    /// <summary>Runs clients until it is calm, or until their server is gone for good.</summary>
    public Task RunAsync(int clients, CancellationToken calm) => Task.WhenAll(Enumerable.Range(0, clients).Select(number => Task.Run(() => ClientAsync(number, calm), CancellationToken.None)));

    /// <summary>Reads every key and says what is not as it was told.</summary>
    public async Task<List<string>> CheckAsync(AmazonS3Client client, CancellationToken cancel)
    {
        var wrong = new List<string>();
        foreach (var key in _told.Keys.Concat(_unanswered.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var allowed = new List<string?> { _told.GetValueOrDefault(key) };
            if (_unanswered.TryGetValue(key, out var attempted))
                allowed.Add(attempted);
            string? found;
            try
            {
                found = await DigestAsync(client, key, cancel);
            }
            catch (Exception error) when (IsBroken(error))
            {
                wrong.Add($"{key} cannot be read: {error.Message}");
                continue;
            }
            if (!allowed.Contains(found, StringComparer.Ordinal))
                wrong.Add($"{key} holds {found ?? "nothing"}; acknowledged was {allowed[0] ?? "nothing"}" + (allowed.Count > 1 ? $", and not answered {allowed[1] ?? "a delete"}" : ""));
        }
        return wrong;
    }

    private async Task ClientAsync(int number, CancellationToken calm)
    {
        var random = new Random(HashCode.Combine(seed, number));
        var (client, connection) = (connect(), _connection);
        while (!calm.IsCancellationRequested)
        {
            if (connection != _connection)
            {
                client.Dispose();
                (client, connection) = (connect(), _connection);
            }
            var key = $"client {number}/{random.Next(KeysOfEach)} ü";
            if (_unanswered.ContainsKey(key))
            {
                // What it holds is not known; it is asked before it is written again.
                if (!await SettleAsync(client, key))
                    await Task.Delay(Pause, CancellationToken.None);
                continue;
            }
            await WriteAsync(client, key, random);
        }
        client.Dispose();
    }

    private async Task WriteAsync(AmazonS3Client client, string key, Random random)
    {
        var kind = random.Next(100);
        var bytes = kind < 8 ? null : new byte[kind switch { < 60 => random.Next(32_000), < 95 => random.Next(100_000, 2_000_000), _ => PartBytes + random.Next(1_000_000) }];
        if (bytes is not null)
            random.NextBytes(bytes);
        var digest = bytes is null ? null : Convert.ToHexStringLower(SHA256.HashData(bytes));
        _unanswered[key] = digest;
        if (bytes?.Length > PartBytes)
            _parts[digest!] = [Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(0, PartBytes))), Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(PartBytes)))];
        try
        {
            if (bytes is null)
                await client.DeleteObjectAsync(bucket, key, CancellationToken.None);
            else if (bytes.Length > PartBytes)
                await MultipartAsync(client, key, bytes);
            else
                await client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, InputStream = new MemoryStream(bytes) }, CancellationToken.None);
            _told[key] = digest;
            _unanswered.TryRemove(key, out _);
            Interlocked.Increment(ref _acknowledged);
        }
        catch (Exception error) when (IsExpected(error))
        {
            Interlocked.Increment(ref _refused);
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task MultipartAsync(AmazonS3Client client, string key, byte[] bytes)
    {
        var upload = await client.InitiateMultipartUploadAsync(bucket, key, CancellationToken.None);
        var parts = new List<PartETag>();
        for (var number = 1; number <= 2; number++)
        {
            var piece = number == 1 ? new MemoryStream(bytes, 0, PartBytes) : new MemoryStream(bytes, PartBytes, bytes.Length - PartBytes);
            var part = await client.UploadPartAsync(
                new UploadPartRequest { BucketName = bucket, Key = key, UploadId = upload.UploadId, PartNumber = number, InputStream = piece, PartSize = piece.Length }, CancellationToken.None);
            parts.Add(new PartETag(number, part.ETag) { ChecksumCRC32 = part.ChecksumCRC32, ChecksumCRC64NVME = part.ChecksumCRC64NVME });
        }
        await client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = upload.UploadId, PartETags = parts }, CancellationToken.None);
    }

    private async Task<bool> SettleAsync(AmazonS3Client client, string key)
    {
        try
        {
            _told[key] = await DigestAsync(client, key, CancellationToken.None);
            _unanswered.TryRemove(key, out _);
            return true;
        }
        catch (Exception error) when (IsExpected(error))
        {
            return false;
        }
    }

    private async Task<string?> DigestAsync(AmazonS3Client client, string key, CancellationToken cancel)
    {
        try
        {
            using var got = await client.GetObjectAsync(bucket, key, cancel);
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(got.ResponseStream, cancel));
        }
        catch (AmazonS3Exception error) when (error.ErrorCode == "NoSuchKey")
        {
            return null;
        }
    }

    // A server that says itself that it failed is a fault of its own, and no answer that a client can live with.
    private bool IsExpected(Exception error)
    {
        if (error is AmazonServiceException { ErrorCode: "InternalError" } failure)
            _failures.Enqueue($"{failure.ErrorCode}: {failure.Message}");
        _reasons.AddOrUpdate(error is AmazonServiceException service ? $"{service.ErrorCode}" : error.GetType().Name, 1, static (_, count) => count + 1);
        return IsBroken(error);
    }

    private static bool IsBroken(Exception error) => error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or OperationCanceledException or System.Net.WebException;
}
