using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Storage.Commands;

/// <summary><c>dure cp</c>: files and folders to a store and back, and from bucket to bucket.</summary>
internal static class CopyCommand
{
    private const int ParallelMax = 64;

    private static readonly Argument<string> Source = new Argument<string>("source") { Description = "A file, a folder, - for standard input, or s3://BUCKET/KEY." }.CompletedByStore();
    private static readonly Argument<string> Target = new Argument<string>("target") { Description = "The same; a target that ends in / is a folder." }.CompletedByStore();
    private static readonly Option<bool> Recursive = new("--recursive", "-r") { Description = "Everything below a folder or a prefix." };
    private static readonly Option<int> Parallel = new("--parallel") { Description = "Requests under way together, 1 to 64.", HelpName = "N", DefaultValueFactory = _ => 4 };

    private static readonly Option<string> PartSize = new("--part-size")
    {
        Description = "Size of a part; larger files go in parts. 5MiB to 5GiB.", HelpName = "SIZE", DefaultValueFactory = _ => Units.WriteBytes(TransferPlan.PieceBytesDefault),
    };

    private static readonly Option<bool> NoClobber = new("--no-clobber", "-n") { Description = "What is there already stays as it is." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be copied." };
    private static readonly Option<string?> VersionId = new("--version-id") { Description = "An old version of the one object that is read.", HelpName = "ID" };

    static CopyCommand()
    {
        Parallel.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > ParallelMax)
            {
                result.AddError($"--parallel wants a number from 1 to {ParallelMax}.");
            }
        });
        PartSize.Validators.Add(result =>
        {
            var size = Units.ReadBytes(result.GetValueOrDefault<string>() ?? "");
            if (size.Error is not null || size.Value is < TransferPlan.PieceBytesMin or > TransferPlan.PieceBytesMax)
            {
                result.AddError(size.Error is null ? "--part-size wants 5MiB to 5GiB." : "--part-size: " + size.Error + ".");
            }
        });
    }

    public static Verb Make() => StoreConnection.Calls(
        new Verb("cp", "Copy files to a store and back; checksums are compared, and what was interrupted goes on when it is started again.",
            ("dure cp model.pt s3://lab/models/", "a file, under its own name"),
            ("dure cp -r results s3://lab/run-7", "everything in the folder, below run-7/"),
            ("dure cp -r s3://lab/run-7 ./run-7", "and back"),
            ("dure cp s3://lab/data.csv - | head", "to a pipe; - as source reads one"),
            ("dure cp s3://lab/a s3://archive/a", "from bucket to bucket, without the bytes coming here"))
        .With(Source, Target, Recursive, Parallel, PartSize, NoClobber, DryRun, VersionId),
        RunAsync, call => S3Address.Is(call.Get(Source)!) ? call.Get(Source) : call.Get(Target));

    private static async Task<Outcome<int>> RunAsync(Call call, StoreConnection store, CancellationToken cancel)
    {
        var (source, target) = (call.Get(Source)!, call.Get(Target)!);
        var planned = await PlanAsync(call, store, source, target, cancel);
        if (!planned.Ok)
        {
            return planned.Problem;
        }

        var (items, refused) = planned.Value;
        if (call.Get(DryRun))
        {
            return Transfers.Finish(call, [.. items.Select(item => new TransferItem(item.Source, item.Target, "planned", item.Bytes))], refused, 0);
        }

        var began = call.Time.GetTimestamp();
        var (done, failed) = await TransferProgress.RunAsync(call.Screen, System.IO.Path.GetFileName(source), items.Count, items.All(item => item.Bytes is not null) ? items.Sum(item => item.Bytes) : null, async progress =>
        {
            using var slots = new SemaphoreSlim(call.Get(Parallel));
            var run = new TransferRun(store, TransferMemory.OfUser(call.Time), slots, call.Get(Parallel), Units.ReadBytes(call.Get(PartSize)!).Value, call.Get(NoClobber), progress.Moved);
            return await Transfers.RunAsync(run, items, call.Get(VersionId), progress, cancel);
        });
        return Transfers.Finish(call, done, [.. refused, .. failed], call.Time.GetElapsedTime(began).TotalSeconds);
    }

    private static async Task<Outcome<(IReadOnlyList<CopyItem> Items, IReadOnlyList<FailedItem> Refused)>> PlanAsync(Call call, StoreConnection store, string source, string target, CancellationToken cancel)
    {
        var (isFrom, isTo) = (S3Address.Is(source), S3Address.Is(target));
        if (!isFrom && !isTo)
        {
            return TransferErrors.BadAddress.With("One of the two must be in a store: s3://BUCKET/KEY.");
        }

        var from = isFrom ? S3Address.Parse(source) : default(Outcome<S3Address>);
        var to = isTo ? S3Address.Parse(target) : default(Outcome<S3Address>);
        if ((from.Problem ?? to.Problem) is { } problem)
        {
            return problem;
        }

        var recursive = call.Get(Recursive);
        return isFrom
            ? recursive ? await BelowAsync(store, from.Value, isTo ? to.Value : null, target, cancel) : One(from.Value, isTo ? to.Value : null, target)
            : FromHere(source, to.Value, recursive);
    }

    private static Outcome<(IReadOnlyList<CopyItem>, IReadOnlyList<FailedItem>)> FromHere(string path, S3Address to, bool recursive)
    {
        if (path == CopyPlan.Pipe)
        {
            return to.IsFolder ? TransferErrors.BadAddress.With($"{to} is no name for what comes from standard input: give a whole key.") : Plan(new CopyItem(CopyKind.Upload, path, null, to, null));
        }

        if (Directory.Exists(path))
        {
            return recursive ? (CopyPlan.Files(path, to), []) : CommandErrors.Usage.With($"{path} is a folder: add -r to copy what is in it.");
        }

        return File.Exists(path)
            ? Plan(new CopyItem(CopyKind.Upload, path, null, CopyPlan.KeyFor(to, path), new FileInfo(path).Length))
            : TransferErrors.LocalFile.With($"There is no file {path}.");
    }

    private static Outcome<(IReadOnlyList<CopyItem>, IReadOnlyList<FailedItem>)> One(S3Address from, S3Address? to, string path)
    {
        if (from.IsFolder)
        {
            return CommandErrors.Usage.With($"{from} is a folder: add -r to copy what is in it.");
        }

        return to is not null
            ? Plan(new CopyItem(CopyKind.Inside, null, from, to.IsFolder ? to with { Key = to.Key + from.Name } : to, null))
            : Plan(new CopyItem(CopyKind.Download, path == CopyPlan.Pipe ? path : CopyPlan.PathFor(path, from), from, null, null));
    }

    private static async Task<Outcome<(IReadOnlyList<CopyItem>, IReadOnlyList<FailedItem>)>> BelowAsync(StoreConnection store, S3Address prefix, S3Address? to, string path, CancellationToken cancel)
    {
        if (path == CopyPlan.Pipe)
        {
            return CommandErrors.Usage.With("Many objects cannot go to one pipe.");
        }

        var (items, refused) = (new List<CopyItem>(), new List<FailedItem>());
        await foreach (var found in Listing.KeysAsync(store, prefix.Bucket, prefix.FolderPrefix, cancel))
        {
            var address = prefix with { Key = found.Key };
            if (to is not null)
            {
                items.Add(new(CopyKind.Inside, null, address, to with { Key = to.FolderPrefix + found.Key[prefix.FolderPrefix.Length..] }, found.Size));
                continue;
            }

            // What some clients leave where people made an empty folder.
            if (found.Key.EndsWith('/') && found.Size == 0)
            {
                continue;
            }

            var place = CopyPlan.PathBelow(path, prefix, found.Key);
            if (place.Ok)
            {
                items.Add(new(CopyKind.Download, place.Value, address, null, found.Size));
            }
            else
            {
                refused.Add(new(address.ToString(), path, place.Problem));
            }
        }

        return items.Count + refused.Count == 0 ? TransferErrors.NoSuchObject.With($"Nothing lies below {prefix}.") : (items, refused);
    }

    private static Outcome<(IReadOnlyList<CopyItem>, IReadOnlyList<FailedItem>)> Plan(CopyItem item) => (new[] { item }, []);
}
