using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dure.Host.Identity.Oidc;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class IdTokenTest : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly IdTokenChecks Checks = new("https://login.lab.example", "dure", "n-1", Now);

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public void A_token_of_the_provider_is_believed(string algorithm)
    {
        var (claims, wrong) = IdToken.Check(Make(algorithm), Keys(), Checks);
        Assert.Null(wrong);
        Assert.Equal(new OidcClaims("ada-1", "ada@lab.example", true, "Ada L.", "ada"), claims);
        Assert.NotNull(IdToken.Check(Make(algorithm, c => c["aud"] = new JsonArray("other", "dure"), c => c["azp"] = "dure"), Keys(), Checks).Claims);
    }

    [Fact]
    public void One_that_fails_any_check_is_refused_and_the_check_is_named()
    {
        Refused("issuer", Make("RS256", c => c["iss"] = "https://login.lab.example/"));
        Refused("another client", Make("RS256", c => c["aud"] = "other"));
        Refused("another client", Make("RS256", c => c.Remove("aud")));
        Refused("another client", Make("RS256", c => c["aud"] = new JsonArray("dure", "other")));
        Refused("another client", Make("RS256", c => c["azp"] = "other"));
        Refused("expired", Make("RS256", c => c["exp"] = Now.ToUnixTimeSeconds() - 61));
        Refused("expired", Make("RS256", c => c.Remove("exp")));
        Refused("expired", Make("RS256", c => c["exp"] = "9999999999"));
        Refused("not valid yet", Make("RS256", c => c["nbf"] = Now.ToUnixTimeSeconds() + 61));
        Refused("nonce", Make("RS256", c => c["nonce"] = "n-2"));
        Refused("nonce", Make("RS256", c => c.Remove("nonce")));
        Refused("nobody", Make("RS256", c => c.Remove("sub")));
        Refused("no JSON Web Token", "x.y");
        Refused("no JSON Web Token", "");
    }

    [Fact]
    public void No_signature_but_one_by_a_key_of_the_provider_counts()
    {
        var good = Make("ES256").Split('.');
        Refused("none of the provider's keys", $"{good[0]}.{good[1]}.{new string('A', good[2].Length)}");
        Refused("none of the provider's keys", $"{good[0]}.{Make("ES256", c => c["sub"] = "eve").Split('.')[1]}.{good[2]}");
        Refused("signed with none", Encode("""{"alg":"none"}""") + "." + good[1] + ".");
        // The public key as the secret of a MAC.
        var body = Encode("""{"alg":"HS256","kid":"rsa"}""") + "." + good[1];
        Refused("signed with HS256", body + "." + Base64Url.EncodeToString(HMACSHA256.HashData(_rsa.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(body))));
        Assert.NotNull(IdToken.Check(Make("RS256"), [], Checks).Wrong);
        using var other = RSA.Create(2048);
        Refused("none of the provider's keys", Sign("RS256", Claims(), other.SignData));
        using var small = RSA.Create(1024);
        var key = JsonSerializer.SerializeToElement(new { kty = "RSA", kid = "rsa", n = Base64Url.EncodeToString(small.ExportParameters(false).Modulus), e = "AQAB" });
        Assert.NotNull(IdToken.Check(Sign("RS256", Claims(), small.SignData), [key], Checks).Wrong);
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _curve.Dispose();
    }

    private void Refused(string why, string token)
    {
        var (claims, wrong) = IdToken.Check(token, Keys(), Checks);
        Assert.Null(claims);
        Assert.Contains(why, wrong, StringComparison.Ordinal);
    }

    private string Make(string algorithm, params Action<JsonObject>[] changes)
    {
        var claims = Claims();
        foreach (var change in changes)
            change(claims);
        return algorithm == "RS256" ? Sign(algorithm, claims, _rsa.SignData) : Sign(algorithm, claims, (content, hash, _) => _curve.SignData(content, hash));
    }

    private static string Sign(string algorithm, JsonObject claims, Func<byte[], HashAlgorithmName, RSASignaturePadding, byte[]> sign)
    {
        var body = Encode(new JsonObject { ["alg"] = algorithm, ["kid"] = algorithm == "RS256" ? "rsa" : "curve" }.ToJsonString()) + "." + Encode(claims.ToJsonString());
        return body + "." + Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(body), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static JsonObject Claims() => new()
    {
        ["iss"] = Checks.Issuer, ["aud"] = "dure", ["sub"] = "ada-1", ["nonce"] = "n-1", ["exp"] = Now.ToUnixTimeSeconds() + 60, ["iat"] = Now.ToUnixTimeSeconds(),
        ["email"] = "ada@lab.example", ["email_verified"] = true, ["name"] = "Ada L.", ["preferred_username"] = "ada",
    };

    private List<JsonElement> Keys()
    {
        var (rsa, curve) = (_rsa.ExportParameters(false), _curve.ExportParameters(false));
        return
        [
            JsonSerializer.SerializeToElement(new { kty = "RSA", kid = "rsa", use = "sig", n = Base64Url.EncodeToString(rsa.Modulus), e = Base64Url.EncodeToString(rsa.Exponent) }),
            JsonSerializer.SerializeToElement(new { kty = "EC", crv = "P-256", kid = "curve", alg = "ES256", x = Base64Url.EncodeToString(curve.Q.X), y = Base64Url.EncodeToString(curve.Q.Y) }),
        ];
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
