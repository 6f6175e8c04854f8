namespace Dure.Storage.Store;

/// <summary>What a scrub has seen so far.</summary>
/// <param name="Checked">Pieces of content read whole.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Corrupt">Pieces whose bytes were not what was written.</param>
/// <param name="Repaired">Of those, the ones that a good copy replaced.</param>
/// <param name="Unrepairable">Digests of those that nobody had a good copy of.</param>
public sealed record ScrubReport(long Checked, long Bytes, long Corrupt, long Repaired, IReadOnlyList<string> Unrepairable);

/// <summary>What the store holds.</summary>
/// <param name="Objects">Versions, delete markers not counted.</param>
/// <param name="Bytes">Of objects, old versions and parts.</param>
/// <param name="Uploads">Multipart uploads under way.</param>
/// <param name="OldestUpload">When the oldest of them began; null when there is none.</param>
/// <param name="Garbage">Pieces that wait for their removal.</param>
/// <param name="Corrupt">Pieces known to be damaged and not repaired yet.</param>
public sealed record StoreUsage(long Buckets, long Objects, long Bytes, long Uploads, DateTimeOffset? OldestUpload, long Garbage, long Corrupt);
