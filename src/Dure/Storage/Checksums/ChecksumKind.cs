namespace Dure.Storage.Checksums;

/// <summary>A checksum that S3 clients send and ask for; the name in headers is <c>x-amz-checksum-</c> and its lower case.</summary>
public enum ChecksumKind
{
    Crc32,
    Crc32C,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// <summary>Whether a checksum of a multipart object covers its bytes or the checksums of its parts.</summary>
public enum ChecksumType
{
    FullObject,
    Composite,
}

/// <summary>A checksum of an object as S3 tells it.</summary>
/// <param name="Value">Base 64; a composite one ends in <c>-</c> and the number of parts.</param>
public sealed record ObjectChecksum(ChecksumKind Kind, ChecksumType Type, string Value);
