using Dure.Storage.Signing;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Dure.Test.Storage.Signing;

/// <summary>The examples of docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and its neighbours.</summary>
public sealed class PublishedExamplesTest
{
    private const string Host = "examplebucket.s3.amazonaws.com";
    private const string Credential = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

    [Fact]
    public void Get_of_a_range_verifies() => Verifies(Published.Request(
        "GET /test.txt",
        ("Host", Host),
        ("Range", "bytes=0-9"),
        ("x-amz-content-sha256", Published.Empty),
        ("x-amz-date", "20130524T000000Z"),
        ("Authorization", $"AWS4-HMAC-SHA256 {Credential},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")));

    [Fact]
    public void Put_with_a_date_header_verifies() => Verifies(Published.Request(
        "PUT /test$file.text",
        ("Host", Host),
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
        ("Authorization", $"AWS4-HMAC-SHA256 {Credential},SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")));

    [Theory]
    [InlineData("GET /?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("GET /?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("GET /?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    [InlineData("GET /?prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    [InlineData("GET http://examplebucket.s3.amazonaws.com/?prefix=%4A&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    public void Queries_verify_in_any_order_and_encoding(string line, string signature) => Verifies(Published.Request(
        line,
        ("Host", Host),
        ("x-amz-content-sha256", Published.Empty),
        ("x-amz-date", "20130524T000000Z"),
        ("Authorization", $"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}")));

    [Fact]
    public void An_address_signed_in_advance_verifies_and_is_what_the_signer_makes()
    {
        const string Query = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        Verifies(Published.Request("GET /test.txt" + Query, ("Host", Host)));
        var made = Signer.Presign("GET", new Uri($"https://{Host}/test.txt"), Published.Id, Published.Secret, Published.Region, Published.Day, TimeSpan.FromDays(1));
        Assert.Equal($"https://{Host}/test.txt{Query}", made.AbsoluteUri);
    }

    [Fact]
    public void An_address_signed_by_version_2_verifies()
    {
        var verifier = new RequestVerifier(Published.Find, Published.Region, new Published.StoppedClock(DateTimeOffset.FromUnixTimeSeconds(1175139000)), _ => "johnsmith");
        var request = Published.Request(
            "GET /photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620",
            ("Host", "johnsmith.s3.amazonaws.com"));
        var (verified, error) = verifier.Verify(request);
        Assert.Null(error);
        Assert.Equal(Published.Key, verified!.Key);
    }

    [Fact]
    public async Task The_chunked_upload_verifies_chunk_by_chunk()
    {
        var a = new string('a', 1 << 16);
        var request = Published.Request(
            "PUT /examplebucket/chunkObject.txt",
            ("Host", "s3.amazonaws.com"),
            ("Content-Encoding", "aws-chunked"),
            ("Content-Length", "66824"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-decoded-content-length", "66560"),
            ("Authorization", $"AWS4-HMAC-SHA256 {Credential},SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"));
        var body = $"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n{a}\r\n"
            + $"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n{a[..1024]}\r\n"
            + "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
        Assert.Equal(66824, body.Length);
        var read = await Uploads.ReadAsync(request, body, Verifies(request));
        Assert.Null(read.Fault);
        Assert.Equal(66560, read.Bytes.Length);
        var changed = await Uploads.ReadAsync(request, body.Replace("aa\r\n0;", "ab\r\n0;", StringComparison.Ordinal), Verifies(request));
        Assert.Equal(Dure.Storage.Store.StoreFault.BadSignature, changed.Fault);
    }

    private static VerifiedRequest Verifies(HttpRequest request)
    {
        var (verified, error) = Published.Verifier().Verify(request);
        Assert.True(error is null, error?.Message + "\n" + error?.Details?.GetValueOrDefault("CanonicalRequest"));
        Assert.Equal(Published.Key, verified!.Key);
        return verified;
    }
}
