using System.Globalization;
using System.Security.Cryptography;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>What an upload becomes of the parts that the client names, in its order.</summary>
internal sealed record Completion(IReadOnlyList<PartRow> Parts, long Size, string ETag, IReadOnlyList<ObjectChecksum> Checksums)
{
    /// <summary>Checks the parts against what was uploaded.</summary>
    /// <param name="stored">All parts of the upload by number.</param>
    /// <param name="least">Bytes that all but the last must have.</param>
    public static Stored<Completion> Of(Upload upload, IReadOnlyDictionary<int, PartRow> stored, IReadOnlyList<NamedPart> named, ObjectChecksum? whole, long least)
    {
        if (named.Count == 0)
            return StoreFault.InvalidPart;
        for (var i = 1; i < named.Count; i++)
        {
            if (named[i].Number <= named[i - 1].Number)
                return StoreFault.InvalidPartOrder;
        }
        var parts = new List<PartRow>(named.Count);
        foreach (var name in named)
        {
            if (!stored.TryGetValue(name.Number, out var part) || part.Part.ETag != name.ETag || !name.Checksums.All(claim => IsRight(claim, part.Part)))
                return StoreFault.InvalidPart;
            parts.Add(part);
        }
        for (var i = 0; i < parts.Count - 1; i++)
        {
            if (parts[i].Part.Size < least)
                return StoreFault.PartTooSmall;
        }
        var checksum = upload.ChecksumKind is { } kind ? Checksum(parts, kind, upload.ChecksumType ?? Usual(kind)) : null;
        if (whole is not null && !IsRight(whole, checksum, parts))
            return StoreFault.ChecksumMismatch;
        return new Completion(parts, parts.Sum(static part => part.Part.Size), ETagOf(parts), checksum is null ? [] : [checksum]);
    }

    /// <summary>Says which parts a completion named, to know it again.</summary>
    public static string Name(IReadOnlyList<NamedPart> named)
    {
        var text = string.Join('\n', named.Select(static part => string.Create(CultureInfo.InvariantCulture, $"{part.Number}:{part.ETag}")));
        return Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
    }

    public IReadOnlyList<StoredPart> StoredParts => [.. Parts.Select(static part => new StoredPart(part.Part.Number, part.Part.Size, part.Part.ETag, part.Part.Checksums))];

    // S3's defaults: CRC64NVME is of the whole object, the others are of the parts' checksums.
    private static ChecksumType Usual(ChecksumKind kind) => kind == ChecksumKind.Crc64Nvme ? ChecksumType.FullObject : ChecksumType.Composite;

    private static bool IsRight((ChecksumKind Kind, string Value) claim, UploadedPart part) =>
        part.Checksums.FirstOrDefault(checksum => checksum.Kind == claim.Kind) is { } stored && stored.Value == claim.Value;

    private static bool IsRight(ObjectChecksum whole, ObjectChecksum? own, IReadOnlyList<PartRow> parts)
    {
        var right = own is not null && own.Kind == whole.Kind && own.Type == whole.Type ? own : Checksum(parts, whole.Kind, whole.Type);
        // One that cannot be computed of the parts is not known to be wrong.
        return right is null || right.Value == whole.Value || (whole.Type == ChecksumType.Composite && right.Value.StartsWith(whole.Value + "-", StringComparison.Ordinal));
    }

    private static ObjectChecksum? Checksum(IReadOnlyList<PartRow> parts, ChecksumKind kind, ChecksumType type) => ChecksumSet.OfParts(kind, type,
        [.. parts.Select(part => (part.Part.Checksums.FirstOrDefault(checksum => checksum.Kind == kind)?.Value, part.Part.Size))]);

    private static string ETagOf(IReadOnlyList<PartRow> parts)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        foreach (var part in parts)
            md5.AppendData(Convert.FromHexString(part.Part.ETag));
        return string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(md5.GetHashAndReset())}-{parts.Count}");
    }
}
