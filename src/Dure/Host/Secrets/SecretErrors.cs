namespace Dure.Host.Secrets;

/// <summary>Failures of handling secrets.</summary>
public static class SecretErrors
{
    public static readonly ErrorKind NoSuchSecret = new("DURE0060", "There is no such secret", 404, ExitCodes.NotFound,
        "`dure secrets list` shows the names; `dure secrets set NAME` makes one.");

    public static readonly ErrorKind Unreadable = new("DURE0061", "A stored secret cannot be opened", 500, ExitCodes.Failed,
        "Its key is missing from keys/secrets.key in the data folder, or its row was changed. Restore the key from a backup, or set the secret again.");

    public static readonly ErrorKind BadKeyFile = new("DURE0062", "The file of the secrets' keys is damaged", 500, ExitCodes.Failed,
        "Restore keys/secrets.key in the data folder from a backup. Without it the stored secrets are lost: move the file away, start again and set them anew.");
}
