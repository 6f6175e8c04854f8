using Dure.Host.Terminal;
using Xunit;

namespace Dure.Test.Host.Terminal;

public sealed class PhraseTest
{
    [Theory]
    [InlineData(0.42, "0.4ms")]
    [InlineData(12.3, "12ms")]
    [InlineData(999.4, "999ms")]
    [InlineData(999.9, "1.0s")]
    [InlineData(1_449, "1.4s")]
    [InlineData(192_000, "3m12s")]
    [InlineData(7_500_000, "2h05m")]
    [InlineData(273_600_000, "3d04h")]
    public void A_duration_has_two_units_at_most(double ms, string text) => Assert.Equal(text, Phrase.Took(ms));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1L << 40, "1 TiB")]
    public void A_size_has_one_decimal_at_most(long bytes, string text) => Assert.Equal(text, Phrase.Size(bytes));

    [Theory]
    [InlineData(0, "now")]
    [InlineData(-59, "59s ago")]
    [InlineData(-3600, "1h ago")]
    [InlineData(-172_800, "2d ago")]
    [InlineData(90, "in 1m")]
    public void A_moment_is_told_from_now(int seconds, string text)
    {
        var now = new StoppedClock(DateTimeOffset.UnixEpoch.AddYears(50));
        Assert.Equal(text, Phrase.Ago(now.GetUtcNow().AddSeconds(seconds), now));
    }

    [Fact]
    public void What_is_not_known_is_a_dash() =>
        Assert.Equal(("-", "-", "-", "-"), (Phrase.Took(null), Phrase.Size(null), Phrase.Ago(null, TimeProvider.System), Phrase.Digest(null)));

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
