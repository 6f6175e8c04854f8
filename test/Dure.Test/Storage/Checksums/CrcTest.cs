using System.Text;
using Dure.Storage.Checksums;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Checksums;

public sealed class CrcTest
{
    private static readonly byte[] Digits = Encoding.ASCII.GetBytes("123456789");

    [Fact]
    public void The_check_values_of_the_specifications_come_out()
    {
        Assert.Equal(0xCBF43926u, Crc32.Compute(Digits));
        Assert.Equal(0xE3069283u, Crc32C.Compute(Digits));
        Assert.Equal(0xAE8B14860A799888ul, Crc64Nvme.Compute(Digits));
        Assert.Equal(0u, Crc32.Compute([]));
        Assert.Equal(0u, Crc32C.Compute([]));
        Assert.Equal(0ul, Crc64Nvme.Compute([]));
    }

    [Fact]
    public void The_vectors_of_iSCSI_come_out()
    {
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(n => (byte)n)]));
    }

    [Fact]
    public void The_vectors_of_NVM_Express_come_out()
    {
        Assert.Equal(0x6482D367EB22B64Eul, Crc64Nvme.Compute(new byte[4096]));
        Assert.Equal(0xC0DDBA7302ECA3ACul, Crc64Nvme.Compute([.. Enumerable.Repeat((byte)0xFF, 4096)]));
        Assert.Equal(0x3E729F5F6750449Cul, Crc64Nvme.Compute([.. Enumerable.Range(0, 4096).Select(n => (byte)n)]));
    }

    [Fact]
    public void Every_length_folded_is_what_bit_by_bit_gives()
    {
        var bytes = new byte[700];
        new Random(7).NextBytes(bytes);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var some = bytes.AsSpan(bytes.Length - length);
            Assert.Equal((uint)Slowly(0xEDB88320, 32, some), Crc32.Compute(some));
            Assert.Equal((uint)Slowly(0x82F63B78, 32, some), Crc32C.Compute(some));
            Assert.Equal(Slowly(0x9A6C9329AC4BC9B5, 64, some), Crc64Nvme.Compute(some));
        }
    }

    [Fact]
    public void The_tables_alone_give_the_same()
    {
        var engine = new ReflectedCrc(0x9A6C9329AC4BC9B5, 64);
        var bytes = new byte[1000];
        new Random(8).NextBytes(bytes);
        Assert.Equal(engine.Update(123, bytes), engine.UpdateByTables(123, bytes));
    }

    [Fact]
    public void Pieces_give_what_the_whole_gives() => Prop.ForAll<byte[], byte[], byte[]>((a, b, c) =>
    {
        byte[] whole = [.. a, .. b, .. c];
        return Crc32.Append(Crc32.Append(Crc32.Append(0, a), b), c) == Crc32.Compute(whole)
            && Crc32C.Append(Crc32C.Append(Crc32C.Append(0, a), b), c) == Crc32C.Compute(whole)
            && Crc64Nvme.Append(Crc64Nvme.Append(Crc64Nvme.Append(0, a), b), c) == Crc64Nvme.Compute(whole);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Combined_checks_are_that_of_the_whole() => Prop.ForAll<byte[], byte[]>((a, b) =>
    {
        byte[] whole = [.. a, .. b];
        return Crc32.Combine(Crc32.Compute(a), Crc32.Compute(b), b.Length) == Crc32.Compute(whole)
            && Crc32C.Combine(Crc32C.Compute(a), Crc32C.Compute(b), b.Length) == Crc32C.Compute(whole)
            && Crc64Nvme.Combine(Crc64Nvme.Compute(a), Crc64Nvme.Compute(b), b.Length) == Crc64Nvme.Compute(whole);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_long_second_piece_is_combined_as_well()
    {
        var zeros = new byte[5 << 20];
        Assert.Equal(Crc32.Append(Crc32.Compute(Digits), zeros), Crc32.Combine(Crc32.Compute(Digits), Crc32.Compute(zeros), zeros.Length));
        Assert.Equal(Crc64Nvme.Append(Crc64Nvme.Compute(Digits), zeros), Crc64Nvme.Combine(Crc64Nvme.Compute(Digits), Crc64Nvme.Compute(zeros), zeros.Length));
    }

    private static ulong Slowly(ulong polynomial, int width, ReadOnlySpan<byte> bytes)
    {
        var ones = width == 64 ? ulong.MaxValue : uint.MaxValue;
        var state = ones;
        foreach (var value in bytes)
        {
            state ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                state = (state & 1) != 0 ? (state >> 1) ^ polynomial : state >> 1;
            }
        }
        return state ^ ones;
    }
}
