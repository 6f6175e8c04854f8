using Dure.Host;

namespace Dure.Storage.Signing;

/// <summary>Failures of handling access keys.</summary>
public static class KeyErrors
{
    public static readonly ErrorKind NoSuchKey = new("DURE0650", "There is no such access key", 404, ExitCodes.NotFound,
        "`dure storage key list` shows the ids.");
}
