using System.Security.Cryptography;
using System.Text;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Dure.Test.Storage.Signing;

public sealed class RequestVerifierTest
{
    private const string Host = "127.0.0.1:9000";

    [Theory]
    [InlineData("GET /bucket/a%20b%2Bc")]
    [InlineData("GET /bucket/a%20b+c")]
    [InlineData("GET /bucket/%C3%BC/~x!*'()")]
    [InlineData("GET /bucket//double//slash/")]
    [InlineData("GET /bucket/a/../b/./c")]
    [InlineData("GET /bucket/%2e%2e/x")]
    [InlineData("GET /bucket/100%")]
    [InlineData("GET /bucket?delete=")]
    [InlineData("GET /bucket?uploads")]
    [InlineData("GET /bucket?a=2&a=1&b&A=3&=x&&c==")]
    [InlineData("GET /bucket?prefix=a+b%20c&delimiter=%2F")]
    [InlineData("GET /")]
    public void A_signed_request_verifies_whatever_is_in_its_target(string line)
    {
        var (verified, error) = Published.Verifier().Verify(Published.Request(line, ("Host", Host), ("x-amz-meta-x", "  a   b  ")).Signed());
        Assert.Null(error);
        Assert.Equal(BodySigning.Sha256, verified!.Signing);
        Assert.Equal(Published.Empty, verified.Sha256);
    }

    [Theory]
    [InlineData("GET /bucket/other")]
    [InlineData("PUT /bucket/key")]
    [InlineData("GET /bucket/key?versionId=1")]
    [InlineData("GET /bucket/./key")]
    [InlineData("GET /bucket//key")]
    [InlineData("GET /bucket/Key")]
    public void A_changed_request_line_is_refused(string line)
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host)).Signed();
        request.Method = line.Split(' ')[0];
        request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget = line.Split(' ')[1];
        var error = Refused(request, "SignatureDoesNotMatch", 403);
        Assert.Equal(Published.Id, error.Details!["AWSAccessKeyId"]);
        Assert.StartsWith(line.Split(' ')[0] + "\n/bucket/", error.Details["CanonicalRequest"], StringComparison.Ordinal);
        Assert.StartsWith("41 57 53 34", error.Details["StringToSignBytes"], StringComparison.Ordinal);
        Assert.Equal(64, error.Details["SignatureProvided"].Length);
        Assert.Contains("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n", error.Details["StringToSign"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host", "127.0.0.1:9001")]
    [InlineData("x-amz-meta-a", "changed")]
    [InlineData("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]
    [InlineData("x-amz-date", "20130524T000001Z")]
    public void A_changed_header_is_refused(string name, string value)
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host), ("x-amz-meta-a", "as it was")).Signed();
        request.Headers[name] = value;
        Refused(request, "SignatureDoesNotMatch", 403);
    }

    [Fact]
    public void A_header_that_came_on_the_way_is_refused_by_its_name()
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host)).Signed();
        request.Headers["X-Amz-Acl"] = "public-read";
        var error = Refused(request, "AccessDenied", 403);
        Assert.Equal("There were headers present in the request which were not signed", error.Message);
        Assert.Equal("x-amz-acl", error.Details!["HeadersNotSigned"]);
    }

    [Fact]
    public void The_host_must_be_signed()
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host)).Signed();
        request.Headers.Authorization = request.Headers.Authorization.ToString().Replace("host;", "", StringComparison.Ordinal);
        Assert.Equal("host", Refused(request, "AccessDenied", 403).Details!["HeadersNotSigned"]);
    }

    [Fact]
    public void Another_day_or_clock_is_refused()
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host)).Signed();
        Assert.Null(Published.Verifier(Published.Day.AddMinutes(15)).Verify(request).Error);
        foreach (var minutes in new[] { 16, -16, 60 * 24 * 365 })
        {
            var error = Published.Verifier(Published.Day.AddMinutes(minutes)).Verify(request).Error!;
            Assert.Equal(("RequestTimeTooSkewed", 403), (error.Code, error.Status));
            Assert.Equal("900000", error.Details!["MaxAllowedSkewMilliseconds"]);
            Assert.Equal("20130524T000000Z", error.Details["RequestTime"]);
        }
        request.Headers["x-amz-date"] = "20130523T235959Z";
        Assert.Contains("Invalid credential date", Refused(request, "AuthorizationHeaderMalformed", 400).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bad Date")]
    [InlineData("")]
    [InlineData("2013-05-24T00:00:00Z")]
    public void A_request_without_a_date_is_refused(string date)
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host)).Signed();
        request.Headers["x-amz-date"] = date;
        Refused(request, "AccessDenied", 403);
        request.Headers.Remove("x-amz-date");
        Refused(request, "AccessDenied", 403);
    }

    [Fact]
    public void Another_region_is_named()
    {
        var error = Refused(Published.Request("GET /bucket/key", ("Host", Host)).Signed(region: "eu-west-9"), "AuthorizationHeaderMalformed", 400);
        Assert.Equal("The authorization header is malformed; the region 'eu-west-9' is wrong; expecting 'us-east-1'", error.Message);
        Assert.Equal("us-east-1", error.Details!["Region"]);
        var lab = new RequestVerifier(Published.Find, "lab", new Published.StoppedClock(Published.Day));
        Assert.Null(lab.Verify(Published.Request("GET /bucket/key", ("Host", Host)).Signed(region: "lab")).Error);
        Assert.Null(lab.Verify(Published.Request("GET /bucket/key", ("Host", Host)).Signed(region: "us-east-1")).Error);
    }

    [Theory]
    [InlineData("AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl", "InvalidRequest", 400)]
    [InlineData("AWS4-ECDSA-P256-SHA256 Credential=x", "InvalidRequest", 400)]
    [InlineData("Bearer token", "InvalidArgument", 400)]
    [InlineData("AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 nonsense", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request,SignedHeaders=host", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/ec2/aws4_request,SignedHeaders=host,Signature=0", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws5_request,SignedHeaders=host,Signature=0", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 Credential=/20130524/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0", "AuthorizationHeaderMalformed", 400)]
    [InlineData("AWS4-HMAC-SHA256 Credential=nobody/20130524/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0", "InvalidAccessKeyId", 403)]
    public void A_header_of_another_form_gets_S3s_own_answer(string header, string code, int status) =>
        Refused(Published.Request("GET /", ("Host", Host), ("Authorization", header), ("x-amz-date", "20130524T000000Z")), code, status);

    [Fact]
    public void Without_a_signature_a_request_is_anonymous()
    {
        var (verified, error) = Published.Verifier().Verify(Published.Request("GET /bucket/key", ("Host", Host), ("Authorization", "")));
        Assert.Null(error);
        Assert.Equal(new VerifiedRequest(null, BodySigning.None, null), verified);
    }

    [Fact]
    public void The_digest_of_the_body_must_be_there_and_have_its_form()
    {
        var request = Published.Request("GET /bucket/key", ("Host", Host)).Signed(payload: "nonsense");
        Assert.Equal("x-amz-content-sha256", Refused(request, "InvalidArgument", 400).Details!["ArgumentName"]);
        request.Headers.Remove("x-amz-content-sha256");
        Assert.Equal("Missing required header for this request: x-amz-content-sha256", Refused(request, "InvalidRequest", 400).Message);
    }

    [Fact]
    public void A_key_that_expired_is_unknown()
    {
        var verifier = new RequestVerifier(_ => Published.Key with { ExpiresAt = Published.Day }, Published.Region, new Published.StoppedClock(Published.Day));
        Assert.Equal("InvalidAccessKeyId", verifier.Verify(Published.Request("GET /", ("Host", Host)).Signed()).Error!.Code);
    }

    [Fact]
    public void An_address_signed_in_advance_ends_and_is_not_changed()
    {
        var address = Signer.Presign("PUT", new Uri($"http://{Host}/bucket/a%20b?versionId=3"), Published.Id, Published.Secret, Published.Region, Published.Day, TimeSpan.FromSeconds(60));
        HttpRequest Put(string target, params ReadOnlySpan<(string, string)> headers) => Published.Request("PUT " + target, [("Host", Host), .. headers]);
        Assert.Null(Published.Verifier().Verify(Put(address.PathAndQuery)).Error);
        Assert.Null(Published.Verifier(Published.Day.AddSeconds(60)).Verify(Put(address.PathAndQuery)).Error);
        var late = Published.Verifier(Published.Day.AddSeconds(61)).Verify(Put(address.PathAndQuery)).Error!;
        Assert.Equal(("AccessDenied", "Request has expired"), (late.Code, late.Message));
        Assert.Equal("Request is not yet valid", Published.Verifier(Published.Day.AddHours(-1)).Verify(Put(address.PathAndQuery)).Error!.Message);
        Refused(Put(address.PathAndQuery.Replace("Id=3", "Id=4", StringComparison.Ordinal)), "SignatureDoesNotMatch", 403);
        Refused(Put(address.PathAndQuery.Replace("Expires=60", "Expires=61", StringComparison.Ordinal)), "SignatureDoesNotMatch", 403);
        Refused(Published.Request("GET " + address.PathAndQuery, ("Host", Host)), "SignatureDoesNotMatch", 403);
        Refused(Put(address.PathAndQuery, ("x-amz-acl", "public-read")), "AccessDenied", 403);
        Refused(Put(address.PathAndQuery, ("Authorization", "AWS4-HMAC-SHA256 x")), "InvalidArgument", 400);
        Assert.Equal(BodySigning.Sha256, Published.Verifier().Verify(Put(address.PathAndQuery, ("x-amz-content-sha256", Published.Empty))).Request!.Signing);
    }

    [Theory]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=604801")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=0")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=-1")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=x")]
    [InlineData("X-Amz-Expires=60", "")]
    [InlineData("AWS4-HMAC-SHA256", "AWS4-ECDSA")]
    [InlineData("20130524T000000Z", "20130524")]
    [InlineData("us-east-1", "eu-west-9")]
    [InlineData("%2Fs3%2F", "%2F")]
    public void Parameters_of_another_form_are_named(string from, string to)
    {
        var address = Signer.Presign("GET", new Uri($"http://{Host}/bucket/key"), Published.Id, Published.Secret, Published.Region, Published.Day, TimeSpan.FromSeconds(60));
        Refused(Published.Request("GET " + address.PathAndQuery.Replace(from, to, StringComparison.Ordinal), ("Host", Host)), "AuthorizationQueryParametersError", 400);
    }

    [Fact]
    public void Version_2_signs_metadata_and_sub_resources()
    {
        var expires = Published.Day.AddMinutes(1).ToUnixTimeSeconds();
        var text = $"PUT\n\ntext/plain\n{expires}\nx-amz-meta-a:1\n/bucket/a%20b?partNumber=1&uploadId=x/y";
        var signature = Uri.EscapeDataString(Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(Published.Secret), Encoding.UTF8.GetBytes(text))));
        var target = $"/bucket/a%20b?uploadId=x%2Fy&partNumber=1&AWSAccessKeyId={Published.Id}&Expires={expires}&Signature={signature}";
        HttpRequest Put(string to, string meta) => Published.Request("PUT " + to, ("Host", Host), ("Content-Type", "text/plain"), ("x-amz-meta-a", meta));
        Assert.Null(Published.Verifier().Verify(Put(target, "1")).Error);
        Refused(Put(target, "2"), "SignatureDoesNotMatch", 403);
        Refused(Put(target.Replace("partNumber=1", "partNumber=2", StringComparison.Ordinal), "1"), "SignatureDoesNotMatch", 403);
        Refused(Put(target.Replace(Published.Id, "nobody", StringComparison.Ordinal), "1"), "InvalidAccessKeyId", 403);
        Refused(Put(target.Replace("&Expires", "&Experts", StringComparison.Ordinal), "1"), "AccessDenied", 403);
        Assert.Equal("Request has expired", Published.Verifier(Published.Day.AddMinutes(2)).Verify(Put(target, "1")).Error!.Message);
    }

    private static S3Error Refused(HttpRequest request, string code, int status)
    {
        var (verified, error) = Published.Verifier().Verify(request);
        Assert.Null(verified);
        Assert.Equal((code, status), (error!.Code, error.Status));
        Assert.DoesNotContain(Published.Secret, error.Message + string.Join("", error.Details?.Values ?? []), StringComparison.Ordinal);
        return error;
    }
}
