using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>Expected failures of object storage providers; the detail names the provider.</summary>
public static class ProviderErrors
{
    public static readonly ErrorKind NoSuchObject = new("DURE0600", "The provider has no such object", 404, ExitCodes.NotFound,
        "Look at the name; `dure ls` lists what is there.");

    public static readonly ErrorKind Exists = new("DURE0601", "The provider has an object of this name already", 409, ExitCodes.Conflict,
        "Choose another name, or leave the condition out to replace it.");

    public static readonly ErrorKind Unreachable = new("DURE0602", "The provider cannot be reached", 502, ExitCodes.Unavailable,
        "Look at the endpoint in dure.yaml and at the network; what waits for the provider is kept and tried again.");

    public static readonly ErrorKind Refused = new("DURE0603", "The provider refused", 502, ExitCodes.Denied,
        "Look at the credentials, the bucket and its permissions; `dure storage test NAME` tries each step.");

    public static readonly ErrorKind BadContent = new("DURE0604", "The content is not what was announced", 422, ExitCodes.Failed,
        "The bytes or their number changed on the way; nothing was put. Send it again.");

    public static readonly ErrorKind NotSupported = new("DURE0605", "The provider cannot do that", 501, ExitCodes.Failed,
        "Use another provider, or do without; `dure storage test NAME` shows what each can do.");

    public static readonly ErrorKind NoSuchProvider = new("DURE0606", "There is no such provider", 404, ExitCodes.NotFound,
        "Name one that stands under storage.providers in dure.yaml; `dure config show` lists what holds.");

    public static readonly ErrorKind BadKey = new("DURE0607", "This cannot be the name of an object", 400, ExitCodes.Usage,
        "Take 1 to 1,024 bytes of UTF-8 without control characters.");

    public static readonly ErrorKind TestFailed = new("DURE0608", "The provider did not pass its test", 502, ExitCodes.Failed,
        "Look at the steps that failed; each says what was expected and what came.");
}
