using System.Globalization;
using Dure.Host;
using Dure.Host.Web;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.Objects;

/// <summary>Uploads in parts: a part that was lost on the way is sent again, not the whole.</summary>
internal static class ObjectParts
{
    private const long PartBytes = 16 << 20;

    public static async Task BeginAsync(ObjectCall call)
    {
        var body = await JsonBody.ReadAsync(call.Http, ObjectJson.Default.BeginUploadRequest);
        if (!body.Ok)
        {
            await call.AnswerAsync(body.Problem);
            return;
        }
        var key = body.Value.Key;
        if (ObjectCall.Fault(key) is { } fault)
        {
            await call.AnswerAsync(HostErrors.BadRequest.With("The upload cannot be begun.", [fault]));
            return;
        }
        if (Refusal(call, key) is { } refused)
        {
            await call.AnswerAsync(refused);
            return;
        }
        var headers = new ObjectHeaders { ContentType = body.Value.ContentType is { Length: > 0 and < 256 } type && !type.Any(char.IsControl) ? type : null };
        var what = new NewObject(key, call.Who.User, headers, CannedAcl.Private, new Dictionary<string, string>(StringComparer.Ordinal), WriteConditions.None);
        var begun = await call.Store.BeginUploadAsync(call.Bucket.Name, what, null, null, call.Cancel);
        if (begun.Fault is { } failed)
        {
            await call.AnswerAsync(failed, key);
            return;
        }
        call.Http.Response.StatusCode = StatusCodes.Status201Created;
        await JsonBody.WriteAsync(call.Http, new UploadView(begun.Value!.Id, key, PartBytes), ObjectJson.Default.UploadView);
    }

    public static async Task ListAsync(ObjectCall call)
    {
        if (await BeganAsync(call) is not var (key, id))
            return;
        var parts = await call.Store.ListPartsAsync(call.Bucket.Name, key, id, 0, Multipart.PartsMax, call.Cancel);
        if (parts.Fault is { } fault)
            await call.AnswerAsync(fault, key);
        else
            await JsonBody.WriteAsync(call.Http, new PartsView([.. parts.Value!.Select(View)], null), ObjectJson.Default.PartsView);
    }

    public static async Task PutAsync(ObjectCall call)
    {
        if (await BeganAsync(call) is not var (key, id))
            return;
        var text = (string)call.Http.Request.RouteValues["part"]!;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > Multipart.PartsMax)
        {
            await call.AnswerAsync(HostErrors.BadRequest.With("The part cannot be kept.", [new Fault("part", $"A number from 1 to {Multipart.PartsMax}.")]));
            return;
        }
        if (await Multipart.PutPartAsync(call.ToS3(key, ("uploadId", id), ("partNumber", text))) is { } error)
        {
            await ObjectTransfers.AnswerAsync(call, error, key);
            return;
        }
        var etag = call.Http.Response.Headers.ETag.ToString().Trim('"');
        call.Http.Response.ContentLength = null;
        await JsonBody.WriteAsync(call.Http, new PartView(number, call.Http.Request.ContentLength ?? 0, etag), ObjectJson.Default.PartView);
    }

    public static async Task CompleteAsync(ObjectCall call)
    {
        if (await BeganAsync(call) is not var (key, id))
            return;
        var body = await JsonBody.ReadAsync(call.Http, ObjectJson.Default.CompleteUploadRequest);
        if (!body.Ok)
        {
            await call.AnswerAsync(body.Problem);
            return;
        }
        IReadOnlyList<PartView>? named = body.Value.Parts;
        if (named is null)
        {
            var kept = await call.Store.ListPartsAsync(call.Bucket.Name, key, id, 0, Multipart.PartsMax, call.Cancel);
            if (kept.Fault is { } missing)
            {
                await call.AnswerAsync(missing, key);
                return;
            }
            named = [.. kept.Value!.Select(View)];
        }
        var parts = named.Where(static part => part is not null).Select(static part => new NamedPart(part.Number, part.ETag ?? "", [])).ToList();
        var conditions = body.Value.Overwrite ? WriteConditions.None : new WriteConditions(IfNoneMatch: "*");
        // Whoever hangs up while it is made would not know whether it was.
        var completed = await call.Store.CompleteAsync(call.Bucket.Name, key, id, parts, null, conditions, CancellationToken.None);
        if (completed.Fault is { } fault)
            await call.AnswerAsync(fault, key);
        else
            await ObjectTransfers.ToldAsync(call, key);
    }

    public static async Task AbortAsync(ObjectCall call)
    {
        if (await BeganAsync(call) is not var (key, id))
            return;
        if (await call.Store.AbortAsync(call.Bucket.Name, key, id, call.Cancel) is { } fault)
            await call.AnswerAsync(fault, key);
        else
            call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async ValueTask<(string Key, string Id)?> BeganAsync(ObjectCall call)
    {
        if (await call.KeyAsync() is not { } key)
            return null;
        if (Refusal(call, key) is not { } refused)
            return (key, (string)call.Http.Request.RouteValues["id"]!);
        await call.AnswerAsync(refused);
        return null;
    }

    private static Problem? Refusal(ObjectCall call, string key) => call.Refusal("s3:PutObject", KeyScopes.Write, AclGrant.BucketWrite, key);

    private static PartView View(UploadedPart part) => new(part.Number, part.Size, part.ETag);
}
