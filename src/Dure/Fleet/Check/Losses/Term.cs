using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Losses;

/// <summary>One part of what a service needs: that enough machines with a role live.</summary>
/// <param name="Majority">More than half of them must live; else one is enough.</param>
internal sealed record Term(string Role, bool Majority, IReadOnlyList<Machine> Members)
{
    /// <summary>How many of its members must live.</summary>
    public int Needed => Majority ? (Members.Count / 2) + 1 : 1;

    /// <summary>How many of its members must be lost until it fails; 0 when it fails with all of them alive.</summary>
    public int LostToFail => Math.Max(0, Members.Count - Needed + 1);

    /// <summary>What is left, in a few words, when so many of its members are lost.</summary>
    public string Left(int lost) => (Majority, Members.Count, Members.Count - lost) switch
    {
        (_, 0, _) => $"no machine has {Role}",
        (_, 1, 0) => $"{Members[0].Name} is the only {Role}",
        (false, var all, 0) => Words.Text($"none of {all} {Role} is left"),
        (true, var all, var left) => Words.Text($"{Role} keeps {left} of {all}, a majority is {Needed}"),
        (_, var all, var left) => Words.Text($"{left} of {all} {Role} left"),
    };
}

/// <summary>A term that a service needs, and through which other services.</summary>
/// <param name="Through">Names of the services between; empty when the service itself says so.</param>
internal sealed record Part(Term Term, IReadOnlyList<string> Through);

/// <summary>A service with everything it rests on: it works when every term does.</summary>
/// <param name="Unknown">Services that it needs and that nothing in this fleet gives.</param>
internal sealed record ServiceParts(Service Service, IReadOnlyList<Part> Terms, IReadOnlyList<string> Unknown)
{
    /// <summary>How many machines may be lost, whichever they are, while it goes on; -1 when it does not work at all.</summary>
    public int Survives => Unknown.Count > 0 ? -1 : Terms.Select(part => part.Term.LostToFail - 1).DefaultIfEmpty(int.MaxValue).Min();
}

/// <summary>A service that stops when certain machines are lost.</summary>
/// <param name="Part">What fails; null when it does not work with all machines either.</param>
/// <param name="Lost">How many members of the failing term are lost.</param>
internal sealed record Stop(Service Service, Part? Part, int Lost)
{
    /// <summary>Why, in a few words.</summary>
    public string Why => Part is null ? "it needs what nothing in this fleet gives" : Part.Term.Left(Lost);
}
