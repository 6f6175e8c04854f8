using System.Security.Cryptography;
using System.Text;
using Dure.Storage.Signing;
using Xunit;

namespace Dure.Test.Storage.Signing;

public sealed class PostPolicyTest
{
    private const string Conditions = """
        {"bucket":"pics"}, ["starts-with","$key","user/"], {"acl":"private"}, ["content-length-range",1,1000],
        {"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"}, {"x-amz-algorithm":"AWS4-HMAC-SHA256"}, {"x-amz-date":"20130524T000000Z"}
        """;

    [Fact]
    public void A_signed_form_verifies_and_says_how_large_the_file_may_be()
    {
        var (post, error) = Verify(Form(Policy(Conditions)));
        Assert.Null(error);
        Assert.Equal(new VerifiedPost(Published.Key, 1, 1000), post);
    }

    [Fact]
    public void Version_2_verifies_as_well()
    {
        var policy = Policy("""{"bucket":"pics"}, ["StArTs-WiTh","$KeY",""]""");
        var signature = Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(Published.Secret), Encoding.UTF8.GetBytes(policy)));
        var form = new Dictionary<string, string> { ["key"] = "x", ["AWSAccessKeyId"] = Published.Id, ["Policy"] = policy, ["signature"] = signature };
        Assert.Equal(Published.Key, Verify(form).Post!.Key);
        form["signature"] = "x" + signature[1..];
        Refused(form, "SignatureDoesNotMatch", 403, "");
        form["AWSAccessKeyId"] = "nobody";
        Refused(form, "InvalidAccessKeyId", 403, "");
        form.Remove("AWSAccessKeyId");
        Refused(form, "InvalidArgument", 400, "AWSAccessKeyId");
    }

    [Fact]
    public void A_form_without_a_policy_is_anonymous() =>
        Assert.Null(Verify(new Dictionary<string, string> { ["key"] = "x" }).Post!.Key);

    [Theory]
    [InlineData("key", "other/x", "Invalid according to Policy: Policy Condition failed: [\"starts-with\", \"$key\", \"user/\"]")]
    [InlineData("acl", "public-read", "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$acl\", \"private\"]")]
    [InlineData("x-amz-meta-more", "1", "Invalid according to Policy: Extra input fields: x-amz-meta-more")]
    [InlineData("bucket", "other", "Invalid according to Policy: the field bucket is not the bucket of the address.")]
    public void What_the_policy_does_not_allow_is_refused(string field, string value, string message)
    {
        var form = Form(Policy(Conditions));
        form[field] = value;
        Refused(form, "AccessDenied", 403, message);
    }

    [Fact]
    public void Fields_to_be_ignored_need_no_condition()
    {
        var form = Form(Policy(Conditions));
        form["X-Ignore-Me"] = "1";
        Assert.Null(Verify(form).Error);
    }

    [Fact]
    public void A_policy_ends() =>
        Refused(Form(Policy(Conditions, "2013-05-24T00:00:00Z")), "AccessDenied", 403, "Invalid according to Policy: Policy expired.");

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z"}""")]
    [InlineData("""{"expiration":"soon","conditions":[]}""")]
    [InlineData("""{"EXPIRATION":"2014-01-01T00:00:00Z","conditions":[]}""")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z","conditions":{}}""")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z","conditions":[{}]}""")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z","conditions":[["content-length-range",0]]}""")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z","conditions":[["content-length-range",-1,0]]}""")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z","conditions":[["like","$key","x"]]}""")]
    [InlineData("""{"expiration":"2014-01-01T00:00:00Z","conditions":["x"]}""")]
    public void A_policy_of_another_form_is_refused(string json) =>
        Refused(Form(Convert.ToBase64String(Encoding.UTF8.GetBytes(json))), "InvalidPolicyDocument", 400, "Invalid Policy:");

    [Theory]
    [InlineData("x-amz-signature", "0", "SignatureDoesNotMatch", 403)]
    [InlineData("x-amz-signature", "", "InvalidArgument", 400)]
    [InlineData("x-amz-date", "today", "AuthorizationQueryParametersError", 400)]
    [InlineData("x-amz-algorithm", "x", "InvalidArgument", 400)]
    [InlineData("x-amz-credential", "x", "AuthorizationQueryParametersError", 400)]
    [InlineData("x-amz-credential", "nobody/20130524/us-east-1/s3/aws4_request", "InvalidAccessKeyId", 403)]
    [InlineData("x-amz-security-token", "x", "InvalidToken", 400)]
    public void A_signature_of_another_form_is_refused(string field, string value, string code, int status)
    {
        var form = Form(Policy(Conditions));
        form[field] = value;
        Refused(form, code, status, "");
    }

    private static string Policy(string conditions, string expiration = "2013-05-25T00:00:00.000Z") =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"expiration":"{{expiration}}","conditions":[{{conditions}}]}"""));

    private static Dictionary<string, string> Form(string policy)
    {
        var seed = Signer.Seed(Published.Secret, Published.Region, Published.Day, "");
        return new(StringComparer.OrdinalIgnoreCase)
        {
            ["key"] = "user/x",
            ["acl"] = "private",
            ["x-amz-algorithm"] = "AWS4-HMAC-SHA256",
            ["X-Amz-Credential"] = Published.Id + "/" + seed.Scope,
            ["x-amz-date"] = seed.Timestamp,
            ["policy"] = policy,
            ["x-amz-signature"] = Convert.ToHexStringLower(HMACSHA256.HashData(seed.SigningKey, Encoding.UTF8.GetBytes(policy))),
        };
    }

    private static (VerifiedPost? Post, Dure.Storage.S3.S3Error? Error) Verify(IEnumerable<KeyValuePair<string, string>> form) =>
        new PostPolicy(Published.Find, Published.Region, new Published.StoppedClock(Published.Day)).Verify("pics", form);

    private static void Refused(IEnumerable<KeyValuePair<string, string>> form, string code, int status, string message)
    {
        var (post, error) = Verify(form);
        Assert.Null(post);
        Assert.Equal((code, status), (error!.Code, error.Status));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
