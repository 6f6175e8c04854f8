using Dure.Host;

namespace Dure.Storage;

/// <summary>Expected failures of a blob store.</summary>
public static class BlobErrors
{
    public static readonly ErrorKind TooLarge = new(
        "DURE0040",
        "The content is larger than the limit",
        413,
        ExitCodes.Limit,
        "Send less, or raise the limit that the detail names in dure.yaml and restart the server.");

    public static readonly ErrorKind NoRoom = new(
        "DURE0041",
        "The disk that holds the blobs is full",
        507,
        ExitCodes.Limit,
        "Free space on that disk (`dure status` shows it) or shorten retention. Nothing was kept of what did not fit, and what was stored before is unharmed.");
}
