using Dure.Host;

namespace Dure.Storage.Commands;

/// <summary>A piece of an object: a part of an upload, a range of a download.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Offset">Bytes from the start.</param>
/// <param name="Length">Bytes.</param>
public sealed record Piece(int Number, long Offset, long Length);

/// <summary>A part that the store has of an upload that was interrupted.</summary>
/// <param name="ETag">Without quotes.</param>
public sealed record StoredPiece(int Number, long Length, string ETag);

/// <summary>Into which pieces a transfer is cut, and which of them are still to be sent. Limits are those of S3.</summary>
public static class TransferPlan
{
    public const long MiB = 1 << 20;

    /// <summary>Pieces of this size unless asked otherwise; what is not larger goes in one request.</summary>
    public const long PieceBytesDefault = 16 * MiB;

    /// <summary>All parts but the last have at least this size.</summary>
    public const long PieceBytesMin = 5 * MiB;

    public const long PieceBytesMax = 5L << 30;

    public const int PiecesMax = 10_000;

    /// <summary>5 TiB.</summary>
    public const long ObjectBytesMax = 5L << 40;

    /// <summary>The size of a piece: as wanted, larger in whole MiB where more than 10,000 would be needed.</summary>
    public static Outcome<long> PieceBytes(long size, long wanted)
    {
        if (size > ObjectBytesMax)
        {
            return TransferErrors.TooLarge.With($"{size} bytes.");
        }

        var least = (size + PiecesMax - 1) / PiecesMax;
        return wanted >= least ? wanted : (least + MiB - 1) / MiB * MiB;
    }

    /// <summary>The pieces in order; none for an empty object.</summary>
    public static IReadOnlyList<Piece> Cut(long size, long pieceBytes)
    {
        var pieces = new List<Piece>();
        for (var offset = 0L; offset < size; offset += pieceBytes)
        {
            pieces.Add(new(pieces.Count + 1, offset, Math.Min(pieceBytes, size - offset)));
        }

        return pieces;
    }

    /// <summary>Pieces that the store may have already: same number, same length. Their bytes are yet to be compared.</summary>
    public static IReadOnlyList<Piece> Candidates(IReadOnlyList<Piece> pieces, IReadOnlyList<StoredPiece> stored)
    {
        var lengths = stored.ToDictionary(part => part.Number, part => part.Length);
        return [.. pieces.Where(piece => lengths.TryGetValue(piece.Number, out var length) && length == piece.Length)];
    }

    /// <summary>The numbers of pieces that need not be sent again: the store's part is the MD5 of the local bytes.</summary>
    /// <param name="localMd5">Hex, by number, of the candidates.</param>
    public static IReadOnlySet<int> Kept(IReadOnlyList<Piece> pieces, IReadOnlyList<StoredPiece> stored, IReadOnlyDictionary<int, string> localMd5)
    {
        var etags = stored.ToDictionary(part => part.Number, part => part.ETag);
        return Candidates(pieces, stored)
            .Where(piece => localMd5.TryGetValue(piece.Number, out var md5) && md5.Equals(etags[piece.Number], StringComparison.OrdinalIgnoreCase))
            .Select(piece => piece.Number).ToHashSet();
    }

    /// <summary>Whether what was remembered of an interrupted transfer is about this same source.</summary>
    public static bool Continues(TransferState? remembered, TransferState now) =>
        remembered is not null && remembered.Source == now.Source && remembered.Target == now.Target && remembered.Size == now.Size && remembered.Stamp == now.Stamp;
}
