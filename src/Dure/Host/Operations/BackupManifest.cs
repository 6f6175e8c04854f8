using System.Text.Json.Serialization;

namespace Dure.Host.Operations;

/// <summary>The last entry of a backup: what is in it.</summary>
/// <param name="Format">1.</param>
/// <param name="Database">sqlite or postgres.</param>
public sealed record BackupManifest(int Format, string Version, DateTimeOffset CreatedAt, string Database, IReadOnlyList<BackupEntry> Entries);

/// <summary>One file of a backup.</summary>
/// <param name="Name"><c>database</c>, <c>keys/NAME</c> or <c>blobs/DIGEST</c>.</param>
/// <param name="Sha256">64 lower-case hex digits.</param>
public sealed record BackupEntry(string Name, long Length, string Sha256);

/// <summary>A backup in the API.</summary>
public sealed record BackupView(string Name, string Path, DateTimeOffset CreatedAt, long SizeBytes);

/// <summary>The backups that there are.</summary>
public sealed record BackupListView(IReadOnlyList<BackupView> Items, string? Next);

/// <summary>JSON of operations.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(BackupView))]
[JsonSerializable(typeof(BackupListView))]
internal sealed partial class OperationsJson : JsonSerializerContext;
