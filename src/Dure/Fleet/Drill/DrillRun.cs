using Dure.Fleet.Drill.Clients;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Drill.Reports;
using Dure.Fleet.Model;
using Dure.Host;

namespace Dure.Fleet.Drill;

/// <summary>
/// One drill from beginning to end: the fleet is whole, the target holds its role, every client is served; then the fault, its proof, and its end; the fleet is whole again; and
/// every acknowledged write is read back.
/// </summary>
internal sealed class DrillRun(DrillGround ground, Action<string> say)
{
    private static readonly TimeSpan WarmLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WholeLimit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Control = TimeSpan.FromSeconds(8);

    private readonly Infliction _infliction = new(ground, say);

    /// <summary>What clients see when nothing is done.</summary>
    public async Task<Outcome<DrillOutcome>> ControlAsync(string run, CancellationToken cancel) => await RunAsync(null, null, "Nothing is done", new(), run, cancel);

    /// <summary>Finds the target, proves its role, and drills. The fleet was seen to be whole a moment ago.</summary>
    /// <param name="seed">Chooses among machines that are alike.</param>
    public async Task<Outcome<DrillOutcome>> RunAsync(PlannedDrill drill, int seed, string run, CancellationToken cancel)
    {
        if (_infliction.Impossible(drill) is { } impossible)
            return impossible;
        var leaders = await ground.LeadersAsync(cancel);
        foreach (var (tier, leading) in leaders.Where(tier => tier.Value.Count != 1))
            return DrillErrors.NoLeader.With($"{tier}: {(leading.Count == 0 ? "no machine says" : string.Join(" and ", leading.Select(machine => machine.Name)) + " say")} that it leads.");
        var led = leaders.ToDictionary(tier => tier.Key, tier => tier.Value[0], StringComparer.Ordinal);
        if (drill.Fault == FaultKind.RollingReboot)
            return await RunAsync(drill, null, $"Leaders: {string.Join(", ", led.Select(tier => $"{tier.Key} {tier.Value.Name}"))}", Roles.Of(ground.Fleet, led, null, drill), run, cancel);
        var target = Target(drill, led, seed);
        return target.Ok
            ? await RunAsync(drill, target.Value, Proof(drill, target.Value, led), Roles.Of(ground.Fleet, led, target.Value, drill), run, cancel)
            : target.Problem;
    }

    /// <summary>Who leads what, and what the target was in each tier.</summary>
    internal sealed record Roles(IReadOnlyDictionary<string, Machine> Led, IReadOnlyDictionary<string, Position> Hit)
    {
        public Roles()
            : this(new Dictionary<string, Machine>(StringComparer.Ordinal), new Dictionary<string, Position>(StringComparer.Ordinal))
        {
        }

        public static Roles Of(FleetModel fleet, IReadOnlyDictionary<string, Machine> led, Machine? target, PlannedDrill drill)
        {
            var hit = new Dictionary<string, Position>(StringComparer.Ordinal);
            foreach (var tier in DrillTiers.Of(fleet))
            {
                if (target is null || (target.Has(tier.Role) && (FaultKinds.HitsMachine(drill.Fault) || tier.IsHitWith(drill.Tier))))
                    hit[tier.Name] = target is null || !tier.Leads || led.GetValueOrDefault(tier.Name) == target ? Position.Leader : Position.StandBy;
            }

            return new(led, hit);
        }
    }

    private Outcome<Machine> Target(PlannedDrill drill, Dictionary<string, Machine> led, int seed)
    {
        var members = drill.Tier.Members(ground.Fleet);
        if (drill.Tier.Leads)
        {
            var leader = led[drill.Tier.Name];
            if (drill.Position == Position.Leader)
                return leader;
            members = [.. members.Where(machine => machine != leader)];
        }
        else if (members.Count > 1)
        {
            // Where all serve alike, one that does not also hold the virtual address shows the tier itself.
            var holder = led.GetValueOrDefault("vip");
            members = [.. members.OrderBy(machine => machine == holder)];
            members = drill.Position == Position.Leader ? [members[0]] : [.. members.Skip(1)];
        }

        return members.Count > 0 ? members[Math.Abs(seed % members.Count)] : DrillErrors.NoLeader.With($"{drill.Tier.Name} has no machine for {drill.Name}.");
    }

    private string Proof(PlannedDrill drill, Machine target, Dictionary<string, Machine> led)
    {
        var members = drill.Tier.Members(ground.Fleet);
        return !drill.Tier.Leads ? $"{target.Name} is one of {members.Count} that serve {drill.Tier.Name}"
            : led[drill.Tier.Name] == target ? $"Of {string.Join(", ", members.Select(machine => machine.Name))}, {target.Name} alone says that it leads {drill.Tier.Name}"
            : $"{target.Name} has {drill.Tier.Name}, and {led[drill.Tier.Name].Name} leads it";
    }

    private async Task<Outcome<DrillOutcome>> RunAsync(PlannedDrill? drill, Machine? target, string proof, Roles roles, string run, CancellationToken cancel)
    {
        var opened = await ClientSet.OpenAsync(ground, target, run, cancel);
        if (!opened.Ok)
            return opened.Problem;
        await using var clients = opened.Value;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var began = ground.Time.GetTimestamp();
        var running = Task.WhenAll(clients.All.Select(client => client.RunAsync(began, stop.Token)));
        var course = new Course(ground, clients, began);
        try
        {
            var failure = await course.WarmAsync(WarmLimit, cancel);
            if (failure is not null)
                return failure;
            await Task.Delay(Before, ground.Time, cancel);
            course.FaultMs = course.NowMs;
            failure = drill is null ? await QuietAsync(cancel) : await StrikeAsync(course, drill, target, roles, cancel);
            if (drill is not null)
            {
                var missing = await ground.WholeAsync(WholeLimit, cancel);
                if (missing.Count > 0)
                    failure ??= DrillErrors.NotWholeAgain.With($"After {drill.Name}: {string.Join("; ", missing)}");
                else
                    course.WholeMs = course.NowMs;
            }

            await Task.Delay(After, ground.Time, cancel);
            course.EndMs = course.NowMs;
            await stop.CancelAsync();
            await running;
            return await course.OutcomeAsync(drill, target, proof, roles, failure, cancel);
        }
        finally
        {
            await stop.CancelAsync();
            await running;
            await clients.CleanAsync(CancellationToken.None);
        }
    }

    private async Task<Problem?> QuietAsync(CancellationToken cancel)
    {
        await Task.Delay(Control, ground.Time, cancel);
        return null;
    }

    private async Task<Problem?> StrikeAsync(Course course, PlannedDrill drill, Machine? target, Roles roles, CancellationToken cancel)
    {
        if (target is null)
        {
            // Who leads least goes first, so that what leads moves seldom.
            var order = ground.Fleet.Machines.OrderBy(machine => roles.Led.Values.Count(leader => leader == machine)).ToList();
            var rebooted = await _infliction.RebootAllAsync(order, cancel);
            (course.Landed, course.HealedMs) = (rebooted.Ok ? rebooted.Value : "", course.NowMs);
            return rebooted.Problem;
        }

        var healed = false;
        try
        {
            var landed = await _infliction.InflictAsync(drill, target, cancel);
            course.Landed = landed.Ok ? landed.Value : "";
            if (!landed.Ok)
                return DrillErrors.NotLanded.With($"{drill.Name}: {landed.Problem.Kind.Id}: {landed.Problem.Detail}");
            var (least, most) = FaultKinds.Lasts(drill.Fault);
            await course.ServedAsync(least, most, FaultKinds.Removes(drill.Fault) ? target : null, cancel);
            healed = true;
            course.HealedMs = course.NowMs;
            return await _infliction.HealAsync(drill, target, cancel);
        }
        finally
        {
            // Interrupted or not landed: the machine gets back what was taken from it.
            if (!healed)
                await _infliction.HealAsync(drill, target, CancellationToken.None);
        }
    }
}
