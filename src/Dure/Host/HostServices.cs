using Dure.Host.Configuration;
using Dure.Host.Data;
using Dure.Host.Live;
using Dure.Host.Secrets;
using Dure.Storage;
using Dure.Storage.Replication;

namespace Dure.Host;

/// <summary>What the host gives to every role.</summary>
/// <param name="RefuseWork">A problem while new work must be refused, else null.</param>
/// <param name="Stopping">Cancelled when the server begins to stop.</param>
public sealed record HostServices(
    DureOptions Options,
    Database Database,
    IBlobs Blobs,
    ILive Live,
    SecretStore Secrets,
    ILoggerFactory Loggers,
    TimeProvider Time,
    Func<Problem?> RefuseWork,
    CancellationToken Stopping)
{
    /// <summary>Copies at second providers; null when none is configured.</summary>
    public ReplicationService? Replication { get; init; }
}
