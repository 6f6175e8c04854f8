using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dure.Host.Identity;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class SessionTokenTest
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Fact]
    public void What_was_signed_is_read_until_it_runs_out() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        ArbMap.Default.ArbFor<PositiveInt>(),
        (name, left) =>
        {
            // JSON replaces halves of surrogate pairs, which no name has.
            var sub = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name.Get.Length > 100 ? name.Get[..100] : name.Get));
            var claims = new SessionClaims("a1", sub, "member", Now.ToUnixTimeSeconds() + left.Get);
            var text = SessionToken.Make(claims, Key);
            return text.Length > 1024
                || (SessionToken.Read(text, Key, Now) == claims && SessionToken.Read(text, Key, Now.AddSeconds(left.Get)) is null && SessionToken.Read(text, RandomNumberGenerator.GetBytes(32), Now) is null);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_change_of_any_character_is_believed()
    {
        var text = SessionToken.Make(new SessionClaims("a1", "ada", "viewer", Now.ToUnixTimeSeconds() + 100), Key);
        Assert.NotNull(SessionToken.Read(text, Key, Now));
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
        for (var at = 0; at < text.Length; at++)
        {
            foreach (var other in alphabet.Where(c => c != text[at]))
                Assert.Null(SessionToken.Read(text[..at] + other + text[(at + 1)..], Key, Now));
            Assert.Null(SessionToken.Read(text[..at], Key, Now));
            Assert.Null(SessionToken.Read(text.Remove(at, 1), Key, Now));
        }
        Assert.Null(SessionToken.Read(text + "A", Key, Now));
        Assert.Null(SessionToken.Read(text + ".", Key, Now));
    }

    [Fact]
    public void No_text_whatever_is_believed_or_breaks_it() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        text => SessionToken.Read(text.Get, Key, Now) is null && SessionToken.Read("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + text.Get, Key, Now) is null).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("""{"alg":"none","typ":"JWT"}""")]
    [InlineData("""{"alg":"HS512","typ":"JWT"}""")]
    [InlineData("""{"typ":"JWT","alg":"HS256"}""")]
    public void No_token_chooses_how_it_is_checked(string header)
    {
        var body = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + "."
            + Base64Url.EncodeToString(Encoding.UTF8.GetBytes("""{"sid":"a1","sub":"ada","role":"owner","exp":9999999999}"""));
        var signature = Base64Url.EncodeToString(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(body)));
        Assert.Null(SessionToken.Read($"{body}.{signature}", Key, Now));
        Assert.Null(SessionToken.Read($"{body}.", Key, Now));
    }
}
