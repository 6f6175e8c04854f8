using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>What the canned access control list of a bucket or an object can grant to others than the owner.</summary>
internal enum AclGrant
{
    None,

    /// <summary>The bucket's list: keys, versions and uploads.</summary>
    BucketRead,

    /// <summary>The bucket's list: put and delete objects.</summary>
    BucketWrite,

    /// <summary>The object's own list.</summary>
    ObjectRead,
}

/// <summary>Whether something may be done.</summary>
internal enum Verdict
{
    Denied,
    Allowed,

    /// <summary>If the object's own list says so.</summary>
    AskObject,
}

/// <summary>Decides who may do what: the key's own limits, the bucket's policy, its owner, its list, in this order.</summary>
internal static class Access
{
    /// <param name="action">Of policies, such as <c>s3:GetObject</c>.</param>
    /// <param name="scope">That a key must have.</param>
    /// <param name="key">Null for what concerns the bucket itself.</param>
    public static Verdict Decide(AccessKey? who, Bucket bucket, string action, KeyScopes scope, AclGrant grant, string? key)
    {
        if (who is not null && (!MayTouch(who, bucket.Name) || !Has(who, scope)))
            return Verdict.Denied;
        var isOwner = who?.User == bucket.Owner;
        if (bucket.Policy is { Length: > 0 } text)
        {
            var effect = BucketPolicy.Of(text, bucket.Name).Decide(who?.User, action, bucket.Name, key);
            // Whoever locked himself out can still change the policy.
            if (effect == PolicyEffect.Deny && !(isOwner && action is "s3:GetBucketPolicy" or "s3:PutBucketPolicy" or "s3:DeleteBucketPolicy"))
                return Verdict.Denied;
            if (effect == PolicyEffect.Allow)
                return Verdict.Allowed;
        }
        if (isOwner || who?.Scopes.HasFlag(KeyScopes.Admin) == true)
            return Verdict.Allowed;
        return grant switch
        {
            AclGrant.BucketRead when Readable(bucket.Acl, who) => Verdict.Allowed,
            AclGrant.BucketWrite when bucket.Acl == CannedAcl.PublicReadWrite => Verdict.Allowed,
            AclGrant.ObjectRead => Verdict.AskObject,
            _ => Verdict.Denied,
        };
    }

    /// <summary>Whether the object's own list lets the caller read it.</summary>
    public static bool MayRead(AccessKey? who, StoredObject what) => Readable(what.Acl, who) || (who is not null && who.User == what.Owner);

    /// <summary>Whether somebody who may not read a key may know that it is missing.</summary>
    public static bool MayList(AccessKey? who, Bucket bucket) =>
        Decide(who, bucket, "s3:ListBucket", KeyScopes.Read, AclGrant.BucketRead, null) == Verdict.Allowed;

    public static bool MayTouch(AccessKey who, string bucket) => who.Buckets.Count == 0 || who.Buckets.Contains(bucket, StringComparer.Ordinal);

    public static bool Has(AccessKey who, KeyScopes scope) => (who.Scopes & (scope | KeyScopes.Admin)) != 0;

    private static bool Readable(CannedAcl acl, AccessKey? who) =>
        acl is CannedAcl.PublicRead or CannedAcl.PublicReadWrite || (acl == CannedAcl.AuthenticatedRead && who is not null);
}
