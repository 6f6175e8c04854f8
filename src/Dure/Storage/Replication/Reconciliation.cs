using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>Verify, repair and restore, one at a time.</summary>
/// <param name="data">The data folder.</param>
internal sealed class Reconciliation(ReplicationService service, string data, TimeProvider time)
{
    private int _busy;

    private string Folder => Path.Combine(data, "tmp", "replicas");

    /// <summary>Compares providers with the databases; each report is kept.</summary>
    /// <param name="name">Of a provider; null for all.</param>
    public Task<Problem?> VerifyAsync(string? name, bool full, StorageLines lines, CancellationToken cancel) => EachAsync(name, lines, async target =>
    {
        var report = await new Comparison(service, target, full, lines, time).RunAsync(finding => lines.FaultAsync(Words(target, finding)).AsTask(), cancel);
        if (!report.Ok)
            return report.Problem;
        await service.NoteAsync(report.Value);
        await lines.EndAsync(new StorageLine(Verify: report.Value));
        return null;
    });

    /// <summary>Mends providers and this machine.</summary>
    /// <param name="name">Of a provider; null for all.</param>
    public Task<Problem?> RepairAsync(string? name, bool full, StorageLines lines, CancellationToken cancel) => EachAsync(name, lines, async target =>
    {
        var report = await new Repairs(service, target, Folder, lines, time).RunAsync(full, cancel);
        if (!report.Ok)
            return report.Problem;
        await lines.EndAsync(new StorageLine(Repair: report.Value));
        return null;
    });

    /// <summary>Brings back what a provider has and this machine does not.</summary>
    public Task<Problem?> RestoreAsync(string name, bool dryRun, StorageLines lines, CancellationToken cancel) => EachAsync(name, lines, async target =>
    {
        var begun = time.GetTimestamp();
        var run = new Restoration(target.Objects, data, Folder, dryRun, lines, time);
        foreach (var originals in service.Originals)
        {
            await lines.SayAsync($"{originals.Name} from {target.Name}");
            await originals.RestoreAsync(run, cancel);
        }
        await lines.EndAsync(new StorageLine(Restore: run.Report(time.GetUtcNow(), time.GetElapsedTime(begun))));
        return null;
    });

    private static string Words(ReplicaTarget target, Finding finding) => finding.Kind switch
    {
        FindingKind.Missing => $"{finding.Entry.Name} is missing at {target.Name}",
        FindingKind.Wrong => $"{finding.Entry.Name} has another length at {target.Name}",
        FindingKind.Damaged => $"{finding.Entry.Name} is damaged at {target.Name}",
        FindingKind.MissingHere => $"{finding.Entry.Name} is missing here",
        _ => $"{finding.Entry.Name} is damaged here",
    };

    private async Task<Problem?> EachAsync(string? name, StorageLines lines, Func<ReplicaTarget, Task<Problem?>> work)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
            return ReplicationErrors.Busy.With("One at a time.");
        try
        {
            var targets = service.Targets;
            if (name is not null)
            {
                var found = service.Find(name);
                if (!found.Ok)
                    return found.Problem;
                targets = [found.Value];
            }
            foreach (var target in targets)
            {
                if (await work(target) is { } problem)
                    return problem;
            }
            return null;
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }
}
