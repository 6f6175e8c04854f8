using Dure.Host;
using Dure.Host.Web;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.Objects;

/// <summary>Deletes, copies and renames objects.</summary>
internal static class ObjectChanges
{
    private const int KeysMax = 1000;
    private const int FailuresMost = 20;

    // So many wait for one flush of the disk together.
    private const int AtOnce = 64;

    public static async Task DeleteAsync(ObjectCall call)
    {
        var body = await JsonBody.ReadAsync(call.Http, ObjectJson.Default.DeleteObjectsRequest);
        if (!body.Ok)
        {
            await call.AnswerAsync(body.Problem);
            return;
        }
        var (keys, prefixes) = (body.Value.Keys ?? [], body.Value.Prefixes ?? []);
        if (keys.Count + prefixes.Count is 0 or > KeysMax || keys.Any(static one => ObjectCall.Fault(one?.Key) is not null) || prefixes.Any(static prefix => prefix is not { Length: > 0 }))
        {
            await call.AnswerAsync(HostErrors.BadRequest.With("Nothing is deleted.", [new Fault("keys", $"1 to {KeysMax} keys and prefixes, none of them empty.")]));
            return;
        }
        var (deleted, failures) = (0L, new List<NotDeletedView>());
        async ValueTask DeleteSomeAsync(IEnumerable<DeleteOne> some)
        {
            foreach (var chunk in some.Chunk(AtOnce))
            {
                foreach (var failure in await Task.WhenAll(chunk.Select(one => DeleteAsync(call, one))))
                {
                    if (failure is null)
                        deleted++;
                    else
                        failures.Add(failure);
                }
            }
        }
        await DeleteSomeAsync(keys);
        foreach (var prefix in prefixes)
            failures.AddRange(await DeletePrefixAsync(call, prefix, DeleteSomeAsync));
        await JsonBody.WriteAsync(call.Http, new DeletedObjectsView(deleted, failures.Count, [.. failures.Take(FailuresMost)]), ObjectJson.Default.DeletedObjectsView);
    }

    public static async Task CopyAsync(ObjectCall call)
    {
        var body = await JsonBody.ReadAsync(call.Http, ObjectJson.Default.CopyObjectRequest);
        if (!body.Ok)
        {
            await call.AnswerAsync(body.Problem);
            return;
        }
        var asked = body.Value;
        var faults = new[] { ObjectCall.Fault(asked.From, "from"), ObjectCall.Fault(asked.To, "to") }.OfType<Fault>().ToList();
        if (faults.Count > 0)
        {
            await call.AnswerAsync(HostErrors.BadRequest.With("Nothing is copied.", faults));
            return;
        }
        var from = asked.FromBucket is null || asked.FromBucket == call.Bucket.Name ? call.Bucket : await call.Store.FindBucketAsync(asked.FromBucket, call.Cancel);
        if (from is null)
        {
            await call.AnswerAsync(StoreErrors.NoSuchBucket.With($"There is no bucket '{asked.FromBucket}'."));
            return;
        }
        var (source, problem) = await SourceAsync(call, from, asked);
        if (source is null)
        {
            await call.AnswerAsync(problem!);
            return;
        }
        var what = new NewObject(asked.To, call.Who.User, source.Headers, CannedAcl.Private, source.Tags, asked.Overwrite ? WriteConditions.None : new WriteConditions(IfNoneMatch: "*"));
        var copied = await call.Store.CopyAsync(source, call.Bucket.Name, what, [.. source.Checksums.Select(static checksum => checksum.Kind).Distinct()], call.Cancel);
        if (copied.Fault is { } fault)
        {
            await call.AnswerAsync(fault, asked.To);
            return;
        }
        // Only what was copied goes: who wrote to the old name meanwhile finds his object there.
        if (asked.Move && await call.Store.DeleteAsync(from.Name, asked.From, null, new WriteConditions(IfMatch: source.ETag), call.Cancel) is { Fault: { } kept and not StoreFault.NoSuchKey })
        {
            await call.AnswerAsync(ObjectErrors.Changed.With($"{ObjectCall.Named(call.Bucket, asked.To)} is kept, and {ObjectCall.Named(from, asked.From)} is there as well: {kept}."));
            return;
        }
        await ObjectTransfers.ToldAsync(call, asked.To);
    }

    private static async ValueTask<(StoredObject? Source, Problem? Problem)> SourceAsync(ObjectCall call, Bucket from, CopyObjectRequest asked)
    {
        if (call.Refusal("s3:PutObject", KeyScopes.Write, AclGrant.BucketWrite, asked.To) is { } refused)
            return (null, refused);
        if (asked.Move && call.Refusal(from, "s3:DeleteObject", KeyScopes.Write, AclGrant.BucketWrite, asked.From) is { } stays)
            return (null, stays);
        var verdict = Access.Decide(call.Who, from, asked.VersionId is null ? "s3:GetObject" : "s3:GetObjectVersion", KeyScopes.Read, AclGrant.ObjectRead, asked.From);
        var found = verdict == Verdict.Denied ? default : await call.Store.FindAsync(from.Name, asked.From, asked.VersionId, call.Cancel);
        if (verdict == Verdict.Denied || (verdict == Verdict.AskObject && found.Value is { } stored && !Access.MayRead(call.Who, stored)))
            return (null, ObjectErrors.NotAllowed.With($"'{call.Who.User}' may not read {ObjectCall.Named(from, asked.From)}."));
        if (found.Fault is { } fault)
            return (null, ObjectErrors.Of(fault, ObjectCall.Named(from, asked.From)));
        if (found.Value!.IsDeleteMarker)
            return (null, ObjectErrors.Of(StoreFault.NoSuchKey, ObjectCall.Named(from, asked.From)));
        return from.Id == call.Bucket.Id && asked.From == asked.To && found.Value.IsLatest
            ? (null, HostErrors.BadRequest.With("Nothing is copied.", [new Fault("to", "Another key than that of the source.")]))
            : (found.Value, null);
    }

    private static async ValueTask<List<NotDeletedView>> DeletePrefixAsync(ObjectCall call, string prefix, Func<IEnumerable<DeleteOne>, ValueTask> delete)
    {
        if (call.Refusal("s3:ListBucket", KeyScopes.Read, AclGrant.BucketRead, null) is { } refused)
            return [new NotDeletedView(prefix, refused.Detail)];
        var after = "";
        while (true)
        {
            var page = await call.Store.ListAsync(call.Bucket.Name, new ListKeys(prefix, "", after, KeysMax), call.Cancel);
            if (page.Fault is { } fault)
                return [new NotDeletedView(prefix, fault.ToString())];
            await delete(page.Value!.Objects.Select(static one => new DeleteOne(one.Key, null)));
            if (page.Value.Next is null)
                return [];
            after = page.Value.Next;
        }
    }

    private static async Task<NotDeletedView?> DeleteAsync(ObjectCall call, DeleteOne one)
    {
        var version = one.VersionId is { Length: > 0 } named ? named : null;
        if (call.Refusal(version is null ? "s3:DeleteObject" : "s3:DeleteObjectVersion", KeyScopes.Write, AclGrant.BucketWrite, one.Key) is { } refused)
            return new NotDeletedView(one.Key, refused.Detail);
        var ended = await call.Store.DeleteAsync(call.Bucket.Name, one.Key, version, WriteConditions.None, call.Cancel);
        return ended.Fault is null or StoreFault.NoSuchKey or StoreFault.NoSuchVersion ? null : new NotDeletedView(one.Key, ended.Fault.ToString()!);
    }
}
