namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    /// <summary>Reads everything, slowly, compares it with its CRC32C and SHA-256 and puts good bytes in the place of damaged ones.</summary>
    /// <param name="fetch">Good bytes by SHA-256 from elsewhere; null when there are none. They are verified.</param>
    /// <param name="bytesPerSecond">How fast at most; 0 is without limit.</param>
    public ValueTask<ScrubReport> ScrubAsync(Func<string, CancellationToken, ValueTask<Stream?>> fetch, IProgress<ScrubReport>? progress, CancellationToken cancel, long bytesPerSecond = 0) =>
        new Scrub(_database, _contents, _time, fetch, progress, bytesPerSecond).RunAsync(
            "SELECT id, size, sha256, is_file FROM contents c WHERE id > $1 AND NOT EXISTS (SELECT 1 FROM garbage g WHERE g.content_id = c.id) ORDER BY id LIMIT $2", cancel);

    /// <summary>Does what <see cref="ScrubAsync"/> does, for what reads have found damaged.</summary>
    public ValueTask<ScrubReport> RepairAsync(Func<string, CancellationToken, ValueTask<Stream?>> fetch, CancellationToken cancel) =>
        new Scrub(_database, _contents, _time, fetch, null, 0).RunAsync(
            "SELECT id, size, sha256, is_file FROM contents c WHERE id > $1 AND EXISTS (SELECT 1 FROM corrupt x WHERE x.content_id = c.id) ORDER BY id LIMIT $2", cancel);
}
