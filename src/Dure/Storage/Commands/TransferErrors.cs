using Dure.Host;

namespace Dure.Storage.Commands;

/// <summary>Expected failures of the verbs that move objects.</summary>
public static class TransferErrors
{
    public static readonly ErrorKind NoSuchBucket = new("DURE0670", "There is no such bucket", 404, ExitCodes.NotFound,
        "`dure bucket list` shows those there are; `dure bucket create NAME` makes one.");

    public static readonly ErrorKind NoSuchObject = new("DURE0671", "There is no such object", 404, ExitCodes.NotFound,
        "`dure ls s3://BUCKET -r` shows what is there. For everything below a prefix, add -r.");

    public static readonly ErrorKind Denied = new("DURE0672", "The store refuses access", 403, ExitCodes.Denied,
        "Check the token or the access key and what it may do, and whose bucket it is.");

    public static readonly ErrorKind Failed = new("DURE0673", "Not everything was done", 500, ExitCodes.Failed,
        "What failed is listed above. Give the same command again: what was done is kept, and uploads and downloads go on where they stopped.");

    public static readonly ErrorKind Differs = new("DURE0674", "The checksums differ", 500, ExitCodes.Failed,
        "Try again. If it happens again, the bytes are damaged on the way or at the store: do not delete the source.");

    public static readonly ErrorKind LocalFile = new("DURE0675", "A local file or folder cannot be used", 400, ExitCodes.Usage,
        "Check the path, its permissions and the space on its disk.");

    public static readonly ErrorKind BadAddress = new("DURE0676", "The address of an object is not understood", 400, ExitCodes.Usage,
        "Write s3://BUCKET or s3://BUCKET/KEY for what is in a store, and a path or - for what is on this machine.");

    public static readonly ErrorKind StoreUnreachable = new("DURE0677", "The store cannot be reached", 503, ExitCodes.Unavailable,
        "Check the endpoint and the network, then give the same command again: it goes on where it stopped.");

    public static readonly ErrorKind StoreRefused = new("DURE0678", "The store did not do it", 502, ExitCodes.Failed,
        "The store's own words are above.");

    public static readonly ErrorKind Changed = new("DURE0679", "The source changed while it was copied", 409, ExitCodes.Conflict,
        "Give the same command again when nobody writes to it.");

    public static readonly ErrorKind NoKeys = new("DURE0680", "There are no keys for this store", 401, ExitCodes.Denied,
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or leave --endpoint out to use Dure's own store.");

    public static readonly ErrorKind TooLarge = new("DURE0681", "It is larger than an object may be", 413, ExitCodes.Limit,
        "An object holds at most 5 TiB in at most 10,000 parts; give larger parts with --part-size, or split the file.");

    public static readonly ErrorKind NoRoom = new("DURE0683", "The store has no room for it", 507, ExitCodes.Limit,
        "Delete what is not needed (old versions count too), or raise the bucket's limit with `dure bucket set NAME --quota SIZE`.");

    public static readonly ErrorKind BadDocument = new("DURE0682", "The document is not one that a bucket takes", 400, ExitCodes.Usage,
        "See `dure bucket cors --help` and `dure bucket policy --help` for what is expected.");
}
