using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>A piece of content in a pooled buffer.</summary>
/// <param name="Number">1, 2, 3, ...</param>
internal sealed record Piece(int Number, byte[] Buffer, int Count) : IDisposable
{
    /// <summary>MD5, which every store compares.</summary>
    public byte[] Md5() => Md5Of(Buffer.AsSpan(0, Count));

    /// <summary>MD5 of anything.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "Content-MD5 is what the protocols compare against accidents; SHA-256 is kept beside it.")]
    public static byte[] Md5Of(ReadOnlySpan<byte> bytes) => MD5.HashData(bytes);

    public void Dispose() => ArrayPool<byte>.Shared.Return(Buffer);
}

/// <summary>Cuts content into pieces of one size and finds its length and SHA-256 on the way. Holds one piece at a time.</summary>
internal sealed class PieceReader(string provider, PutObject what, int pieceBytes) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _length;
    private int _number;

    /// <summary>True once the content has ended.</summary>
    public bool Ended { get; private set; }

    /// <summary>Of all that was read, 64 hex digits; asked once.</summary>
    public string? Sha256 { get; private set; }

    /// <summary>Pieces of an object of this length: as configured, larger where 10,000 would not do. At most 2 GiB less a little.</summary>
    public static int PieceBytes(long configured, long? length)
    {
        const long partsMax = 10_000;
        var needed = ((length ?? 0) + partsMax - 1) / partsMax;
        var rounded = (needed + (1 << 20) - 1) >> 20 << 20;
        return (int)Math.Min(Math.Max(configured, rounded), Array.MaxLength);
    }

    /// <summary>The next piece; the last may be shorter or empty. After it, length and digest were compared with what was announced.</summary>
    public async ValueTask<Outcome<Piece>> NextAsync(CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(pieceBytes);
        try
        {
            var count = 0;
            while (count < pieceBytes && await what.Content.ReadAsync(buffer.AsMemory(count, pieceBytes - count), cancel) is var read and > 0)
            {
                count += read;
            }

            _hash.AppendData(buffer, 0, count);
            _length += count;
            if (_length >= what.Length || count < pieceBytes)
            {
                if (await EndAsync(count < pieceBytes, cancel) is { } problem)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    return problem;
                }
            }

            return new Piece(++_number, buffer, count);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    public void Dispose() => _hash.Dispose();

    private async ValueTask<Problem?> EndAsync(bool sawEnd, CancellationToken cancel)
    {
        if (!sawEnd && await what.Content.ReadAsync(new byte[1], cancel) > 0)
        {
            return ProviderErrors.BadContent.With($"{provider}: {what.Key} goes on after the {what.Length} bytes that were announced.");
        }

        Ended = true;
        Sha256 = Convert.ToHexStringLower(_hash.GetHashAndReset());
        return what.Length is { } announced && announced != _length
            ? ProviderErrors.BadContent.With($"{provider}: {what.Key} has {_length} bytes, not the {announced} that were announced.")
            : what.Sha256 is { } digest && digest != Sha256 ? ProviderErrors.BadContent.With($"{provider}: the SHA-256 of {what.Key} is not the one that was announced.")
            : null;
    }
}
