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
}
