namespace Dure.Fleet.Check.Estimates;

/// <summary>Whether something is so.</summary>
internal enum Answer
{
    Yes,
    No,

    /// <summary>Nothing was seen that would tell.</summary>
    Unknown,
}

/// <summary>One line of the readiness list.</summary>
/// <param name="Id">Stable.</param>
/// <param name="Title">What should be so before people rely on the fleet.</param>
/// <param name="Evidence">What the answer rests on, or how to find out.</param>
internal sealed record ReadinessItem(string Id, string Title, Answer State, string Evidence);

/// <summary>From what was seen to an answer, and from an answer to what is shown.</summary>
internal static class Answers
{
    public static Answer YesIf(bool so) => so ? Answer.Yes : Answer.No;

    /// <summary>Three letters wide.</summary>
    public static string Mark(Answer answer) => answer switch { Answer.Yes => "yes", Answer.No => "NO ", _ => "?  " };
}
