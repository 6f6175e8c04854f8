using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Host.Files;
using Dure.Storage.Replication;
using Dure.Storage.Store;

namespace Dure.Storage;

/// <summary>The last scrub of the embedded store.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Checked">Pieces of content that were read whole.</param>
/// <param name="Unrepairable">Digests of damaged pieces that no provider had a good copy of.</param>
public sealed record ScrubView(DateTimeOffset At, long Checked, long Bytes, long Corrupt, long Repaired, IReadOnlyList<string> Unrepairable);

/// <summary>The embedded store as status shows it.</summary>
/// <param name="OldestUploadAt">When the oldest multipart upload under way began; null when there is none.</param>
/// <param name="Corrupt">Pieces known to be damaged and not mended yet.</param>
/// <param name="LastScrub">Null before the first one ended.</param>
public sealed record StoreView(string Address, string? SecureAddress, long Buckets, long Objects, long Bytes, long Uploads, DateTimeOffset? OldestUploadAt, long Corrupt, ScrubView? LastScrub);

/// <summary>
/// Looks after the embedded store: reads everything at times, slowly, and mends what is damaged from a second provider; counts what is stored.
/// </summary>
internal sealed partial class StoreUpkeep : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1);

    private readonly StoreRole _role;
    private readonly ReplicationService _replication;
    private readonly TimeSpan _every;
    private readonly long _bytesPerSecond;
    private readonly string _file;
    private readonly TimeProvider _time;
    private readonly ILogger<StoreUpkeep> _log;
    private readonly Meter _meter = new("Dure.Store.Usage");
    private volatile StoreUsage? _usage;

    /// <param name="every">Time from one scrub's end to the next.</param>
    /// <param name="bytesPerSecond">How fast a scrub reads at most; 0 is without limit.</param>
    public StoreUpkeep(StoreRole role, ReplicationService replication, string folder, TimeSpan every, long bytesPerSecond, TimeProvider time, ILogger<StoreUpkeep> log)
    {
        (_role, _replication, _every, _bytesPerSecond, _time, _log) = (role, replication, every, bytesPerSecond, time, log);
        _file = Path.Combine(folder, "scrub.json");
        _meter.CreateObservableGauge("dure_store_objects", () => _usage?.Objects ?? 0, null, "Versions of objects in the embedded store.");
        _meter.CreateObservableGauge("dure_store_bytes", () => _usage?.Bytes ?? 0, "By", "Bytes of objects, old versions and parts.");
        _meter.CreateObservableGauge("dure_store_uploads", () => _usage?.Uploads ?? 0, null, "Multipart uploads under way.");
        _meter.CreateObservableGauge("dure_store_corrupt", () => _usage?.Corrupt ?? 0, null, "Pieces known to be damaged and not mended yet.");
    }

    /// <summary>The last scrub; null before the first one ended.</summary>
    public ScrubView? Last { get; private set; }

    /// <summary>How the store stands, counted now.</summary>
    public async ValueTask<StoreView> ViewAsync(CancellationToken cancel)
    {
        var usage = await _role.Store.UsageAsync(cancel);
        return new StoreView(_role.Address, _role.SecureAddress, usage.Buckets, usage.Objects, usage.Bytes, usage.Uploads, usage.OldestUpload, usage.Corrupt, Last);
    }

    /// <summary>Counts, and scrubs when it is time, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        Last = Read();
        // A store that was never scrubbed is not read at its first start, when there is nothing to find.
        var begun = _time.GetUtcNow();
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                _usage = await _role.Store.UsageAsync(cancel);
                if (_time.GetUtcNow() - (Last?.At ?? begun) >= _every)
                    await ScrubAsync(cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(error);
            }
            await Task.Delay(Look, _time, cancel);
        }
    }

    public void Dispose() => _meter.Dispose();

    private async Task ScrubAsync(CancellationToken cancel)
    {
        var report = await _role.Store.ScrubAsync(_replication.OpenReplicaAsync, null, cancel, _bytesPerSecond);
        Last = new ScrubView(_time.GetUtcNow(), report.Checked, report.Bytes, report.Corrupt, report.Repaired, report.Unrepairable);
        DurableFile.Write(_file, JsonSerializer.SerializeToUtf8Bytes(Last, UpkeepJson.Default.ScrubView), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (report.Corrupt > 0)
            LogCorrupt(report.Corrupt, report.Repaired, report.Unrepairable.Count);
    }

    private ScrubView? Read()
    {
        try
        {
            return File.Exists(_file) ? JsonSerializer.Deserialize(File.ReadAllBytes(_file), UpkeepJson.Default.ScrubView) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The scrub found {Corrupt} damaged pieces; {Repaired} were mended from a second provider, {Lost} have no good copy anywhere")]
    private partial void LogCorrupt(long corrupt, long repaired, int lost);

    [LoggerMessage(Level = LogLevel.Error, Message = "The store could not be counted or scrubbed; it is tried again")]
    private partial void LogFailed(Exception error);
}

/// <summary>JSON of the store's upkeep.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ScrubView))]
internal sealed partial class UpkeepJson : JsonSerializerContext;
