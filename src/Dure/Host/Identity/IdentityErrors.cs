namespace Dure.Host.Identity;

/// <summary>Failures of handling tokens.</summary>
public static class IdentityErrors
{
    public static readonly ErrorKind NoSuchToken = new("DURE0050", "There is no such token", 404, ExitCodes.NotFound,
        "`dure token list` shows those that are valid; one that was revoked is gone already.");

    public static readonly ErrorKind OwnerStays = new("DURE0051", "The owner's token cannot be revoked over the API", 409, ExitCodes.Conflict,
        "To replace it, delete keys/owner.token in the data folder and restart the server: the old one is revoked and a new one is made.");
}
