using Dure.Edge;
using Xunit;

namespace Dure.Test.Edge;

/// <summary>The route table, and which files it takes for unchanging.</summary>
public sealed class RouteTableTest
{
    private static readonly AppRoute Paper = new("paper", 3, "/papers/paper/", "127.0.0.1", 27000);

    [Theory]
    [InlineData("/papers/paper/", "paper", false)]
    [InlineData("/papers/paper/a/b", "paper", false)]
    [InlineData("/papers/paper", "paper", true)]
    [InlineData("/papers/paper2/", null, false)]
    [InlineData("/papers/", null, false)]
    [InlineData("/", null, false)]
    public void A_path_belongs_to_the_app_whose_prefix_it_has(string path, string? id, bool bare)
    {
        var found = RouteTable.Empty.With(Paper).Match(path, out var isBare);
        Assert.Equal((id, bare), (found?.Id, isBare));
    }

    [Fact]
    public void A_table_never_changes()
    {
        var first = RouteTable.Of([Paper]);
        var second = first.With(Paper with { Version = 4 });
        Assert.Equal((3, 4), (first.Find("paper")!.Version, second.Find("paper")!.Version));
        Assert.Null(second.Without("paper").Find("paper"));
        Assert.Single(second.All);
    }

    [Theory]
    [InlineData("assets/index-BxY3k9zQ.js", true)]
    [InlineData("assets/deep/chunk-a1b2c3d4e5.css", true)]
    [InlineData("_file/data.1a2b3c4d.csv", true)]
    [InlineData("assets/index-production.js", false)]
    [InlineData("assets/results-2024-01-01.js", false)]
    [InlineData("assets/app.js", false)]
    [InlineData("index-BxY3k9zQ.js", false)]
    [InlineData("assets/index-BxY3k9zQ.html", false)]
    public void Only_names_that_hold_a_hash_are_kept(string rest, bool kept) => Assert.Equal(kept, HashedAssets.Is(rest));
}
