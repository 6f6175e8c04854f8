using System.Runtime.CompilerServices;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Host;
using Dure.Storage;
using Dure.Storage.Replication;

namespace Dure.Functions.Copies;

/// <summary>Functions' sources and successful results, as what providers get copies of.</summary>
/// <param name="changed">Told when versions came back.</param>
internal sealed class FunctionOriginals(OutboxStore outbox, CopyStore rows, FunctionStore functions, IBlobs blobs, Func<Task> changed) : Originals("functions", outbox)
{
    public override async ValueTask<Stream?> OpenAsync(string digest, CancellationToken cancel) => await blobs.OpenAsync(digest, cancel);

    public override async IAsyncEnumerable<OutboxEntry> WantedAsync(string provider, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (!rows.Serves(provider))
            yield break;
        foreach (var version in await rows.VersionsAsync(cancel))
        {
            foreach (var entry in FunctionCopies.Entries(provider, version.Function, version.Number, version.Owner, version.CreatedAt, version.Size, version.Built))
                yield return entry;
        }
        for (var after = -1L; await rows.ResultsAsync(after, cancel) is { Count: > 0 } batch; after = batch[^1].Id)
        {
            foreach (var result in batch)
            {
                foreach (var entry in FunctionCopies.Entries(result.Manifest, [provider]))
                    yield return entry;
            }
        }
    }

    public override async Task<Problem?> MendAsync(string path, string digest, CancellationToken cancel)
    {
        // One that is there with the right length would be taken for whole.
        await blobs.DeleteAsync(digest, cancel);
        return (await blobs.TakeFileAsync(path, long.MaxValue, cancel)).Problem;
    }

    public override async Task RestoreAsync(Restoration from, CancellationToken cancel)
    {
        if (await SourcesAsync(from, cancel) && !from.DryRun)
            await changed();
        await from.ListAsync("results/", async key =>
        {
            if (await from.ReadAsync(key, cancel) is { } text)
                await ResultAsync(from, key, text, cancel);
        }, cancel);
    }

    // In the order in which they were deployed: the newest of a function becomes the live one.
    private async Task<bool> SourcesAsync(Restoration from, CancellationToken cancel)
    {
        var manifests = new List<(string Key, SourceManifest Manifest, BuiltVersion Built)>();
        await from.ListAsync("sources/", async key =>
        {
            if (await from.ReadAsync(key, cancel) is not { } text)
                return;
            if (Read(text, CopiesJson.Default.SourceManifest) is { } manifest && Read(manifest.Built, BuiltJson.Default.BuiltVersion) is { } built)
                manifests.Add((key, manifest, built));
            else
                await from.FailAsync(key, ReplicationErrors.Unreadable.With(key));
        }, cancel);
        var any = false;
        foreach (var (key, manifest, built) in manifests.OrderBy(one => one.Manifest.Function, StringComparer.Ordinal).ThenBy(one => one.Manifest.Number))
        {
            if (!await BytesAsync(from, manifest.Sha256, manifest.Size, cancel))
                continue;
            if (await rows.FindVersionAsync(manifest.Function, manifest.Version, cancel) is not null)
            {
                from.Skip();
                continue;
            }
            if (!from.DryRun)
                await functions.DeployAsync(manifest.Function, manifest.Owner, built, manifest.Size, canaryPercent: 0);
            any = true;
            await from.MadeAsync(manifest.Size);
        }
        return any;
    }

    private async Task ResultAsync(Restoration from, string key, string text, CancellationToken cancel)
    {
        if (Read(text, CopiesJson.Default.ResultManifest) is not { } manifest || !InvocationId.TryParse(manifest.Id, out var id))
        {
            await from.FailAsync(key, ReplicationErrors.Unreadable.With(key));
            return;
        }
        if (await rows.HasResultAsync(id, cancel))
        {
            from.Skip();
            return;
        }
        if (manifest.Result is { } inline && Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(inline.Span)) != manifest.Sha256)
        {
            await from.FailAsync(key, ReplicationErrors.Mismatch.With(key));
            return;
        }
        var version = await rows.FindVersionAsync(manifest.Function, manifest.Version, cancel);
        if (version is null && !from.DryRun)
        {
            await AsideAsync(from, manifest, text, cancel);
            return;
        }
        if (manifest.Result is null && !await BytesAsync(from, manifest.Sha256, manifest.Size, cancel))
            return;
        if (!from.DryRun)
            await rows.InsertAsync(id, version!.Value, manifest);
        await from.MadeAsync(manifest.Size);
    }

    // Brings the bytes of a digest here, where they are not.
    private async Task<bool> BytesAsync(Restoration from, string digest, long size, CancellationToken cancel)
    {
        if (await blobs.HeadAsync(digest, cancel) is { } known && known.Length == size)
            return true;
        if (from.DryRun)
            return true;
        if (await from.FetchAsync(digest, size, cancel) is not { } path)
            return false;
        if ((await blobs.TakeFileAsync(path, long.MaxValue, cancel)).Problem is not { } problem)
            return true;
        File.Delete(path);
        await from.FailAsync(digest, problem);
        return false;
    }

    // Nothing in the database tells of the function, so there is no row that the result could belong to.
    private static async Task AsideAsync(Restoration from, ResultManifest manifest, string text, CancellationToken cancel)
    {
        if (!FunctionName.Check(manifest.Function).Ok)
        {
            await from.FailAsync(manifest.Function, ReplicationErrors.Unreadable.With("It is no name of a function."));
            return;
        }
        var folder = Path.Combine(from.Aside, "results", manifest.Function);
        var path = Path.Combine(folder, manifest.Id + ".json");
        if (File.Exists(path))
        {
            from.Skip();
            return;
        }
        Directory.CreateDirectory(folder);
        if (manifest.Result is null)
        {
            if (await from.FetchAsync(manifest.Sha256, manifest.Size, cancel) is not { } fetched)
                return;
            File.Move(fetched, Path.Combine(folder, manifest.Id + ".result"), overwrite: true);
        }
        else
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, manifest.Id + ".result"), manifest.Result.Value, cancel);
        }
        // Last: it says that the rest is there.
        await File.WriteAllTextAsync(path, text, cancel);
        await from.MadeAsync(manifest.Size);
    }

    private static T? Read<T>(string text, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static T? Read<T>(JsonElement element, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return element.Deserialize(type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
