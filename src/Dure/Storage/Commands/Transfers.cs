using System.Collections.Concurrent;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Storage.Commands;

/// <summary>One that failed.</summary>
internal sealed record FailedItem(string Source, string? Target, Problem Problem);

/// <summary>Runs transfers side by side and tells how they went.</summary>
internal static class Transfers
{
    private const int ListedMax = 50;

    /// <summary>Copies all; a failure does not stop the others.</summary>
    public static async Task<(IReadOnlyList<TransferItem> Done, IReadOnlyList<FailedItem> Failed)> RunAsync(
        TransferRun run, IReadOnlyList<CopyItem> items, string? versionId, TransferProgress progress, CancellationToken cancel)
    {
        var done = new ConcurrentDictionary<int, TransferItem>();
        var failed = new ConcurrentDictionary<int, FailedItem>();
        await Parallel.ForEachAsync(Enumerable.Range(0, items.Count), new ParallelOptions { MaxDegreeOfParallelism = run.Parallel, CancellationToken = cancel }, async (index, stop) =>
        {
            var item = items[index];
            try
            {
                var outcome = await OneAsync(run, item, versionId, stop);
                if (outcome.Ok)
                {
                    done[index] = outcome.Value;
                }
                else
                {
                    failed[index] = new(item.Source, item.Target, outcome.Problem);
                }
            }
            catch (Exception failure) when (S3Faults.IsExpected(failure, stop))
            {
                var what = failure is IOException or UnauthorizedAccessException && failure is not HttpIOException ? item.Path ?? item.Source : item.From?.ToString() ?? item.To!.ToString();
                failed[index] = new(item.Source, item.Target, S3Faults.Explain(failure, what));
            }

            progress.FileDone();
        });
        return ([.. done.OrderBy(pair => pair.Key).Select(pair => pair.Value)], [.. failed.OrderBy(pair => pair.Key).Select(pair => pair.Value)]);
    }

    /// <summary>Prints what was done, and gives the problem when something was not.</summary>
    public static Outcome<int> Finish(Call call, IReadOnlyList<TransferItem> done, IReadOnlyList<FailedItem> failed, double seconds)
    {
        var copied = done.Where(item => item.State is not "skipped").ToList();
        var (bytes, skipped) = (copied.Sum(item => item.Bytes ?? 0), done.Count - copied.Count);
        if (call.Screen.Format == OutputFormat.Json && !done.Any(item => item.Target == CopyPlan.Pipe))
        {
            var items = done.Concat(failed.Select(one => new TransferItem(one.Source, one.Target, "failed", null, Error: $"{one.Problem.Kind.Id} {one.Problem.Detail}")));
            call.Screen.Json(new TransferReport([.. items], copied.Count, skipped, failed.Count, bytes, Math.Round(seconds, 3)), TransferJson.Default.TransferReport);
        }
        else if (copied.Exists(item => item.State == "planned"))
        {
            foreach (var item in done)
            {
                call.Screen.Line(item.Target is null ? item.Source : $"{item.Source} -> {item.Target}");
            }
        }
        else if (done.Count > 0)
        {
            call.Screen.Say(Summary(copied, bytes, skipped, seconds));
        }

        return failed.Count == 0 ? ExitCodes.Ok
            : failed.Count == 1 && done.Count == 0 ? failed[0].Problem
            : TransferErrors.Failed.With($"{failed.Count} of {done.Count + failed.Count} failed.", Listed(failed));
    }

    private static string Summary(List<TransferItem> copied, long bytes, int skipped, double seconds)
    {
        if (copied.Count == 0)
        {
            return $"{Phrase.Count(skipped, "file")} left as before: there was one of that name already.";
        }

        var verb = copied.Exists(item => item.State == "deleted") ? "Deleted" : "Copied";
        var compared = copied.Count(item => item.Checksum is not null);
        var kept = copied.Sum(item => item.Kept);
        return $"{verb} {Phrase.Count(copied.Count, verb == "Deleted" ? "object" : "file")}, {Phrase.Size(bytes)}"
            + (seconds > 0 ? $" in {Phrase.Took(seconds * 1000)} ({Phrase.Size((long)((bytes - kept) / Math.Max(seconds, 0.001)))}/s)" : "")
            + (kept > 0 ? $"; {Phrase.Size(kept)} was there from an earlier try" : "")
            + (skipped > 0 ? $"; {skipped} left as they were" : "")
            + (verb == "Deleted" ? "." : compared == copied.Count ? "; checksums agree." : $"; checksums of {compared} agree, of the others the store tells none.");
    }

    private static IReadOnlyList<Fault> Listed(IReadOnlyList<FailedItem> failed)
    {
        var faults = failed.Take(ListedMax).Select(one => new Fault(one.Source, $"{one.Problem.Kind.Title}: {one.Problem.Detail}")).ToList();
        if (failed.Count > ListedMax)
        {
            faults.Add(new("…", $"and {failed.Count - ListedMax} more; --format json lists all."));
        }

        return faults;
    }

    private static async Task<Outcome<TransferItem>> OneAsync(TransferRun run, CopyItem item, string? versionId, CancellationToken cancel)
    {
        switch (item.Kind)
        {
            case CopyKind.Inside:
                return await new CopyInside(run).CopyAsync(item.From!, versionId, item.To!, cancel);
            case CopyKind.Upload when item.Path == CopyPlan.Pipe:
                await using (var input = Console.OpenStandardInput())
                {
                    return await new Upload(run).SendStreamAsync(input, item.To!, cancel);
                }

            case CopyKind.Upload:
                return await new Upload(run).SendFileAsync(item.Path!, item.To!, cancel);
            case CopyKind.Download when item.Path == CopyPlan.Pipe:
                await using (var output = Console.OpenStandardOutput())
                {
                    return await new Download(run).ToStreamAsync(item.From!, versionId, output, cancel);
                }

            default:
                return await new Download(run).ToFileAsync(item.From!, versionId, item.Path!, cancel);
        }
    }
}
