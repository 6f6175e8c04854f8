using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Arm = System.Runtime.Intrinsics.Arm;

namespace Dure.Storage.Checksums;

/// <summary>
/// A cyclic redundancy check whose bits run from the lowest up, as all of S3's do. Long inputs are folded with carry-less
/// multiplication (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", 2009), short ones and other machines use
/// eight tables. In this class a polynomial of a degree below the width is a number whose highest bit is the coefficient of 1.
/// </summary>
internal sealed class ReflectedCrc
{
    private const int Slices = 8;
    private const int FoldFrom = 128;
    private const int FoldedBytes = 64;

    private readonly ulong[] _tables = new ulong[Slices * 256];

    // x to the powers of two, for any length in bits.
    private readonly ulong[] _squares = new ulong[64];
    private readonly ulong _polynomial;
    private readonly int _width;
    private readonly Vector128<ulong> _fold512;
    private readonly Vector128<ulong> _fold128;

    /// <param name="polynomial">Without its highest term.</param>
    /// <param name="width">32 or 64.</param>
    public ReflectedCrc(ulong polynomial, int width)
    {
        (_polynomial, _width) = (polynomial, width);
        for (var value = 0; value < 256; value++)
        {
            var row = (ulong)value;
            for (var bit = 0; bit < 8; bit++)
            {
                row = TimesX(row);
            }
            _tables[value] = row;
        }
        for (var at = 256; at < _tables.Length; at++)
        {
            var before = _tables[at - 256];
            _tables[at] = (before >> 8) ^ _tables[(byte)before];
        }
        _squares[0] = TimesX(1UL << (width - 1));
        for (var at = 1; at < _squares.Length; at++)
        {
            _squares[at] = Multiply(_squares[at - 1], _squares[at - 1]);
        }
        // The product of two reflected numbers comes out one power of x too high.
        _fold512 = Vector128.Create(PowerOfX(512 + 63) << (64 - width), PowerOfX(512 - 1) << (64 - width));
        _fold128 = Vector128.Create(PowerOfX(128 + 63) << (64 - width), PowerOfX(128 - 1) << (64 - width));
    }

    private static bool CanFold => Pclmulqdq.IsSupported || Arm.Aes.IsSupported;

    /// <summary>Goes on from a raw state, without the inversions at the start and the end.</summary>
    public ulong Update(ulong state, ReadOnlySpan<byte> bytes)
    {
        if (CanFold && bytes.Length >= FoldFrom)
        {
            state = Fold(state, ref bytes);
        }
        return UpdateByTables(state, bytes);
    }

    /// <summary>The check of two pieces one after the other, from theirs.</summary>
    /// <param name="lengthSecond">Bytes of the second piece, 0 or more.</param>
    public ulong Combine(ulong first, ulong second, long lengthSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthSecond);
        // Three squarings on, because a length in bits might not fit.
        var shift = 1UL << (_width - 1);
        for (var at = 3; lengthSecond != 0; at = (at + 1) & 63, lengthSecond >>= 1)
        {
            if ((lengthSecond & 1) != 0)
            {
                shift = Multiply(_squares[at], shift);
            }
        }
        return Multiply(shift, first) ^ second;
    }

    internal ulong UpdateByTables(ulong state, ReadOnlySpan<byte> bytes)
    {
        ref var tables = ref MemoryMarshal.GetArrayDataReference(_tables);
        while (bytes.Length >= 8)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ state;
            state = Unsafe.Add(ref tables, 0x700 + (int)(byte)word)
                ^ Unsafe.Add(ref tables, 0x600 + (int)(byte)(word >> 8))
                ^ Unsafe.Add(ref tables, 0x500 + (int)(byte)(word >> 16))
                ^ Unsafe.Add(ref tables, 0x400 + (int)(byte)(word >> 24))
                ^ Unsafe.Add(ref tables, 0x300 + (int)(byte)(word >> 32))
                ^ Unsafe.Add(ref tables, 0x200 + (int)(byte)(word >> 40))
                ^ Unsafe.Add(ref tables, 0x100 + (int)(byte)(word >> 48))
                ^ Unsafe.Add(ref tables, (int)(byte)(word >> 56));
            bytes = bytes[8..];
        }
        foreach (var value in bytes)
        {
            state = (state >> 8) ^ Unsafe.Add(ref tables, (int)(byte)(state ^ value));
        }
        return state;
    }

    // Takes all whole 16 bytes; what is left of them is 16 bytes with the same remainder, which the tables then reduce.
    private ulong Fold(ulong state, ref ReadOnlySpan<byte> bytes)
    {
        ref var at = ref MemoryMarshal.GetReference(bytes);
        var a = Load(ref at, 0) ^ Vector128.CreateScalar(state);
        var b = Load(ref at, 16);
        var c = Load(ref at, 32);
        var d = Load(ref at, 48);
        var done = FoldedBytes;
        for (; done + FoldedBytes <= bytes.Length; done += FoldedBytes)
        {
            a = Fold(a, _fold512) ^ Load(ref at, done);
            b = Fold(b, _fold512) ^ Load(ref at, done + 16);
            c = Fold(c, _fold512) ^ Load(ref at, done + 32);
            d = Fold(d, _fold512) ^ Load(ref at, done + 48);
        }
        a = Fold(a, _fold128) ^ b;
        a = Fold(a, _fold128) ^ c;
        a = Fold(a, _fold128) ^ d;
        for (; done + 16 <= bytes.Length; done += 16)
        {
            a = Fold(a, _fold128) ^ Load(ref at, done);
        }
        bytes = bytes[done..];
        Span<byte> rest = stackalloc byte[16];
        a.AsByte().CopyTo(rest);
        return UpdateByTables(0, rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte at, int offset) => Vector128.LoadUnsafe(ref at, (nuint)offset).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Fold(Vector128<ulong> value, Vector128<ulong> by) => Pclmulqdq.IsSupported
        ? Pclmulqdq.CarrylessMultiply(value, by, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, by, 0x11)
        : Arm.Aes.PolynomialMultiplyWideningLower(value.GetLower(), by.GetLower())
            ^ Arm.Aes.PolynomialMultiplyWideningUpper(value, by);

    private ulong TimesX(ulong value) => (value & 1) != 0 ? (value >> 1) ^ _polynomial : value >> 1;

    private ulong Multiply(ulong left, ulong right)
    {
        var product = 0UL;
        for (var bit = 1UL << (_width - 1); bit != 0; bit >>= 1)
        {
            if ((left & bit) != 0)
            {
                product ^= right;
            }
            right = TimesX(right);
        }
        return product;
    }

    private ulong PowerOfX(int power)
    {
        var value = 1UL << (_width - 1);
        for (var at = 0; at < power; at++)
        {
            value = TimesX(value);
        }
        return value;
    }
}
