using System.Data.Common;
using System.Text.Json;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>Rows as records.</summary>
internal static class Rows
{
    public const string ObjectColumns = "o.id, o.bucket_id, o.key, o.version_id, o.is_latest, o.is_marker, o.size, o.etag, o.sha256, o.modified_at, o.owner, o.acl, o.about, o.tags, o.group_id, o.parts";

    public const string BucketColumns = "b.id, b.name, b.owner, b.created_at, b.versioning, b.acl, b.cors, b.policy, b.tags, b.quota_bytes, b.used_bytes, b.objects, b.replicate";

    public const string UploadColumns = "u.upload_id, u.bucket_id, u.key, u.owner, u.started_at, u.headers, u.acl, u.tags, u.checksum_kind, u.checksum_type";

    /// <summary>Number of columns of a bucket.</summary>
    public const int BucketWidth = 13;

    /// <summary>Number of columns of an object.</summary>
    public const int ObjectWidth = 16;

    private static readonly IReadOnlyDictionary<string, string> NoTags = new Dictionary<string, string>(StringComparer.Ordinal);

    public static Bucket Bucket(DbDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), Moment(row.GetInt64(3)), (Versioning)row.GetInt64(4), (CannedAcl)row.GetInt64(5),
        Text(row, 6), Text(row, 7), Map(Text(row, 8)), row.IsDBNull(9) ? null : row.GetInt64(9), row.GetInt64(10), row.GetInt64(11), List(Text(row, 12)));

    public static StoredObject Object(DbDataReader row) => Object(row, 0);

    /// <param name="at">Where its columns begin.</param>
    public static StoredObject Object(DbDataReader row, int at)
    {
        var about = Text(row, at + 12) is { } json ? JsonSerializer.Deserialize(json, StoreJson.Default.About) : null;
        return new StoredObject(
            row.GetInt64(at), row.GetInt64(at + 1), row.GetString(at + 2), row.GetString(at + 3), row.GetInt64(at + 4) != 0, row.GetInt64(at + 5) != 0,
            row.GetInt64(at + 6), row.GetString(at + 7), row.GetString(at + 8), Moment(row.GetInt64(at + 9)), row.GetString(at + 10), (CannedAcl)row.GetInt64(at + 11),
            about?.Headers ?? ObjectHeaders.None, about?.Checksums ?? [], Map(Text(row, at + 13)), [])
        {
            GroupId = row.GetInt64(at + 14),
            PartCount = (int)row.GetInt64(at + 15),
        };
    }

    /// <summary>An object, and after its columns the bytes and sums of one that is kept in the database.</summary>
    public static StoredObject ObjectAndBytes(DbDataReader row)
    {
        var found = Object(row, 0);
        return row.IsDBNull(ObjectWidth + 1) ? found : found with
        {
            Inline = new SegmentBytes(row.GetFieldValue<byte[]>(ObjectWidth), row.GetFieldValue<byte[]>(ObjectWidth + 1)),
        };
    }

    public static Upload Upload(DbDataReader row) => new(
        row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetString(3), Moment(row.GetInt64(4)),
        JsonSerializer.Deserialize(row.GetString(5), StoreJson.Default.About)!.Headers, (CannedAcl)row.GetInt64(6), Map(Text(row, 7)),
        row.IsDBNull(8) ? null : (ChecksumKind)row.GetInt64(8), row.IsDBNull(9) ? null : (ChecksumType)row.GetInt64(9));

    /// <summary>Columns number, size, etag, sha256, modified_at, checksums of a part.</summary>
    public static UploadedPart Part(DbDataReader row) => new(
        (int)row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3), Moment(row.GetInt64(4)), Checksums(Text(row, 5)));

    public static string? Json(ObjectHeaders headers, IReadOnlyList<ObjectChecksum> checksums) =>
        ReferenceEquals(headers, ObjectHeaders.None) && checksums.Count == 0 ? null : JsonSerializer.Serialize(new About { Headers = headers, Checksums = checksums }, StoreJson.Default.About);

    public static string HeadersJson(ObjectHeaders headers) => JsonSerializer.Serialize(new About { Headers = headers }, StoreJson.Default.About);

    public static string? Json(IReadOnlyDictionary<string, string> map) => map.Count == 0 ? null : JsonSerializer.Serialize(map, StoreJson.Default.IReadOnlyDictionaryStringString);

    public static string? Json(IReadOnlyList<string> list) => list.Count == 0 ? null : JsonSerializer.Serialize(list, StoreJson.Default.IReadOnlyListString);

    public static string? Json(IReadOnlyList<ObjectChecksum> list) => list.Count == 0 ? null : JsonSerializer.Serialize(list, StoreJson.Default.IReadOnlyListObjectChecksum);

    public static IReadOnlyList<ObjectChecksum> Checksums(string? json) => json is null ? [] : JsonSerializer.Deserialize(json, StoreJson.Default.IReadOnlyListObjectChecksum)!;

    public static DateTimeOffset Moment(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static IReadOnlyDictionary<string, string> Map(string? json) => json is null ? NoTags : JsonSerializer.Deserialize(json, StoreJson.Default.IReadOnlyDictionaryStringString)!;

    private static IReadOnlyList<string> List(string? json) => json is null ? [] : JsonSerializer.Deserialize(json, StoreJson.Default.IReadOnlyListString)!;

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
