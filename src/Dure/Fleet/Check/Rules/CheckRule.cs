using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>One thing that <c>dure check</c> looks for.</summary>
/// <param name="Id">Stable: scripts and pages name it.</param>
/// <param name="Severity">As a rule; a finding may matter less, never more.</param>
/// <param name="Text">What is wrong when it is found, as a sentence without names.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record CheckRule(string Id, Severity Severity, string Text, string Remedy)
{
    public Finding At(Place where, string what) => new(Id, Severity, where, what, Remedy);
}
