using Dure.Host;

namespace Dure.Storage.S3;

/// <summary>Expected failures of the embedded store, as Dure's own API and the server's start tell them.</summary>
public static class StoreErrors
{
    public static readonly ErrorKind NoSuchBucket = new("DURE0690", "The store has no such bucket", 404, ExitCodes.NotFound,
        "Look at the name; `dure bucket list` lists what is there.");

    public static readonly ErrorKind BucketExists = new("DURE0691", "A bucket of this name is there already", 409, ExitCodes.Conflict,
        "Choose another name: all users share one set of names.");

    public static readonly ErrorKind BucketNotEmpty = new("DURE0692", "The bucket is not empty", 409, ExitCodes.Conflict,
        "Remove its objects, old versions too, or delete the bucket with --force.");

    public static readonly ErrorKind BadBucket = new("DURE0693", "The bucket cannot be made or changed so", 400, ExitCodes.Usage,
        "Correct what the faults name and send it again. Nothing was changed.");

    public static readonly ErrorKind BadCertificate = new("DURE0694", "The certificate of the S3 endpoint cannot be used", 500, ExitCodes.Usage,
        "Check store.certificate and store.certificate_key: PEM files that belong together and that the server may read.");

    public static readonly ErrorKind NotPossible = new("DURE0695", "The store could not do it", 500, ExitCodes.Failed,
        "Look at the disk (`dure status`) and at the server's log, and try again.");
}
