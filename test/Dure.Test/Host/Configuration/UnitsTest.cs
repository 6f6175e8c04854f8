using Dure.Host.Configuration;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Host.Configuration;

public sealed class UnitsTest
{
    [Fact]
    public void What_is_written_of_bytes_reads_back_to_the_same_number() =>
        Prop.ForAll(ArbMap.Default.ArbFor<long>().Filter(bytes => bytes >= 0), bytes => Units.ReadBytes(Units.WriteBytes(bytes)).Value == bytes)
            .QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_written_of_a_time_reads_back_to_the_same_time() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>().Filter(ms => ms >= 0), ms =>
        {
            var span = TimeSpan.FromMilliseconds(ms);
            return Units.ReadDuration(Units.WriteDuration(span)).Value == span;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_written_of_a_disk_amount_reads_back_to_the_same_amount() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>().Filter(n => n is >= 0 and <= 100_000), n =>
        {
            var amount = n <= 1000 ? new DiskAmount(n / 10.0, 0) : new DiskAmount(null, n);
            return Units.ReadDiskAmount(Units.WriteDiskAmount(amount)).Value == amount;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_text_at_all_makes_reading_throw() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string?>(), text =>
        {
            var any = text ?? "";
            foreach (var setting in Settings.All)
            {
                var read = setting.Read(any);
                Assert.Equal(read.Error is null, read.Error is null && setting.Write(read.Value) is not null);
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("1.5 GiB", 3L << 29)]
    [InlineData("2MB", 2_000_000)]
    [InlineData("512kib", 512 << 10)]
    [InlineData("0", 0)]
    [InlineData("17", 17)]
    [InlineData("17B", 17)]
    public void Bytes_are_read_with_their_units(string text, long bytes) => Assert.Equal(bytes, Units.ReadBytes(text).Value);

    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("2d", 172_800_000)]
    [InlineData("0", 0)]
    public void Times_are_read_with_their_units(string text, double ms) => Assert.Equal(TimeSpan.FromMilliseconds(ms), Units.ReadDuration(text).Value);

    [Theory]
    [InlineData("5")]
    [InlineData("5 apples")]
    [InlineData("s")]
    [InlineData("1m1h")]
    [InlineData("1s1s")]
    [InlineData("-1s")]
    [InlineData("99999999999999d")]
    [InlineData("")]
    public void A_time_without_a_sensible_unit_is_refused(string text) => Assert.NotNull(Units.ReadDuration(text).Error);

    [Theory]
    [InlineData("1.3B")]
    [InlineData("9999999TiB")]
    [InlineData("1GiBs")]
    [InlineData("-1")]
    [InlineData("1.2.3")]
    public void Bytes_that_make_no_sense_are_refused(string text) => Assert.NotNull(Units.ReadBytes(text).Error);

    [Theory]
    [InlineData("101%")]
    [InlineData("-1%")]
    [InlineData("x%")]
    [InlineData("some")]
    public void A_share_outside_of_a_disk_is_refused(string text) => Assert.NotNull(Units.ReadDiskAmount(text).Error);
}
