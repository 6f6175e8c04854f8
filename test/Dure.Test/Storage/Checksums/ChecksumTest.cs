using System.Security.Cryptography;
using System.Text;
using Dure.Storage.Checksums;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Checksums;

public sealed class ChecksumTest
{
    [Theory]
    [InlineData(ChecksumKind.Crc32, "y/Q5Jg==")]
    [InlineData(ChecksumKind.Crc32C, "4waSgw==")]
    [InlineData(ChecksumKind.Crc64Nvme, "rosUhgp5mIg=")]
    [InlineData(ChecksumKind.Sha1, "98O8HYCOBHMq32eZZcha5zZ1iBM=")]
    [InlineData(ChecksumKind.Sha256, "FeKwtKZcDRUgMRQmcESF+NEfQfQ3i8jUq7tEtpgcTCU=")]
    public void A_running_checksum_ends_as_S3_writes_it(ChecksumKind kind, string value)
    {
        using var running = new RunningChecksum(kind);
        running.Append("1234"u8);
        running.Append("56789"u8);
        if (kind is not (ChecksumKind.Sha1 or ChecksumKind.Sha256))
        {
            Assert.Equal(value, running.Finish());
        }
        else
        {
            var hash = kind == ChecksumKind.Sha1 ? SHA1.HashData("123456789"u8) : SHA256.HashData("123456789"u8);
            Assert.Equal(Convert.ToBase64String(hash), running.Finish());
        }
        running.Append("123456789"u8);
        Assert.Equal(ChecksumNames.Length(kind), ChecksumNames.Decode(kind, running.Finish())!.Length);
    }

    [Fact]
    public void Names_go_both_ways()
    {
        foreach (var kind in ChecksumNames.All)
        {
            Assert.True(ChecksumNames.TryParseWord(ChecksumNames.Word(kind), out var word) && word == kind);
            Assert.True(ChecksumNames.TryParseHeader(ChecksumNames.Header(kind).ToUpperInvariant(), out var header) && header == kind);
        }
        Assert.Equal("x-amz-checksum-crc64nvme", ChecksumNames.Header(ChecksumKind.Crc64Nvme));
        Assert.False(ChecksumNames.TryParseWord("CRC16", out _));
        Assert.False(ChecksumNames.TryParseWord(null, out _));
        Assert.False(ChecksumNames.TryParseHeader("x-amz-checksum-algorithm", out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData("AAAAAA=")]
    [InlineData("AAAAAAA=")]
    [InlineData("AAAA AA=")]
    [InlineData("AAAAAA==AAAA")]
    [InlineData("bad")]
    public void A_value_of_another_length_or_form_is_none(string value) => Assert.Null(ChecksumNames.Decode(ChecksumKind.Crc32, value));

    [Fact]
    public void A_composite_checksum_is_of_the_parts_checksums()
    {
        var parts = new[] { "one", "two" }.Select(text => SHA256.HashData(Encoding.ASCII.GetBytes(text))).ToList();
        var expected = Convert.ToBase64String(SHA256.HashData([.. parts[0], .. parts[1]]));
        var made = CompositeChecksum.Compute(ChecksumKind.Sha256, [.. parts.Select(Convert.ToBase64String)]);
        Assert.Equal(expected + "-2", made);
        Assert.Equal(expected, CompositeChecksum.Split(made!, out var count));
        Assert.Equal(2, count);
        Assert.Equal(expected, CompositeChecksum.Split(expected, out count));
        Assert.Null(count);
        Assert.Null(CompositeChecksum.Compute(ChecksumKind.Sha256, ["AAAA"]));
    }

    [Fact]
    public void The_checksum_of_the_whole_follows_from_those_of_its_parts() => Prop.ForAll(
        Gen.ListOf(Gen.ArrayOf(Gen.Choose(0, 255).Select(n => (byte)n))).ToArbitrary(),
        pieces =>
        {
            foreach (var kind in ChecksumNames.All.Where(ChecksumNames.CanBeFullObject))
            {
                var whole = Of(kind, [.. pieces.SelectMany(piece => piece)]);
                if (whole != FullObjectChecksum.Combine(kind, [.. pieces.Select(piece => (Of(kind, piece), (long)piece.Length))]))
                {
                    return false;
                }
            }
            return true;
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Hashes_cannot_be_combined() => Assert.Null(FullObjectChecksum.Combine(ChecksumKind.Sha1, []));

    private static string Of(ChecksumKind kind, byte[] bytes)
    {
        using var running = new RunningChecksum(kind);
        running.Append(bytes);
        return running.Finish();
    }
}
