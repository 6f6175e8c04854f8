using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Storage.Signing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dure.Test.Storage.Signing;

/// <summary>What the AWS SDK for .NET really sends, verified by a server that does nothing else.</summary>
public sealed class SdkRequestsTest : IAsyncLifetime
{
    private readonly List<(string Payload, string Path, byte[] Bytes)> _seen = [];
    private WebApplication _app = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        var verifier = new RequestVerifier(Published.Find, Published.Region, TimeProvider.System);
        _app.Run(http => AnswerAsync(http, verifier));
        await _app.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(Cancel);
        await _app.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(300_000)]
    public async Task The_default_form_is_signed_chunks_with_a_signed_trailer(int length)
    {
        using var client = Client();
        await PutAsync(client, length, _ => { });
        Assert.Equal("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Assert.Single(_seen).Payload);
    }

    [Fact]
    public async Task Nothing_at_all_verifies_too()
    {
        using var client = Client();
        await PutAsync(client, 0, _ => { });
        Assert.Single(_seen);
    }

    [Fact]
    public async Task Without_checksums_the_chunks_are_signed()
    {
        using var client = Client(config => config.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED);
        await PutAsync(client, 200_000, _ => { });
        Assert.Equal("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Assert.Single(_seen).Payload);
    }

    [Fact]
    public async Task Without_chunks_the_digest_is_in_a_header()
    {
        using var client = Client();
        await PutAsync(client, 200_000, put => put.UseChunkEncoding = false);
        Assert.Equal(64, Assert.Single(_seen).Payload.Length);
    }

    [Theory]
    [InlineData("CRC32")]
    [InlineData("SHA1")]
    [InlineData("SHA256")]
    public async Task Every_checksum_that_it_can_make_verifies(string algorithm)
    {
        using var client = Client();
        await PutAsync(client, 100_000, put => put.ChecksumAlgorithm = ChecksumAlgorithm.FindValue(algorithm));
        await PutAsync(client, 100_000, put => (put.ChecksumAlgorithm, put.UseChunkEncoding) = (ChecksumAlgorithm.FindValue(algorithm), false));
        Assert.Equal(2, _seen.Count);
    }

    [Fact]
    public async Task Parts_verify_as_well()
    {
        using var client = Client();
        var bytes = Bytes(200_000);
        await client.UploadPartAsync(new UploadPartRequest { BucketName = "bucket", Key = "k", UploadId = "u/1", PartNumber = 3, InputStream = new MemoryStream(bytes) }, Cancel);
        Assert.Equal(bytes, Assert.Single(_seen).Bytes);
    }

    [Theory]
    [InlineData("a b+c/ü~(1)'!*$&,;:@=.txt")]
    [InlineData("100%/%20/雪")]
    [InlineData("double//slash/../dots/")]
    public async Task Any_key_verifies(string key)
    {
        using var client = Client();
        await PutAsync(client, 10, put =>
        {
            put.Key = key;
            put.Metadata["note"] = "two  spaces";
        });
        Assert.Single(_seen);
        using var web = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var verb in new[] { HttpVerb.GET, HttpVerb.PUT })
        {
            var address = await client.GetPreSignedURLAsync(new GetPreSignedUrlRequest { BucketName = "bucket", Key = key, Verb = verb, Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(5), Protocol = Protocol.HTTP });
            using var request = new HttpRequestMessage(verb == HttpVerb.GET ? HttpMethod.Get : HttpMethod.Put, new Uri(address, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            request.Content = verb == HttpVerb.PUT ? new ByteArrayContent([1, 2, 3]) : null;
            using var answer = await web.SendAsync(request, Cancel);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        }
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private async Task PutAsync(AmazonS3Client client, int length, Action<PutObjectRequest> change)
    {
        var bytes = Bytes(length);
        var put = new PutObjectRequest { BucketName = "bucket", Key = "folder/key", InputStream = new MemoryStream(bytes) };
        change(put);
        await client.PutObjectAsync(put, Cancel);
        Assert.Equal(bytes, _seen[^1].Bytes);
    }

    private AmazonS3Client Client(Action<AmazonS3Config>? change = null)
    {
        var config = new AmazonS3Config { ServiceURL = _app.Urls.Single(), ForcePathStyle = true, AuthenticationRegion = Published.Region, MaxErrorRetry = 0 };
        change?.Invoke(config);
        return new AmazonS3Client(new BasicAWSCredentials(Published.Id, Published.Secret), config);
    }

    private async Task AnswerAsync(HttpContext http, RequestVerifier verifier)
    {
        var (verified, error) = verifier.Verify(http.Request);
        var read = verified is null ? null : HttpMethods.IsPut(http.Request.Method) ? await Uploads.ReadAsync(http.Request, verified) : new([], null, null, null);
        if (verified?.Key is null || read!.Fault is not null || read.Error is not null)
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync($"{error}\n{error?.Details?.GetValueOrDefault("CanonicalRequest")}\n{read?.Fault} {read?.Error}", Cancel);
            return;
        }
        lock (_seen)
        {
            _seen.Add((http.Request.Headers["x-amz-content-sha256"].ToString(), http.Request.Path, read.Bytes));
        }
        http.Response.Headers.ETag = "\"x\"";
    }
}
