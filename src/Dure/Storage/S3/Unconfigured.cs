namespace Dure.Storage.S3;

/// <summary>Configurations that this store does not have: what S3 itself answers where nothing is configured, so that tools which look go on.</summary>
/// <param name="Name">Of the operations, after Get, Put and Delete.</param>
/// <param name="Root">Of an empty answer; null when the answer is an error.</param>
/// <param name="MayDelete">Deleting what is not there is no error.</param>
internal sealed record Unconfigured(string Name, string? Root, S3Error? Absent, string Inner = "", bool MayDelete = false)
{
    public static readonly IReadOnlyDictionary<string, Unconfigured> All = new Dictionary<string, Unconfigured>(StringComparer.Ordinal)
    {
        ["encryption"] = Error("EncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found", true),
        ["lifecycle"] = Error("LifecycleConfiguration", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", true),
        ["website"] = Error("BucketWebsite", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", true),
        ["replication"] = Error("ReplicationConfiguration", "ReplicationConfigurationNotFoundError", "The replication configuration was not found", true),
        ["object-lock"] = Error("BucketObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", false),
        ["ownershipControls"] = Error("BucketOwnershipControls", "OwnershipControlsNotFoundError", "The bucket ownership controls were not found", true),
        ["publicAccessBlock"] = Error("BucketPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", true),
        ["logging"] = new("BucketLogging", "BucketLoggingStatus", null),
        ["notification"] = new("BucketNotification", "NotificationConfiguration", null),
        ["requestPayment"] = new("BucketRequestPayment", "RequestPaymentConfiguration", null, "<Payer>BucketOwner</Payer>"),
        ["accelerate"] = new("AccelerateConfiguration", "AccelerateConfiguration", null),
    };

    public static Task<S3Error?> DeleteAsync(S3Call call) => Task.FromResult(call.Answer(204));

    public async Task<S3Error?> GetAsync(S3Call call)
    {
        if (Root is null)
            return Absent! with { Details = new Dictionary<string, string>(StringComparer.Ordinal) { ["BucketName"] = call.BucketName } };
        using var xml = new XmlText();
        xml.Root(Root).Raw(Inner).Close(Root);
        return await call.AnswerAsync(xml);
    }

    private static Unconfigured Error(string name, string code, string message, bool mayDelete) => new(name, null, new S3Error(code, 404, message), "", mayDelete);
}
