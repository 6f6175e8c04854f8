using Dure.Fleet.Plan;
using Dure.Host;

namespace Dure.Fleet.Apply;

/// <summary>How an apply ended on one machine.</summary>
internal enum MachineEnd
{
    /// <summary>There was nothing to do.</summary>
    Unchanged,

    Applied,

    /// <summary>A change failed; what this apply had replaced was put back.</summary>
    Failed,

    /// <summary>Another machine failed first; nothing was done here.</summary>
    NotBegun,
}

/// <summary>What a health check said after an apply.</summary>
/// <param name="Took">Until it passed, or until it was given up.</param>
internal sealed record HealthOutcome(string Role, string Name, bool Healthy, TimeSpan Took, string Text);

/// <summary>What became of one machine.</summary>
/// <param name="Done">Changes that were done before it ended.</param>
/// <param name="Problem">Why it failed; null otherwise.</param>
internal sealed record MachineOutcome(string Machine, MachineEnd End, MachinePlan Plan, int Done, IReadOnlyList<HealthOutcome> Health, Problem? Problem, TimeSpan Took)
{
    public bool Ok => End is MachineEnd.Unchanged or MachineEnd.Applied && Health.All(check => check.Healthy);
}
