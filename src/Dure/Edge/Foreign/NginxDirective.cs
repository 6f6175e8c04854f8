namespace Dure.Edge.Foreign;

/// <summary>One directive of somebody's nginx configuration, with where it stands.</summary>
/// <param name="Words">What follows its name, as nginx reads it: without quotes.</param>
/// <param name="Start">Offset of its first character.</param>
/// <param name="End">Offset after its semicolon or closing brace.</param>
/// <param name="Block">What is between its braces; null when it has none.</param>
internal sealed record NginxDirective(string Name, IReadOnlyList<string> Words, string File, int Line, int LastLine, int Start, int End, IReadOnlyList<NginxDirective>? Block)
{
    /// <summary>Where it is, for people.</summary>
    public string At => FormattableString.Invariant($"{File}:{Line}");
}

/// <summary>Why a file was not read to its end.</summary>
internal sealed record NginxFault(string File, int Line, string What)
{
    public override string ToString() => FormattableString.Invariant($"{File}:{Line}: {What}");
}
