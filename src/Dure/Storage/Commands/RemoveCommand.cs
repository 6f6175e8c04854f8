using System.CommandLine;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Storage.Commands;

/// <summary><c>dure rm</c>: deletes objects.</summary>
internal static class RemoveCommand
{
    private const int BatchMax = 1000;

    private static readonly Argument<string> Where = new Argument<string>("address") { Description = "s3://BUCKET/KEY." }.CompletedByStore();
    private static readonly Option<bool> Recursive = new("--recursive", "-r") { Description = "The object and everything below it." };
    private static readonly Option<string?> VersionId = new("--version-id") { Description = "Only this version, for good.", HelpName = "ID" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be deleted." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Verb Make() => StoreConnection.Calls(
        new Verb("rm", "Delete objects. In a bucket with versioning, what is deleted can still be had by its version.",
            ("dure rm s3://lab/models/old.pt", "one object"),
            ("dure rm -r s3://lab/run-7 --dry-run", "what would go"),
            ("dure rm -r s3://lab/run-7 --yes", "everything below run-7/, without being asked"))
        .With(Where, Recursive, VersionId, DryRun, Yes),
        RunAsync, call => call.Get(Where));

    private static async Task<Outcome<int>> RunAsync(Call call, StoreConnection store, CancellationToken cancel)
    {
        var parsed = S3Address.Parse(call.Get(Where)!);
        if (!parsed.Ok)
        {
            return parsed.Problem;
        }

        var (where, recursive, versionId) = (parsed.Value, call.Get(Recursive), call.Get(VersionId));
        if (recursive && versionId is not null)
        {
            return CommandErrors.Usage.With("--version-id names one version of one object: leave -r out.");
        }

        if (!recursive && where.Key.Length == 0)
        {
            return CommandErrors.Usage.With($"{where} is a bucket: add -r to delete all its objects, or use `dure bucket delete`.");
        }

        var found = recursive ? await BelowAsync(store, where, cancel) : await OneAsync(store, where, versionId, cancel);
        if (found.Count == 0)
        {
            return TransferErrors.NoSuchObject.With(where.ToString());
        }

        if (call.Get(DryRun))
        {
            return Transfers.Finish(call, [.. found.Select(one => new TransferItem(one.Address.ToString(), null, "planned", one.Size))], [], 0);
        }

        if (recursive && await call.ConfirmAsync($"Delete {Phrase.Count(found.Count, "object")} ({Phrase.Size(found.Sum(one => one.Size))}) at {where}?", call.Get(Yes), cancel) is { Ok: false } refused)
        {
            return refused.Problem;
        }

        var began = call.Time.GetTimestamp();
        var failed = await Working.RunAsync(call.Screen, "deleting", _ => DeleteAsync(store, found, versionId, cancel));
        var failedKeys = failed.Select(one => one.Source).ToHashSet(StringComparer.Ordinal);
        var done = found.Where(one => !failedKeys.Contains(one.Address.ToString())).Select(one => new TransferItem(one.Address.ToString(), null, "deleted", one.Size)).ToList();
        return Transfers.Finish(call, done, failed, call.Time.GetElapsedTime(began).TotalSeconds);
    }

    private static async Task<List<(S3Address Address, long Size)>> BelowAsync(StoreConnection store, S3Address where, CancellationToken cancel)
    {
        var found = new List<(S3Address, long)>();
        await foreach (var (key, size) in Listing.KeysAsync(store, where.Bucket, where.Key, cancel))
        {
            // With -r, a/b means a/b and a/b/c, and never a/bc.
            if (key == where.Key || key.StartsWith(where.FolderPrefix, StringComparison.Ordinal))
            {
                found.Add((where with { Key = key }, size));
            }
        }

        return found;
    }

    private static async Task<List<(S3Address Address, long Size)>> OneAsync(StoreConnection store, S3Address where, string? versionId, CancellationToken cancel)
    {
        if (versionId is not null)
        {
            // A delete marker is a version that cannot be looked at; deleting one brings the object back.
            return [(where, 0)];
        }

        try
        {
            var head = await store.S3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = where.Bucket, Key = where.Key }, cancel);
            return [(where, head.ContentLength)];
        }
        catch (AmazonS3Exception failure) when (failure.StatusCode == System.Net.HttpStatusCode.NotFound && failure.ErrorCode is not "NoSuchBucket")
        {
            return [];
        }
    }

    private static async Task<List<FailedItem>> DeleteAsync(StoreConnection store, List<(S3Address Address, long Size)> found, string? versionId, CancellationToken cancel)
    {
        if (found.Count == 1)
        {
            var address = found[0].Address;
            await store.S3.DeleteObjectAsync(new DeleteObjectRequest { BucketName = address.Bucket, Key = address.Key, VersionId = versionId }, cancel);
            return [];
        }

        var failed = new List<FailedItem>();
        foreach (var batch in found.Chunk(BatchMax))
        {
            var bucket = batch[0].Address.Bucket;
            DeleteObjectsResponse answer;
            try
            {
                answer = await store.S3.DeleteObjectsAsync(
                    new DeleteObjectsRequest { BucketName = bucket, Quiet = true, Objects = [.. batch.Select(one => new KeyVersion { Key = one.Address.Key })] }, cancel);
            }
            catch (DeleteObjectsException partly)
            {
                answer = partly.Response;
            }

            failed.AddRange((answer.DeleteErrors ?? []).Select(error =>
                new FailedItem(new S3Address(bucket, error.Key).ToString(), null, TransferErrors.StoreRefused.With($"{error.Code}: {error.Message}"))));
        }

        return failed;
    }
}
