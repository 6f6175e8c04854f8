using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>
/// What this machine keeps and providers get copies of: functions' sources and results, or buckets. Each has the outbox of the database
/// that holds it.
/// </summary>
/// <param name="name">For people.</param>
public abstract class Originals(string name, OutboxStore outbox)
{
    /// <summary>For people.</summary>
    public string Name => name;

    /// <summary>What providers have not confirmed.</summary>
    public OutboxStore Outbox => outbox;

    /// <summary>Opens the bytes of a digest; null when they are not here.</summary>
    public abstract ValueTask<Stream?> OpenAsync(string digest, CancellationToken cancel);

    /// <summary>Everything that should be at a provider: bytes before the manifests that need them. Some may be told more than once.</summary>
    public abstract IAsyncEnumerable<OutboxEntry> WantedAsync(string provider, CancellationToken cancel);

    /// <summary>Puts bytes back in place of what was lost or damaged.</summary>
    /// <param name="path">A file of the caller's whose bytes are those of the digest; it may be moved away.</param>
    public abstract Task<Problem?> MendAsync(string path, string digest, CancellationToken cancel);

    /// <summary>Makes again what a provider's manifests tell of and this machine does not have. What is here already is skipped.</summary>
    public abstract Task RestoreAsync(Restoration from, CancellationToken cancel);
}
