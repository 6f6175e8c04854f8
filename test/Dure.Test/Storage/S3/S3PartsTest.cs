using Dure.Storage.S3;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>The parsers of the endpoint.</summary>
public sealed class S3PartsTest
{
    [Theory]
    [InlineData("bytes=0-4", 10, 0L, 5L)]
    [InlineData("bytes=5-", 10, 5L, 5L)]
    [InlineData("bytes=-3", 10, 7L, 3L)]
    [InlineData("bytes=-30", 10, 0L, 10L)]
    [InlineData("bytes=2-99", 10, 2L, 8L)]
    [InlineData("bytes=10-", 10, 0L, 0L)]
    [InlineData("bytes=-0", 10, 10L, 0L)]
    [InlineData("bytes=0-", 0, 0L, 0L)]
    public void A_range_is_what_it_covers(string text, long size, long offset, long length) => Assert.Equal((offset, length), ByteRange.Parse(text, size));

    [Theory]
    [InlineData("bytes=4-2")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=1-2,4-5")]
    [InlineData("lines=1-2")]
    public void A_range_that_is_none_is_ignored(string text) => Assert.Null(ByteRange.Parse(text, 10));

    [Fact]
    public void A_range_never_leaves_the_object() => Prop.ForAll<string, uint>((text, size) =>
    {
        var range = ByteRange.Parse("bytes=" + text, size);
        return range is not var (offset, length) || (offset >= 0 && length >= 0 && offset + length <= size);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_a_query_encodes_it_decodes() => Prop.ForAll<NonNull<string>>(text =>
    {
        var valid = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get));
        return S3Query.Decode(Uri.EscapeDataString(valid), plusIsSpace: true) == valid && S3Query.Decode(S3Query.Encode(valid), plusIsSpace: false) == valid;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_pattern_without_wildcards_matches_itself_only() => Prop.ForAll<NonNull<string>, NonNull<string>>((one, other) =>
    {
        var (pattern, text) = (one.Get.Replace("*", "", StringComparison.Ordinal).Replace("?", "", StringComparison.Ordinal), other.Get);
        return BucketPolicy.Matches(pattern, pattern, false) && BucketPolicy.Matches(pattern, text, false) == (pattern == text) && BucketPolicy.Matches("*" + pattern + "*", text + pattern + text, false);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("a*c", "abbc", true)]
    [InlineData("a*c", "abbd", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("*", "", true)]
    [InlineData("a*b*c", "aXbYbZc", true)]
    public void Wildcards_stand_for_what_they_say(string pattern, string text, bool matches) => Assert.Equal(matches, BucketPolicy.Matches(pattern, text, false));

    [Theory]
    [InlineData("abc", true)]
    [InlineData("a.b-c", true)]
    [InlineData("ab", false)]
    [InlineData("Abc", false)]
    [InlineData("-abc", false)]
    [InlineData("abc-", false)]
    [InlineData("a..b", false)]
    [InlineData("192.168.1.2", false)]
    [InlineData("xn--abc", false)]
    [InlineData("abc-s3alias", false)]
    [InlineData("a_b", false)]
    public void A_bucket_has_a_name_as_S3_wants_it(string name, bool valid) => Assert.Equal(valid, BucketNames.IsValid(name));

    [Theory]
    [InlineData("bucket/key", "bucket", "key", null)]
    [InlineData("/bucket/a%2Fb%20c", "bucket", "a/b c", null)]
    [InlineData("bucket%2Fkey?versionId=v1", "bucket", "key", "v1")]
    [InlineData("bucket/a+b", "bucket", "a+b", null)]
    public void A_source_of_a_copy_is_read_in_every_form(string header, string bucket, string key, string? version) => Assert.Equal((bucket, key, version), CopySource.Parse(header));

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"Statement":[]}""")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}]}""")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{}}]}""")]
    [InlineData("""{"Statement":[{"Effect":"Maybe","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}""")]
    public void A_policy_that_cannot_be_enforced_is_refused(string text) => Assert.Equal("MalformedPolicy", BucketPolicy.Parse(text, "b").Error?.Code);

    [Fact]
    public void Text_in_XML_is_escaped()
    {
        using var xml = new XmlText(declaration: false);
        xml.Element("Key", "a<b>&\"c\u0001é");
        Assert.Equal("<Key>a&lt;b&gt;&amp;&quot;c&#x1;é</Key>", System.Text.Encoding.UTF8.GetString(xml.Written.Span));
    }

    [Fact]
    public void XML_with_a_document_type_is_no_XML() => Assert.Null(XmlBody.Parse("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"));
}
