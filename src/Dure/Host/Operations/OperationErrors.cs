namespace Dure.Host.Operations;

/// <summary>Failures of looking after a server: backups, restores.</summary>
public static class OperationErrors
{
    public static readonly ErrorKind NotEmpty = new("DURE0500", "The folder to restore into is not empty", 409, ExitCodes.Conflict,
        "Name an empty or new folder with --data; nothing is ever restored over what is there.");

    public static readonly ErrorKind BadBackup = new("DURE0501", "The backup is damaged or is none", 422, ExitCodes.Failed,
        "Use another one; `dure backup list` shows them. Nothing was restored.");

    public static readonly ErrorKind BackupFailed = new("DURE0502", "The backup could not be made", 507, ExitCodes.Failed,
        "Look at the detail: most often the disk is full or the folder cannot be written to. Older backups are untouched.");

    public static readonly ErrorKind NewerBackup = new("DURE0503", "The backup cannot be restored by this version", 409, ExitCodes.Conflict,
        "Install the version that the detail names, or a later one. A dump of PostgreSQL is restored with pg_restore.");

    public static readonly ErrorKind SourceLost = new("DURE0508", "The source of a version is gone", 500, ExitCodes.Failed,
        "Deploy the function again.");

    public static readonly ErrorKind BuiltOtherwise = new("DURE0509", "A version could not be built again as it was", 500, ExitCodes.Failed,
        "This machine's interpreters or this version of Dure differ from those of then. Deploy the function again.");
}
