using Dure.Host.Configuration;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Host.Configuration;

public sealed class SpellingTest
{
    [Theory]
    [InlineData("deplyo", "deploy")]
    [InlineData("functions.payload_limt", "functions.payload_limit")]
    [InlineData("STATSU", "status")]
    public void A_slip_of_the_fingers_finds_the_word_that_was_meant(string typed, string meant) =>
        Assert.Equal(meant, Spelling.Nearest(typed, ["deploy", "status", "functions.payload_limit", "list"]));

    [Fact]
    public void A_word_that_resembles_nothing_finds_nothing() => Assert.Null(Spelling.Nearest("zebra", ["deploy", "status"]));

    [Fact]
    public void The_distance_is_the_same_both_ways_and_zero_only_for_the_same_word() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<NonNull<string>>(), (a, b) =>
            Spelling.Distance(a.Get, b.Get) == Spelling.Distance(b.Get, a.Get)
            && (Spelling.Distance(a.Get, b.Get) == 0) == (a.Get == b.Get))
            .QuickCheckThrowOnFailure();
}
