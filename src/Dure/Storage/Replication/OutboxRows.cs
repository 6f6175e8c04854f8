namespace Dure.Storage.Replication;

/// <summary>A row of the outbox.</summary>
/// <param name="Tries">That failed.</param>
/// <param name="WaitsUntil">A manifest waits for the bytes that it names: not before this; null when it may go.</param>
public sealed record PendingReplica(long Id, OutboxKind Kind, string Name, long Bytes, string? Body, int Tries, DateTimeOffset? WaitsUntil)
{
    /// <summary>One for all rows that ask for the same thing: they are one piece of work.</summary>
    public string Subject => (Kind == OutboxKind.Blob ? "b:" : "m:") + Name;
}

/// <summary>What a provider has not confirmed.</summary>
/// <param name="Bytes">Of distinct things, as they will be sent.</param>
public sealed record Backlog(long Objects, long Bytes, DateTimeOffset? Oldest, string? LastError)
{
    public static readonly Backlog None = new(0, 0, null, null);

    /// <summary>Two outboxes' together.</summary>
    public Backlog And(Backlog other) => new(Objects + other.Objects, Bytes + other.Bytes,
        Oldest is { } mine && other.Oldest is { } its ? (mine < its ? mine : its) : Oldest ?? other.Oldest, LastError ?? other.LastError);
}

/// <summary>Bytes that could not be copied because they are gone or damaged here. Kept until a repair acknowledges it.</summary>
/// <param name="Name">Digest.</param>
public sealed record LostReplica(string Provider, string Name, long Bytes, string Reason, DateTimeOffset FoundAt);
