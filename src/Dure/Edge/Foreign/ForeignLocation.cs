namespace Dure.Edge.Foreign;

/// <summary>A location of somebody else's that passes requests on.</summary>
/// <param name="Path">What it serves, as it is written.</param>
/// <param name="Text">Its lines.</param>
/// <param name="Host">Where its requests go; null when that cannot be told.</param>
/// <param name="KeepsPrefix">Whether the whole path is passed on, or only what follows its own.</param>
/// <param name="BodyBytes">Of a request's body; null when it does not say.</param>
/// <param name="Refusal">Why it cannot be taken over; null when it can.</param>
public sealed record ForeignLocation(string Path, string File, int Line, int LastLine, string Text, string? Host, int? Port, bool KeepsPrefix, long? BodyBytes, string? Refusal)
{
    /// <summary>Where it is, for people.</summary>
    public string At => FormattableString.Invariant($"{File}:{Line}");
}

/// <summary>A file of somebody else's, without what is taken out of it.</summary>
/// <param name="Before">What it is now, byte for byte.</param>
/// <param name="Lines">What is taken out of it, for people.</param>
internal sealed record ForeignFile(string Name, byte[] Before, byte[] After, IReadOnlyList<string> Lines);
