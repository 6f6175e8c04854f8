using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>Expected failures of keeping copies at providers; the detail names the provider.</summary>
public static class ReplicationErrors
{
    public static readonly ErrorKind Mismatch = new("DURE0640", "The provider's copy is not what was sent", 502, ExitCodes.Failed,
        "It is sent again by itself. If it stays so, something between here and the provider changes what passes; `dure storage test NAME` tries each step.");

    public static readonly ErrorKind SourceLost = new("DURE0641", "What should be copied is gone from this machine", 500, ExitCodes.Failed,
        "`dure storage repair` fetches it from another provider where one has it, and says so where none has.");

    public static readonly ErrorKind SourceDamaged = new("DURE0642", "What should be copied is damaged on this machine", 500, ExitCodes.Failed,
        "`dure storage repair` fetches it from a provider that has a good copy. Look at the health of this machine's disk.");

    public static readonly ErrorKind Busy = new("DURE0645", "Copies are being compared already", 409, ExitCodes.Conflict,
        "Wait until the other verify, repair or restore has ended.");

    public static readonly ErrorKind Unreadable = new("DURE0647", "A manifest at the provider cannot be read", 502, ExitCodes.Failed,
        "It was made by a newer version of Dure, or it is damaged; `dure storage verify --full` tells which.");

    public static readonly ErrorKind Failed = new("DURE0648", "A copy failed for a reason that is not known", 502, ExitCodes.Failed,
        "It is tried again by itself; the server's log says more.");
}
