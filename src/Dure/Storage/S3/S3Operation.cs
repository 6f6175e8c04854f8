using System.Collections.Frozen;
using Dure.Storage.Signing;

namespace Dure.Storage.S3;

/// <summary>One operation of the S3 API.</summary>
/// <param name="Name">As in the API reference.</param>
/// <param name="Action">That policies name.</param>
/// <param name="Scope">That a key must have.</param>
/// <param name="Grant">What a canned access control list can grant.</param>
/// <param name="Handle">Answers, or says what is wrong.</param>
/// <param name="NeedsBucket">The bucket must be there.</param>
internal sealed record S3Operation(string Name, string Action, KeyScopes Scope, AclGrant Grant, Func<S3Call, Task<S3Error?>> Handle, bool NeedsBucket = true);

/// <summary>Which operation a request asks for: by its method, whether it names a bucket and a key, and its subresource.</summary>
internal static class S3Operations
{
    private const KeyScopes Read = KeyScopes.Read;
    private const KeyScopes Write = KeyScopes.Write;
    private const KeyScopes Buckets = KeyScopes.Buckets;

    private static readonly S3Operation CopyObject = new("CopyObject", "s3:PutObject", Write, AclGrant.BucketWrite, ObjectCopies.CopyAsync);
    private static readonly S3Operation UploadPartCopy = new("UploadPartCopy", "s3:PutObject", Write, AclGrant.BucketWrite, ObjectCopies.CopyPartAsync);
    private static readonly S3Operation ListObjectsV2 = new("ListObjectsV2", "s3:ListBucket", Read, AclGrant.BucketRead, Listings.Version2Async);

    /// <summary>Stands for a request that was looked at elsewhere.</summary>
    public static readonly S3Operation Plain = new("", "", Read, AclGrant.None, static _ => Task.FromResult<S3Error?>(null));

    private static readonly FrozenDictionary<(char Level, string Method, string Sub), S3Operation> Table = Make().ToFrozenDictionary();

    /// <summary>The operation, or what to answer instead.</summary>
    public static (S3Operation? Operation, S3Error? Error) Find(HttpRequest http, S3Request request)
    {
        var level = request.Bucket is null ? 's' : request.Key is null ? 'b' : 'o';
        if (level == 's' && request.Key is not null)
            return (null, S3Errors.InvalidBucketName);
        if (!Table.TryGetValue((level, http.Method, request.Sub), out var found))
        {
            return (null, request.Sub.Length > 0 && http.Method is "GET" or "PUT" or "POST" or "DELETE" or "HEAD"
                ? S3Errors.NotImplemented($"{http.Method} of the subresource {request.Sub}")
                : S3Errors.MethodNotAllowed);
        }
        if (level == 'o' && http.Method == "PUT" && http.Headers.ContainsKey("x-amz-copy-source"))
        {
            if (request.Sub.Length == 0)
                return (CopyObject, null);
            if (request.Sub == "uploadId")
                return (UploadPartCopy, null);
        }
        return (level == 'b' && found.Name == "ListObjects" && request.Query["list-type"] == "2" ? ListObjectsV2 : found, null);
    }

    private static Dictionary<(char, string, string), S3Operation> Make()
    {
        var table = new Dictionary<(char, string, string), S3Operation>
        {
            [('s', "GET", "")] = new("ListBuckets", "s3:ListAllMyBuckets", Read, AclGrant.None, BucketOperations.ListAsync, false),
            [('b', "PUT", "")] = new("CreateBucket", "s3:CreateBucket", Buckets, AclGrant.None, BucketOperations.CreateAsync, false),
            [('b', "HEAD", "")] = new("HeadBucket", "s3:ListBucket", Read, AclGrant.BucketRead, BucketOperations.HeadAsync),
            [('b', "DELETE", "")] = new("DeleteBucket", "s3:DeleteBucket", Buckets, AclGrant.None, BucketOperations.DeleteAsync),
            [('b', "GET", "")] = new("ListObjects", "s3:ListBucket", Read, AclGrant.BucketRead, Listings.Version1Async),
            [('b', "GET", "versions")] = new("ListObjectVersions", "s3:ListBucketVersions", Read, AclGrant.BucketRead, Listings.VersionsAsync),
            [('b', "GET", "uploads")] = new("ListMultipartUploads", "s3:ListBucketMultipartUploads", Read, AclGrant.BucketRead, MultipartListings.UploadsAsync),
            [('b', "POST", "delete")] = new("DeleteObjects", "", Write, AclGrant.None, ObjectDeletes.ManyAsync),
            [('b', "POST", "")] = new("PostObject", "", Write, AclGrant.None, FormUpload.PostAsync),
            [('b', "GET", "location")] = new("GetBucketLocation", "s3:GetBucketLocation", Read, AclGrant.BucketRead, BucketOperations.LocationAsync),
            [('b', "GET", "policyStatus")] = new("GetBucketPolicyStatus", "s3:GetBucketPolicyStatus", Read, AclGrant.None, BucketConfiguration.GetPolicyStatusAsync),
            [('o', "GET", "")] = new("GetObject", "s3:GetObject", Read, AclGrant.ObjectRead, ObjectReads.GetAsync),
            [('o', "HEAD", "")] = new("HeadObject", "s3:GetObject", Read, AclGrant.ObjectRead, ObjectReads.HeadAsync),
            [('o', "GET", "attributes")] = new("GetObjectAttributes", "s3:GetObjectAttributes", Read, AclGrant.ObjectRead, ObjectAttributes.GetAsync),
            [('o', "PUT", "")] = new("PutObject", "s3:PutObject", Write, AclGrant.BucketWrite, ObjectWrites.PutAsync),
            [('o', "DELETE", "")] = new("DeleteObject", "s3:DeleteObject", Write, AclGrant.BucketWrite, ObjectDeletes.OneAsync),
            [('o', "POST", "uploads")] = new("CreateMultipartUpload", "s3:PutObject", Write, AclGrant.BucketWrite, Multipart.CreateAsync),
            [('o', "PUT", "uploadId")] = new("UploadPart", "s3:PutObject", Write, AclGrant.BucketWrite, Multipart.PutPartAsync),
            [('o', "POST", "uploadId")] = new("CompleteMultipartUpload", "s3:PutObject", Write, AclGrant.BucketWrite, MultipartComplete.CompleteAsync),
            [('o', "DELETE", "uploadId")] = new("AbortMultipartUpload", "s3:AbortMultipartUpload", Write, AclGrant.BucketWrite, Multipart.AbortAsync),
            [('o', "GET", "uploadId")] = new("ListParts", "s3:ListMultipartUploadParts", Read, AclGrant.None, MultipartListings.PartsAsync),
            [('o', "GET", "acl")] = new("GetObjectAcl", "s3:GetObjectAcl", Read, AclGrant.None, ObjectSettings.GetAclAsync),
            [('o', "PUT", "acl")] = new("PutObjectAcl", "s3:PutObjectAcl", Write, AclGrant.None, ObjectSettings.PutAclAsync),
            [('o', "GET", "tagging")] = new("GetObjectTagging", "s3:GetObjectTagging", Read, AclGrant.None, ObjectSettings.GetTagsAsync),
            [('o', "PUT", "tagging")] = new("PutObjectTagging", "s3:PutObjectTagging", Write, AclGrant.None, ObjectSettings.PutTagsAsync),
            [('o', "DELETE", "tagging")] = new("DeleteObjectTagging", "s3:DeleteObjectTagging", Write, AclGrant.None, ObjectSettings.DeleteTagsAsync),
            [('o', "GET", "retention")] = new("GetObjectRetention", "s3:GetObjectRetention", Read, AclGrant.None, ObjectSettings.NoLockAsync),
            [('o', "GET", "legal-hold")] = new("GetObjectLegalHold", "s3:GetObjectLegalHold", Read, AclGrant.None, ObjectSettings.NoLockAsync),
        };
        Setting("versioning", "BucketVersioning", BucketConfiguration.GetVersioningAsync, BucketConfiguration.PutVersioningAsync, null);
        Setting("cors", "BucketCors", BucketConfiguration.GetCorsAsync, BucketConfiguration.PutCorsAsync, BucketConfiguration.DeleteCorsAsync);
        Setting("policy", "BucketPolicy", BucketConfiguration.GetPolicyAsync, BucketConfiguration.PutPolicyAsync, BucketConfiguration.DeletePolicyAsync);
        Setting("acl", "BucketAcl", BucketConfiguration.GetAclAsync, BucketConfiguration.PutAclAsync, null);
        Setting("tagging", "BucketTagging", BucketConfiguration.GetTagsAsync, BucketConfiguration.PutTagsAsync, BucketConfiguration.DeleteTagsAsync);
        foreach (var (sub, absent) in Unconfigured.All)
            Setting(sub, absent.Name, absent.GetAsync, null, absent.MayDelete ? Unconfigured.DeleteAsync : null);
        return table;

        void Setting(string sub, string name, Func<S3Call, Task<S3Error?>> get, Func<S3Call, Task<S3Error?>>? put, Func<S3Call, Task<S3Error?>>? delete)
        {
            table[('b', "GET", sub)] = new("Get" + name, "s3:Get" + name, Read, AclGrant.None, get);
            if (put is not null)
                table[('b', "PUT", sub)] = new("Put" + name, "s3:Put" + name, Buckets, AclGrant.None, put);
            if (delete is not null)
                table[('b', "DELETE", sub)] = new("Delete" + name, sub == "policy" ? "s3:DeleteBucketPolicy" : "s3:Put" + name, Buckets, AclGrant.None, delete);
        }
    }
}
