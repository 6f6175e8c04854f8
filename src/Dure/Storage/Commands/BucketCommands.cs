using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Dure.Storage.S3;

namespace Dure.Storage.Commands;

/// <summary><c>dure bucket</c>: buckets of Dure's own store.</summary>
internal static class BucketCommands
{
    private const string Path = "/api/storage/buckets";

    internal static readonly Argument<string> Name = new Argument<string>("name") { Description = "The bucket." }.CompletedByBuckets();
    private static readonly Argument<string> NewName = new("name") { Description = "3 to 63 small letters, digits, dots and hyphens." };

    private static readonly Option<string?> Versioning = new Option<string?>("--versioning") { Description = "Whether old versions are kept.", HelpName = "on|off" }.AcceptOnlyFromAmong("on", "off");
    private static readonly Option<string?> Quota = new("--quota") { Description = "The most that it may hold, old versions included; 0 for no limit.", HelpName = "SIZE" };

    private static readonly Option<string[]> Replicate = new("--replicate")
    {
        Description = "Providers that get a copy of every object; may be given often, `none` for none.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> Public = new("--public-read") { Description = "Everyone may read, without a key." };
    private static readonly Option<bool> Force = new("--force") { Description = "Its objects too, all versions of them." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    static BucketCommands() => Quota.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<string?>() is { } text && Units.ReadBytes(text).Error is { } wrong)
        {
            result.AddError($"--quota: {wrong}.");
        }
    });

    public static Verb Make() => new Verb("bucket", "Make, list, change and delete buckets.").With(MakeList(), MakeCreate(), MakeSet(), BucketDocuments.MakePolicy(), BucketDocuments.MakeCors(), MakeDelete());

    /// <summary>All buckets that the caller may see.</summary>
    public static Task<Outcome<IReadOnlyList<BucketView>>> ListAsync(DureClient client, CancellationToken cancel) => client.ListAsync(Path, int.MaxValue, TransferJson.Default.PageViewBucketView, cancel);

    /// <summary>One bucket.</summary>
    public static async Task<Outcome<BucketView>> FindAsync(DureClient client, string name, CancellationToken cancel)
    {
        var all = await ListAsync(client, cancel);
        return !all.Ok ? all.Problem : all.Value.FirstOrDefault(bucket => bucket.Name == name) is { } found ? found : TransferErrors.NoSuchBucket.With(name);
    }

    /// <summary>Changes one.</summary>
    public static Task<Outcome<bool>> ChangeAsync(DureClient client, string name, BucketRequest settings, CancellationToken cancel) =>
        client.SendAsync(HttpMethod.Patch, $"{Path}/{Uri.EscapeDataString(name)}", DureClient.Json(settings, TransferJson.Default.BucketRequest), cancel);

    private static Verb MakeList() =>
        new Verb("list", "List the buckets.", ("dure bucket list", "with what they hold")).Alias("ls")
        .Calls(async (call, client, cancel) =>
        {
            var buckets = await ListAsync(client, cancel);
            if (!buckets.Ok)
            {
                return buckets.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(buckets.Value, TransferJson.Default.IReadOnlyListBucketView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("name"), new("objects", RightAligned: true), new("size", RightAligned: true), new("quota", RightAligned: true), new("versions"), new("access"), new("copies", 8), new("owner", 8), new("created")],
                [.. buckets.Value.Select(bucket => (IReadOnlyList<string>)
                [
                    bucket.Name, bucket.Objects.ToString(System.Globalization.CultureInfo.InvariantCulture), Phrase.Size(bucket.UsedBytes), Phrase.Size(bucket.QuotaBytes), Word(bucket.Versioning, "off"),
                    Word(bucket.Acl, "private") + (bucket.Policy is null ? "" : " + policy"), bucket.Replicate is { Count: > 0 } copies ? string.Join(' ', copies) : "-", bucket.Owner ?? "-", Phrase.Ago(bucket.CreatedAt, call.Time),
                ])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeCreate() =>
        new Verb("create", "Make a bucket.",
            ("dure bucket create lab", "private, without a limit"),
            ("dure bucket create runs --versioning on --quota 200GiB --replicate aws", "keeps old versions, and a copy at the provider aws"))
        .With(NewName, Versioning, Quota, Replicate, Public)
        .Calls(async (call, client, cancel) =>
        {
            var name = call.Get(NewName)!;
            var made = await client.SendAsync(HttpMethod.Post, Path, DureClient.Json(Settings(call) with { Name = name }, TransferJson.Default.BucketRequest), cancel);
            if (!made.Ok)
            {
                return made.Problem;
            }

            call.Screen.Say($"Bucket {name} is there.");
            call.Screen.Note($"Put something in it: dure cp FILE s3://{name}/");
            return ExitCodes.Ok;
        });

    private static Verb MakeSet() =>
        new Verb("set", "Change a bucket's settings.",
            ("dure bucket set lab --versioning on", "old versions are kept from now on"),
            ("dure bucket set lab --quota 0 --replicate none", "no limit, no copies"))
        .With(Name, Versioning, Quota, Replicate)
        .Calls(async (call, client, cancel) =>
        {
            var settings = Settings(call);
            if (settings == new BucketRequest())
            {
                return CommandErrors.Usage.With("Say what changes: --versioning, --quota or --replicate.");
            }

            var changed = await ChangeAsync(client, call.Get(Name)!, settings, cancel);
            if (changed.Ok)
            {
                call.Screen.Say($"Bucket {call.Get(Name)} is changed.");
            }

            return changed.Ok ? ExitCodes.Ok : changed.Problem;
        });

    private static Verb MakeDelete() =>
        new Verb("delete", "Delete a bucket that is empty.",
            ("dure bucket delete old", "only when it is empty"),
            ("dure bucket delete old --force --yes", "with everything in it, without being asked"))
        .With(Name, Force, Yes)
        .Calls(async (call, client, cancel) =>
        {
            var (name, force) = (call.Get(Name)!, call.Get(Force));
            if (force)
            {
                var found = await FindAsync(client, name, cancel);
                if (!found.Ok)
                {
                    return found.Problem;
                }

                var question = $"Delete bucket {name} with {Phrase.Count(found.Value.Objects, "object")} ({Phrase.Size(found.Value.UsedBytes)})? They cannot be had again.";
                if (await call.ConfirmAsync(question, call.Get(Yes), cancel) is { Ok: false } refused)
                {
                    return refused.Problem;
                }
            }

            var deleted = await client.SendAsync(HttpMethod.Delete, $"{Path}/{Uri.EscapeDataString(name)}{(force ? "?force=true" : "")}", null, cancel);
            if (deleted.Ok)
            {
                call.Screen.Say($"Bucket {name} is gone.");
            }

            return deleted.Ok ? ExitCodes.Ok : deleted.Problem;
        });

    private static BucketRequest Settings(Call call) => new(
        Versioning: call.Get(Versioning) switch { "on" => "enabled", "off" => "suspended", _ => null },
        Acl: call.Get(Public) ? "public-read" : null,
        QuotaBytes: call.Get(Quota) is { } quota ? Units.ReadBytes(quota).Value : null,
        Replicate: !call.Has(Replicate) ? null : [.. call.Get(Replicate)!.Where(name => name != "none")]);

    private static string Word(string? told, string otherwise) => string.IsNullOrEmpty(told) ? otherwise : told.ToLowerInvariant();
}
