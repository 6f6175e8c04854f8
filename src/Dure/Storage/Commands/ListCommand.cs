using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Storage.Commands;

/// <summary><c>dure ls</c>: what is in a store.</summary>
internal static class ListCommand
{
    private static readonly Argument<string> Where = new Argument<string>("address")
    {
        Description = "s3://BUCKET or s3://BUCKET/PREFIX; without, the buckets.",
        Arity = ArgumentArity.ZeroOrOne,
    }.CompletedByStore();

    private static readonly Option<bool> Recursive = new("--recursive", "-r") { Description = "Every key, instead of one line for what lies below a slash." };
    private static readonly Option<bool> Versions = new("--versions") { Description = "Old versions and delete markers too." };

    public static Verb Make() => StoreConnection.Calls(
        new Verb("ls", "List buckets and objects.",
            ("dure ls", "the buckets"),
            ("dure ls s3://lab/models/", "what lies in models/"),
            ("dure ls s3://lab -r --format json", "every object, for programs"))
        .With(Where, Recursive, Versions),
        RunAsync, call => call.Get(Where));

    private static async Task<Outcome<int>> RunAsync(Call call, StoreConnection store, CancellationToken cancel)
    {
        if (call.Get(Where) is not { } text)
        {
            return await BucketsAsync(call, store, cancel);
        }

        var where = S3Address.Parse(text);
        if (!where.Ok)
        {
            return where.Problem;
        }

        var listed = new List<ListedObject>();
        await foreach (var found in call.Get(Versions)
            ? Listing.VersionsAsync(store, where.Value, call.Get(Recursive), cancel)
            : Listing.ObjectsAsync(store, where.Value, call.Get(Recursive), cancel))
        {
            listed.Add(found);
        }

        if (listed.Count == 0 && where.Value.Key.Length > 0)
        {
            return TransferErrors.NoSuchObject.With($"No key begins with {where.Value}.");
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(listed, TransferJson.Default.IReadOnlyListListedObject);
            return ExitCodes.Ok;
        }

        Print(call, listed);
        return ExitCodes.Ok;
    }

    private static void Print(Call call, List<ListedObject> listed)
    {
        var versions = call.Get(Versions);
        List<Column> columns = [new("size", RightAligned: true), new("changed"), new("key", 20)];
        if (versions)
        {
            columns.AddRange([new("state", Painted: true), new("version", 8)]);
        }

        call.Screen.Table(columns,
        [
            .. listed.Select(found => (IReadOnlyList<string>)
            [
                found.Prefix is null ? Phrase.Size(found.Size) : "", found.Prefix is null ? Phrase.Ago(found.ModifiedAt, call.Time) : "", found.Key ?? found.Prefix!,
                .. versions ? [found.State ?? "", found.VersionId ?? ""] : Array.Empty<string>(),
            ]),
        ]);
        call.Screen.Note($"{Phrase.Count(listed.Count(found => found.Key is not null), "object")}, {Phrase.Size(listed.Sum(found => found.Size ?? 0))}.");
    }

    private static async Task<Outcome<int>> BucketsAsync(Call call, StoreConnection store, CancellationToken cancel)
    {
        var answer = await store.S3.ListBucketsAsync(new Amazon.S3.Model.ListBucketsRequest(), cancel);
        var buckets = (answer.Buckets ?? []).Select(bucket => new ListedObject(null, $"{S3Address.Scheme}{bucket.BucketName}", null,
            bucket.CreationDate is { } made ? new DateTimeOffset(made.ToUniversalTime(), TimeSpan.Zero) : null, null, null, null)).ToList();
        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(buckets, TransferJson.Default.IReadOnlyListListedObject);
            return ExitCodes.Ok;
        }

        call.Screen.Table([new("bucket"), new("created")], [.. buckets.Select(bucket => (IReadOnlyList<string>)[bucket.Prefix!, Phrase.Ago(bucket.ModifiedAt, call.Time)])]);
        call.Screen.Note(buckets.Count == 0 ? "Make one: dure bucket create NAME" : "`dure bucket list` tells more of them.");
        return ExitCodes.Ok;
    }
}
