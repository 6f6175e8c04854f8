namespace Dure.Functions.Lists;

/// <summary>What a list of invocations is narrowed to; null and empty members narrow nothing.</summary>
public sealed record InvocationFilter
{
    /// <summary>Rows at most.</summary>
    public required int Limit { get; init; }

    /// <summary>Rows passed over first.</summary>
    public int Offset { get; init; }

    /// <summary>Id of the function.</summary>
    public long? Function { get; init; }

    /// <summary>A version's number, or the first digits of its digest.</summary>
    public string? Version { get; init; }

    /// <summary>Any of these.</summary>
    public IReadOnlyList<InvocationState> States { get; init; } = [];

    /// <summary>Who asked.</summary>
    public string? Owner { get; init; }

    /// <summary>Any of these.</summary>
    public IReadOnlyList<InvocationSource> Triggers { get; init; } = [];

    /// <summary>Asked at or after.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Asked before.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Found in the reason or the error, or how the id begins.</summary>
    public string? Text { get; init; }

    /// <summary>Only ids below this one: the cursor.</summary>
    public long? Below { get; init; }

    /// <summary>Only ids up to this one: what is read does not move while newer ones come.</summary>
    public long? UpTo { get; init; }

    /// <summary>Only ids above this one: what is new.</summary>
    public long? Above { get; init; }
}
