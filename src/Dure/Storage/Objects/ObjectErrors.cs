using Dure.Host;
using Dure.Storage.S3;
using Dure.Storage.Store;

namespace Dure.Storage.Objects;

/// <summary>Expected failures of the API of objects.</summary>
public static class ObjectErrors
{
    public static readonly ErrorKind NoSuchObject = new("DURE0696", "The bucket has no such object, version or upload", 404, ExitCodes.NotFound,
        "Look at the key and the version; `dure ls s3://BUCKET/` lists what is there.");

    public static readonly ErrorKind NotAllowed = new("DURE0697", "The bucket or object is not yours to use so", 403, ExitCodes.Denied,
        "Ask the bucket's owner for a policy or an access list that allows it, or somebody with admin rights to do it.");

    public static readonly ErrorKind Changed = new("DURE0698", "The object is not as the request expects it", 412, ExitCodes.Conflict,
        "Look at what is there now and decide again. Nothing was changed.");

    public static readonly ErrorKind NotDone = new("DURE0699", "The store did not do it", 400, ExitCodes.Failed,
        "The detail says why. Nothing of it was kept; correct it or make room, and send it again.");

    /// <summary>An error of S3 in Dure's own words; the status stays.</summary>
    internal static Problem Of(S3Error error, string what) => error.Status switch
    {
        404 when error.Code == S3Errors.NoSuchBucket.Code => StoreErrors.NoSuchBucket.With($"{what}: there is no such bucket."),
        404 => NoSuchObject.With($"{what}: {error.Message}"),
        403 when error.Code == S3Errors.AccessDenied.Code => NotAllowed.With($"{what}."),
        412 => Changed.With($"{what} is there already, or was changed meanwhile."),
        var status => (NotDone with { Status = status }).With($"{what}: {error.Message}"),
    };

    /// <summary>A fault of the store in Dure's own words.</summary>
    internal static Problem Of(StoreFault fault, string what) => Of(S3Errors.Of(fault), what);
}
