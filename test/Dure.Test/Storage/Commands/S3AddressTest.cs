using Dure.Storage.Commands;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Commands;

public sealed class S3AddressTest
{
    [Theory]
    [InlineData("s3://lab", "lab", "")]
    [InlineData("s3://lab/", "lab", "")]
    [InlineData("s3://lab/a/b c.txt", "lab", "a/b c.txt")]
    [InlineData("s3://lab//a", "lab", "/a")]
    [InlineData("s3://lab/결과/å?x#y%20", "lab", "결과/å?x#y%20")]
    public void An_address_is_a_bucket_and_a_key_as_it_stands(string text, string bucket, string key) => Assert.Equal(new S3Address(bucket, key), S3Address.Parse(text).Value);

    [Theory]
    [InlineData("lab/a")]
    [InlineData("s3:/lab/a")]
    [InlineData("s3://")]
    [InlineData("s3:///a")]
    [InlineData("s3://ab/a")]
    [InlineData("s3://Lab/a")]
    [InlineData("s3://lab:80/a")]
    public void What_is_no_address_is_refused_with_what_would_be_one(string text)
    {
        var refused = S3Address.Parse(text);
        Assert.False(refused.Ok);
        Assert.Equal("DURE0676", refused.Problem.Kind.Id);
    }

    [Fact]
    public void A_key_has_at_most_1024_bytes()
    {
        Assert.True(S3Address.Parse("s3://lab/" + new string('é', 512)).Ok);
        Assert.False(S3Address.Parse("s3://lab/" + new string('é', 512) + "x").Ok);
    }

    [Fact]
    public void Every_address_is_read_as_it_is_written() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        key => new S3Address("lab", key.Get) is var address && (System.Text.Encoding.UTF8.GetByteCount(key.Get) > 1024 || S3Address.Parse(address.ToString()).Value == address)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_file_goes_below_a_folder_and_under_its_own_name_there()
    {
        Assert.Equal("s3://lab/x/model.pt", CopyPlan.KeyFor(new("lab", "x/"), "/tmp/model.pt").ToString());
        Assert.Equal("s3://lab/model.pt", CopyPlan.KeyFor(new("lab", ""), "model.pt").ToString());
        Assert.Equal("s3://lab/x", CopyPlan.KeyFor(new("lab", "x"), "model.pt").ToString());
        Assert.Equal("new/model.pt", CopyPlan.PathFor("new/", new("lab", "x/model.pt")));
        Assert.Equal("other.pt", CopyPlan.PathFor("other.pt", new("lab", "x/model.pt")));
    }

    [Theory]
    [InlineData("run/a/b.txt", true)]
    [InlineData("run/.hidden", true)]
    [InlineData("run/../b", false)]
    [InlineData("run//b", false)]
    [InlineData("run/a/./b", false)]
    [InlineData("run/", false)]
    [InlineData("run/a\0b", false)]
    public void A_key_never_leads_out_of_the_folder(string key, bool isPath)
    {
        var path = CopyPlan.PathBelow("here", new("lab", "run"), key);
        Assert.Equal(isPath, path.Ok);
        Assert.Equal(isPath ? "here/" + key["run/".Length..] : "DURE0675", path.Ok ? path.Value : path.Problem.Kind.Id);
    }

    [Fact]
    public void No_key_at_all_leads_out_of_the_folder() => Prop.ForAll(
        Gen.ListOf(Gen.Elements("..", ".", "", "a", "/", "b..", "\0")).Select(parts => "run/" + string.Join('/', parts)).ToArbitrary(),
        key => CopyPlan.PathBelow("/here", new("lab", "run/"), key) is not { Ok: true } path || Path.GetFullPath(path.Value).StartsWith("/here/", StringComparison.Ordinal)).QuickCheckThrowOnFailure();
}
