using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>Mends in both directions what a comparison finds: sends what a provider lacks, fetches what this machine lost.</summary>
/// <param name="folder">For what is on its way here; on the disk of the data folder.</param>
internal sealed class Repairs(ReplicationService service, ReplicaTarget target, string folder, StorageLines lines, TimeProvider time)
{
    private const int BatchEntries = 500;

    private readonly Dictionary<Originals, List<OutboxEntry>> _queue = [];
    private readonly HashSet<string> _hopeless = new(StringComparer.Ordinal);
    private (long Objects, long Bytes) _queued;
    private (long Objects, long Bytes) _mended;

    /// <summary>Compares and mends.</summary>
    /// <param name="full">See <see cref="Comparison"/>.</param>
    public async Task<Outcome<RepairReport>> RunAsync(bool full, CancellationToken cancel)
    {
        var compared = await new Comparison(service, target, full, lines, time).RunAsync(finding => MendAsync(finding, cancel), cancel);
        foreach (var originals in _queue.Keys)
            await FlushAsync(originals);
        if (!compared.Ok)
            return compared.Problem;
        await LossesAsync(cancel);
        service.Wake();
        return new RepairReport(target.Name, time.GetUtcNow(), _queued.Objects, _queued.Bytes, _mended.Objects, _mended.Bytes, _hopeless.Count, compared.Value);
    }

    private async Task MendAsync(Finding finding, CancellationToken cancel)
    {
        var (originals, entry) = (finding.Originals, finding.Entry);
        if (finding.Kind is FindingKind.MissingHere or FindingKind.DamagedHere)
        {
            await FetchAsync(originals, entry, cancel);
            return;
        }
        if (_hopeless.Contains(entry.Name))
            return;
        if (finding.Kind == FindingKind.Damaged)
        {
            // The provider believes that its copy is right, so it must go first; but never the last one.
            if (entry.Kind == OutboxKind.Blob && !await Comparison.IsWholeHereAsync(originals, entry, cancel) && !await FetchAsync(originals, entry, cancel))
                return;
            await target.Objects.DeleteAsync([entry.Kind == OutboxKind.Blob ? ReplicaKeys.Blob(entry.Name) : entry.Name], cancel);
        }
        await QueueAsync(originals, entry);
    }

    private async Task QueueAsync(Originals originals, OutboxEntry entry)
    {
        if (!_queue.TryGetValue(originals, out var waiting))
            _queue[originals] = waiting = [];
        waiting.Add(entry);
        if (waiting.Count >= BatchEntries)
            await FlushAsync(originals);
    }

    private async Task FlushAsync(Originals originals)
    {
        var waiting = _queue[originals];
        if (waiting.Count == 0)
            return;
        await originals.Outbox.EnqueueAsync(waiting);
        _queued = (_queued.Objects + waiting.Count, _queued.Bytes + waiting.Sum(entry => entry.Bytes));
        await lines.SayAsync($"{target.Name}: {_queued.Objects} queued");
        waiting.Clear();
        service.Wake();
    }

    // From this provider, else from any that has a good copy.
    private async Task<bool> FetchAsync(Originals originals, OutboxEntry entry, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{entry.Name}.{Path.GetRandomFileName()}");
        try
        {
            foreach (var from in service.Targets.OrderBy(other => other == target ? 0 : 1))
            {
                if (await new ReplicaReader(from.Objects, time).FetchAsync(entry.Name, entry.Bytes, path, cancel) is not null)
                    continue;
                if (await originals.MendAsync(path, entry.Name, cancel) is { } problem)
                {
                    await lines.FaultAsync($"{entry.Name}: {ProviderHealth.Text(problem)}");
                    return false;
                }
                _mended = (_mended.Objects + 1, _mended.Bytes + entry.Bytes);
                await lines.SayAsync($"{entry.Name} fetched from {from.Name}");
                return true;
            }
        }
        finally
        {
            File.Delete(path);
        }
        if (_hopeless.Add(entry.Name))
            await lines.FaultAsync($"{entry.Name}, {entry.Bytes} bytes of {originals.Name}: no good copy anywhere");
        return false;
    }

    // What could not be sent because its bytes were gone: with bytes it is queued again, without it is acknowledged.
    private async Task LossesAsync(CancellationToken cancel)
    {
        foreach (var originals in service.Originals.DistinctBy(one => one.Outbox))
        {
            foreach (var lost in (await originals.Outbox.LostAsync(cancel)).Where(lost => lost.Provider == target.Name))
            {
                var entry = new OutboxEntry(OutboxKind.Blob, target.Name, lost.Name, lost.Bytes);
                var here = await Comparison.IsWholeHereAsync(originals, entry, cancel) || !_hopeless.Contains(entry.Name) && await FetchAsync(originals, entry, cancel);
                if (here)
                {
                    await QueueAsync(originals, entry);
                    await FlushAsync(originals);
                }
                await originals.Outbox.ForgetLostAsync(lost);
            }
        }
    }
}
