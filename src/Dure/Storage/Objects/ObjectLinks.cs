using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Storage.S3;
using Dure.Storage.Signing;

namespace Dure.Storage.Objects;

/// <summary>
/// Addresses by which whoever has them may read or write one object for a while. Each is signed with an access key of its own, which opens this
/// bucket only, ends when the address does, and can be revoked before.
/// </summary>
internal sealed class ObjectLinks(AccessKeyStore keys, Func<string> endpoint, string region, TimeProvider time)
{
    private static readonly TimeSpan Usual = TimeSpan.FromHours(1);

    public async Task MakeAsync(ObjectCall call)
    {
        var body = await JsonBody.ReadAsync(call.Http, ObjectJson.Default.LinkRequest);
        if (!body.Ok)
        {
            await call.AnswerAsync(body.Problem);
            return;
        }
        var asked = body.Value;
        var (method, valid) = (asked.Method ?? "GET", asked.ExpiresInS is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, int.MaxValue)) : Usual);
        var faults = new[]
        {
            ObjectCall.Fault(asked.Key),
            method is "GET" or "PUT" ? null : new Fault("method", "GET or PUT."),
            valid >= TimeSpan.FromSeconds(1) && valid <= Signer.ValidMax ? null : new Fault("expires_in_s", $"1 to {(long)Signer.ValidMax.TotalSeconds} seconds."),
        }.OfType<Fault>().ToList();
        if (faults.Count > 0)
        {
            await call.AnswerAsync(HostErrors.BadRequest.With("The link cannot be made.", faults));
            return;
        }
        if (await RefusalAsync(call, asked, method) is { } refused)
        {
            await call.AnswerAsync(refused);
            return;
        }
        await ForgetAsync(call);
        var now = time.GetUtcNow();
        var scope = method == "GET" ? KeyScopes.Read : KeyScopes.Write;
        // Whoever may use every bucket may do so by this link as well.
        var scopes = call.Http.Caller().May(Scopes.Admin) && call.Bucket.Owner != call.Who.User ? KeyScopes.Admin : scope;
        var key = await keys.CreateAsync(call.Who.User, scopes, [call.Bucket.Name], valid, call.Cancel);
        var path = $"{endpoint().TrimEnd('/')}/{AwsEncoding.Encode(call.Bucket.Name)}/{string.Join('/', asked.Key.Split('/').Select(static part => AwsEncoding.Encode(part)))}";
        var address = new Uri(path + (asked.VersionId is { } version && method == "GET" ? "?versionId=" + AwsEncoding.Encode(version) : ""),
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var url = Signer.Presign(method, address, key.Id, key.Secret, region, now, valid);
        call.Http.Response.StatusCode = StatusCodes.Status201Created;
        call.Http.Response.Headers.CacheControl = "no-store";
        await JsonBody.WriteAsync(call.Http, new LinkView(url.AbsoluteUri, method, now + valid, key.Id), ObjectJson.Default.LinkView);
    }

    private static async ValueTask<Problem?> RefusalAsync(ObjectCall call, LinkRequest asked, string method)
    {
        if (method == "PUT")
        {
            return call.Http.Caller().May(Scopes.Deploy) ? call.Refusal("s3:PutObject", KeyScopes.Write, AclGrant.BucketWrite, asked.Key)
                : HostErrors.NotAllowed.With("A link to write needs the scope 'deploy'.");
        }
        var verdict = Access.Decide(call.Who, call.Bucket, asked.VersionId is null ? "s3:GetObject" : "s3:GetObjectVersion", KeyScopes.Read, AclGrant.ObjectRead, asked.Key);
        var found = await call.Store.FindAsync(call.Bucket.Name, asked.Key, asked.VersionId, call.Cancel);
        if (verdict == Verdict.Denied || (verdict == Verdict.AskObject && found.Value is { } stored && !Access.MayRead(call.Who, stored)))
            return ObjectErrors.NotAllowed.With($"'{call.Who.User}' may not read {ObjectCall.Named(call.Bucket, asked.Key)}.");
        // A link to nothing would be noticed only by whom it was sent to.
        return found.Fault is { } fault ? ObjectErrors.Of(fault, ObjectCall.Named(call.Bucket, asked.Key)) : null;
    }

    // The keys of links that have run out sign nothing and would only lengthen the list.
    private async ValueTask ForgetAsync(ObjectCall call)
    {
        var now = time.GetUtcNow();
        foreach (var old in keys.List().Where(key => key.User == call.Who.User && key.ExpiresAt < now && key.Buckets is [var only] && only == call.Bucket.Name && key.ExpiresAt - key.CreatedAt <= Signer.ValidMax))
            await keys.RevokeAsync(old.Id, call.Cancel);
    }
}
