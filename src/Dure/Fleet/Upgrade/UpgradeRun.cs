using Dure.Fleet.Apply;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>What became of an upgrade.</summary>
/// <param name="Problem">What stopped it beside the problems of single machines; null when nothing did.</param>
/// <param name="Checks">How many checks the fleet has, and passed at the end; 0 when they were not asked.</param>
internal sealed record UpgradeReport(IReadOnlyList<MachineUpgrade> Machines, Problem? Problem, int Checks)
{
    public IEnumerable<Problem> Problems => Machines.Select(machine => machine.Problem).Append(Problem).OfType<Problem>();

    public bool Ok => !Problems.Any();
}

/// <summary>
/// One machine after another in the order of <see cref="UpgradeOrder"/>. Before each and after each, every check of the whole fleet must pass; the first that fails takes its machine back
/// and stops what has not begun.
/// </summary>
internal sealed class UpgradeRun(FleetMembers fleet, IReadOnlyList<MachineSession> chosen, UpgradeWork work, WebDoor door, Action<string> say)
{
    private readonly FleetGate _gate = new(fleet);

    public async Task<UpgradeReport> RunAsync(CancellationToken cancel)
    {
        var (left, ended) = (chosen.ToList(), new List<MachineUpgrade>());
        UpgradeReport Report(Problem? problem, int checks) => new([.. ended, .. left.Select(NotBegun)], problem, checks);
        say("the whole fleet's checks");
        var answer = await _gate.AskAsync(cancel);
        if (!answer.Healthy)
            return Report(Unhealthy(answer), 0);
        string? zone = null;
        while (left.Count > 0)
        {
            var next = UpgradeOrder.Next([.. left.Select(machine => Waiting(machine, answer.Leads))], zone);
            var machine = left.Single(one => one.Machine.Name == next.Machine);
            zone = next.Zone;
            left.Remove(machine);
            var one = await OneAsync(machine, cancel);
            if (one.End == UpgradeEnd.Upgraded)
            {
                say($"the whole fleet's checks after {next.Machine}");
                answer = await _gate.AskAsync(cancel);
                if (!answer.Healthy)
                    one = await ReturnAsync(one, answer.Failing, cancel);
            }

            ended.Add(one);
            if (one.End != UpgradeEnd.Upgraded)
                return Report(null, 0);
        }

        return Report(null, answer.Checks);
    }

    public static Waiting Waiting(MachineSession machine, IReadOnlyDictionary<string, int> leads) =>
        new(machine.Machine.Name, machine.Machine.Zone, machine.Machine.Order, leads.GetValueOrDefault(machine.Machine.Name));

    public static MachineUpgrade NotBegun(MachineSession machine) => new(machine, UpgradeEnd.NotBegun, [], null, TimeSpan.Zero);

    public static Problem Unhealthy(GateAnswer answer) => UpgradeErrors.NotHealthy.With(
        answer.Failing.Count == 1 ? "One check does not pass." : $"{answer.Failing.Count} checks do not pass.", [.. answer.Failing.Select(failing => new Fault("health", failing))]);

    /// <summary>Out of the balancers' traffic, upgraded, asked directly, and back in.</summary>
    private async Task<MachineUpgrade> OneAsync(MachineSession machine, CancellationToken cancel)
    {
        if (!door.Serves(machine, besides: [machine]))
            return await work.DoAsync(machine, cancel);
        if (await door.DrainAsync([machine], cancel) is { } shut)
            return new(machine, UpgradeEnd.Failed, [], await door.OpenAsync(cancel) ?? shut, TimeSpan.Zero);
        var one = await work.DoAsync(machine, cancel);
        if (one.End == UpgradeEnd.Upgraded && await door.DirectAsync([machine], WebDoor.Patience, cancel) is { } silent)
            one = await ReturnAsync(one, [silent.Detail], cancel);
        var closed = await door.OpenAsync(cancel);
        return closed is null || one.Problem is not null ? one : one with { End = UpgradeEnd.Failed, Problem = closed };
    }

    private Task<MachineUpgrade> ReturnAsync(MachineUpgrade one, IReadOnlyList<string> failing, CancellationToken cancel) => ReturnAsync(work, one, failing, say, cancel);

    /// <summary>Takes a machine back whose own checks passed, because of what something else said.</summary>
    public static async Task<MachineUpgrade> ReturnAsync(UpgradeWork work, MachineUpgrade one, IReadOnlyList<string> failing, Action<string> say, CancellationToken cancel)
    {
        say($"{one.Name}: returns, because {failing[0]}");
        var because = $"{one.Name} was well after its upgrade, but then: {string.Join("; ", failing)}.";
        return await work.BackAsync(one.Machine, cancel) is { } stuck
            ? one with { End = UpgradeEnd.Failed, Problem = UpgradeErrors.NotReturned.With($"{because} {stuck.Detail}") }
            : one with { End = UpgradeEnd.Returned, Problem = UpgradeErrors.Returned.With($"{because} {one.Name} runs the old version again.") };
    }
}
