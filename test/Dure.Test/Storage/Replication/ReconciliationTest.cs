using Dure.Storage.Replication;
using Xunit;

namespace Dure.Test.Storage.Replication;

public sealed class ReconciliationTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verify_finds_what_is_missing_short_and_damaged_there_and_here()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var (missing, cut, flipped, lost, rotten) = await CopiedAsync(bench);
        await DamageAsync(bench, missing, cut, flipped, lost, rotten);
        bench.Second.Fault = (verb, _) => verb == "PUT" ? Dure.Storage.Providers.ProviderErrors.Unreachable.With("second: down") : null;
        var waiting = await bench.KeepAsync(Bench.Some(10));
        var (report, faults, problem) = await Bench.TellAsync(lines => Of(bench).VerifyAsync("second", full: true, lines, Cancel), line => line.Verify);
        Assert.Null(problem);
        Assert.Equal((1, 1, 1, 1, 1, 1), (report!.Missing, report.Wrong, report.Damaged, report.MissingHere, report.DamagedHere, report.Pending));
        Assert.Equal(7, report.Objects);
        Assert.Contains($"{flipped.Name} is damaged at second", faults, StringComparer.Ordinal);
        Assert.DoesNotContain(faults, fault => fault.Contains(waiting.Name, StringComparison.Ordinal));
        Assert.Equal(report, (await bench.Service.StatusAsync(Cancel))[0].Verified);
        Assert.Contains("second", (await bench.Outbox.VerifiedAsync(Cancel)).Keys, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Repair_mends_both_directions_and_then_everything_is_everywhere()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var (missing, cut, flipped, lost, rotten) = await CopiedAsync(bench);
        await DamageAsync(bench, missing, cut, flipped, lost, rotten);
        var (report, _, problem) = await Bench.TellAsync(lines => Of(bench).RepairAsync(null, full: true, lines, Cancel), line => line.Repair);
        Assert.Null(problem);
        Assert.Equal((3, 2, 0), (report!.Queued, report.Mended, report.Unrepairable));
        await bench.EmptyAsync(Cancel);
        var (after, faults, _) = await Bench.TellAsync(lines => Of(bench).VerifyAsync(null, full: true, lines, Cancel), line => line.Verify);
        Assert.Equal((0, 6), (after!.Faults, after.Read));
        Assert.Empty(faults);
    }

    [Fact]
    public async Task An_outbox_that_was_lost_is_made_again_from_the_listing()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var entry = await bench.KeepAsync(Bench.Some(1000), enqueue: false);
        await bench.DescribeAsync("results/f/1.json", entry.Name, enqueue: false);
        bench.Run();
        var (report, _, _) = await Bench.TellAsync(lines => Of(bench).RepairAsync("second", full: false, lines, Cancel), line => line.Repair);
        Assert.Equal(2, report!.Queued);
        await bench.EmptyAsync(Cancel);
        Assert.Equal([ReplicaKeys.Blob(entry.Name), "results/f/1.json"], bench.Folder.Keys(), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_nobody_has_is_named_and_acknowledged_by_a_repair()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var entry = await bench.KeepAsync(Bench.Some(1000), enqueue: false);
        await bench.Blobs.DeleteAsync(entry.Name, Cancel);
        await bench.AddAsync(true, entry);
        bench.Run();
        await bench.EmptyAsync(Cancel);
        Assert.Single((await bench.Service.StatusAsync(Cancel))[0].Lost);
        bench.Wanted.Clear();
        var (report, faults, _) = await Bench.TellAsync(lines => Of(bench).RepairAsync("second", full: false, lines, Cancel), line => line.Repair);
        Assert.Equal(1, report!.Unrepairable);
        Assert.Contains(faults, fault => fault.Contains(entry.Name, StringComparison.Ordinal));
        Assert.Empty((await bench.Service.StatusAsync(Cancel))[0].Lost);
    }

    [Fact]
    public async Task A_provider_that_is_not_configured_is_named_and_two_at_a_time_are_refused()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var reconciliation = Of(bench);
        Assert.Equal(ReplicationErrors.Busy, (await Bench.TellAsync(async outer =>
            (await Bench.TellAsync(lines => reconciliation.VerifyAsync(null, false, lines, Cancel), line => line.Verify)).Problem is null
                ? await HeldAsync(bench, reconciliation) : null, line => line.Verify)).Problem!.Kind);
        Assert.Equal("DURE0606", (await reconciliation.VerifyAsync("third", false, new StorageLines(_ => default), Cancel))!.Kind.Id);
    }

    private static Reconciliation Of(Bench bench) => new(bench.Service, bench.Scratch["data"], TimeProvider.System);

    private static async Task<Dure.Host.Problem?> HeldAsync(Bench bench, Reconciliation reconciliation)
    {
        Dure.Host.Problem? second = null;
        await reconciliation.VerifyAsync(null, false, new StorageLines(async _ => second ??= await reconciliation.VerifyAsync(null, false, new StorageLines(_ => default), Cancel)), Cancel);
        Assert.Equal(0, await bench.RowsAsync(Cancel));
        return second;
    }

    private static async Task<(OutboxEntry Missing, OutboxEntry Cut, OutboxEntry Flipped, OutboxEntry Lost, OutboxEntry Rotten)> CopiedAsync(Bench bench)
    {
        var entries = new List<OutboxEntry>();
        for (var i = 0; i < 5; i++)
            entries.Add(await bench.KeepAsync(Bench.Some(1000 + i)));
        await bench.DescribeAsync("results/f/1.json", entries[0].Name);
        bench.Run();
        await bench.EmptyAsync(Cancel);
        return (entries[0], entries[1], entries[2], entries[3], entries[4]);
    }

    private static async Task DamageAsync(Bench bench, OutboxEntry missing, OutboxEntry cut, OutboxEntry flipped, OutboxEntry lost, OutboxEntry rotten)
    {
        await bench.Folder.DeleteAsync([ReplicaKeys.Blob(missing.Name)], Cancel);
        await File.WriteAllBytesAsync(bench.Folder.PathOf(ReplicaKeys.Blob(cut.Name)), new byte[500], Cancel);
        await Bench.FlipAsync(bench.Folder.PathOf(ReplicaKeys.Blob(flipped.Name)));
        await bench.Blobs.DeleteAsync(lost.Name, Cancel);
        await Bench.FlipAsync(bench.BlobPath(rotten.Name));
    }
}
