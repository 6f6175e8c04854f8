using System.Globalization;
using Dure.Fleet.Observe;
using Dure.Fleet.Plan;
using Dure.Fleet.Roles;
using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Apply;

/// <summary>Told while an apply goes on.</summary>
/// <param name="Done">Changes that are done on this machine.</param>
/// <param name="What">The change that begins, or what is waited for.</param>
internal sealed record ApplyProgress(string Machine, int Done, int Of, string What);

/// <summary>
/// Carries plans out: machines at the same time, but those whose running services would be interrupted one after another, with the one that leads last. The first failure
/// stops what has not begun.
/// </summary>
internal sealed class ApplyRun(IReadOnlyList<MachineSession> machines, string id, string who, TimeProvider time, Action<ApplyProgress> told)
{
    /// <summary>Longest time for what runs on a machine to come to an end when its role goes.</summary>
    private const int LeaveSeconds = 600;

    private int _failed;

    public async Task<IReadOnlyList<MachineOutcome>> RunAsync(CancellationToken cancel)
    {
        foreach (var machine in machines)
        {
            if (await LeaveAsync(machine, cancel) is { } refused)
                return [.. machines.Select(other => other == machine ? new MachineOutcome(other.Machine.Name, MachineEnd.Failed, other.Plan, 0, [], refused, TimeSpan.Zero) : new(other.Machine.Name, MachineEnd.NotBegun, other.Plan, 0, [], null, TimeSpan.Zero))];
        }

        var inTurn = machines.Where(Interrupts).OrderBy(machine => machine.Seen.Leads.Count > 0).ThenBy(machine => machine.Machine.Order).ToList();
        var atOnce = machines.Except(inTurn).Select(machine => OneAsync(machine, cancel)).ToList();
        var ended = new List<MachineOutcome>(await Task.WhenAll(atOnce));
        foreach (var machine in inTurn)
            ended.Add(await OneAsync(machine, cancel));
        return [.. ended.OrderBy(outcome => machines.ToList().FindIndex(machine => machine.Machine.Name == outcome.Machine))];
    }

    /// <summary>Roles that are to go bring what they run to an end, while all other machines still know them.</summary>
    private async Task<Problem?> LeaveAsync(MachineSession machine, CancellationToken cancel)
    {
        foreach (var leave in machine.Plan.Changes.Select(change => change.Act).OfType<Act.LeaveRole>())
        {
            told(new(machine.Machine.Name, 0, machine.Plan.Changes.Count, $"role {leave.Role} leaves"));
            var lines = new List<string>();
            var ran = await machine.RunAsync($"exec 2>&1\n{Shell.Script(leave.Script, LeaveSeconds)}", lines.Add, cancel);
            if (!ran.Ok)
                return ran.Problem;
            if (ran.Value != 0)
                return FleetErrors.ApplyFailed.With($"{machine.Machine.Name}: the role {leave.Role} cannot leave: {machine.Hide(string.Join("; ", lines.TakeLast(5)))}");
        }

        return null;
    }

    /// <summary>A role that runs there is one that clients would notice if all its machines paused together.</summary>
    private static bool Interrupts(MachineSession machine)
    {
        var rolling = RoleKinds.All.Where(role => role.Rolling).Select(role => role.Name).ToHashSet(StringComparer.Ordinal);
        return machine.Plan.Changes.Any(change => change.Interrupts && rolling.Contains(change.Role) && machine.Seen.Manifest.All.Any(made => made.Role == change.Role));
    }

    private async Task<MachineOutcome> OneAsync(MachineSession machine, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        MachineOutcome Ended(MachineEnd end, int done, IReadOnlyList<HealthOutcome> health, Problem? problem) => new(machine.Machine.Name, end, machine.Plan, done, health, problem, time.GetElapsedTime(began));
        if (machine.Plan.IsEmpty)
            return Ended(MachineEnd.Unchanged, 0, SeenHealthOf(machine), null);
        if (Volatile.Read(ref _failed) != 0)
            return Ended(MachineEnd.NotBegun, 0, [], null);
        var sent = await SendTreesAsync(machine, cancel);
        if (sent is { } refused)
        {
            Interlocked.Exchange(ref _failed, 1);
            return Ended(MachineEnd.Failed, 0, [], refused);
        }

        var reader = new ApplyReader(machine, told);
        using var confirming = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var confirmation = Task.CompletedTask;
        var ran = await machine.RunAsync(ApplyScript.Of(machine.Plan, machine.Desired, machine.Seen, id, who), line =>
        {
            if (reader.Take(line) is { } path)
                confirmation = ConfirmAsync(machine.Target.Fresh, path, confirming.Token);
        }, cancel);
        await confirming.CancelAsync();
        await confirmation;
        var problem = reader.Problem ?? ran.Problem;
        if (problem is null && ran.Value != 0)
            problem = FleetErrors.ApplyFailed.With($"{machine.Machine.Name}: the script ended with {ran.Value.ToString(CultureInfo.InvariantCulture)}.");
        if (problem is null && !reader.Applied)
            problem = SshErrors.SessionLost.With($"{machine.Machine.Name}: the apply did not say that it ended.");
        if (problem is not null)
            Interlocked.Exchange(ref _failed, 1);
        return Ended(problem is null ? MachineEnd.Applied : MachineEnd.Failed, reader.Done, reader.Health, problem);
    }

    private static List<HealthOutcome> SeenHealthOf(MachineSession machine) =>
    [
        .. machine.Seen.Health.OrderBy(seen => seen.Key).Select(seen =>
            new HealthOutcome(machine.Desired.Health[seen.Key].Role, machine.Desired.Health[seen.Key].Name, seen.Value.ExitCode == 0, TimeSpan.Zero, machine.Hide(seen.Value.Text))),
    ];

    private static async Task<Problem?> SendTreesAsync(MachineSession machine, CancellationToken cancel)
    {
        foreach (var tree in machine.Plan.Changes.Select(change => change.Act).OfType<Act.SendTree>())
        {
            if (await TreeCopy.SendAsync(machine.Target, tree.Tree.Source, ApplyScript.Incoming(tree.Tree), cancel) is { } problem)
                return problem;
        }

        return null;
    }

    /// <summary>Shows over a connection of its own that people still get in. When none comes about, the machine undoes the change by itself.</summary>
    private static async Task ConfirmAsync(SshTarget target, string path, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var opened = SshSession.Open(target);
                if (!opened.Ok)
                    return;
                await using var session = opened.Value;
                var ran = await session.RunAsync($": >{Shell.Word(path)}", static _ => { }, cancel);
                if (ran is { Ok: true, Value: 0 })
                    return;
                await Task.Delay(500, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            // The machine has decided.
        }
    }
}

/// <summary>Reads what a machine tells while it applies.</summary>
internal sealed class ApplyReader(MachineSession machine, Action<ApplyProgress> told)
{
    private readonly List<HealthOutcome> _health = [];

    public int Done { get; private set; }

    public bool Applied { get; private set; }

    public Problem? Problem { get; private set; }

    public IReadOnlyList<HealthOutcome> Health => _health;

    /// <summary>Takes a line; the path that a fresh session must make, when the machine asks for that.</summary>
    public string? Take(string line)
    {
        var name = machine.Machine.Name;
        var changes = machine.Plan.Changes;
        switch (line.Split('\t'))
        {
            case ["begin", var number]:
                told(new(name, Done, changes.Count, changes[Number(number)].What));
                break;
            case ["done", _]:
                Done++;
                break;
            case ["confirm", var path]:
                told(new(name, Done, changes.Count, "a fresh session confirms that it still gets in"));
                return path;
            case ["healthy", var number, var took]:
                _health.Add(new(machine.Desired.Health[Number(number)].Role, machine.Desired.Health[Number(number)].Name, true, TimeSpan.FromMilliseconds(Number(took)), ""));
                break;
            case ["unhealthy", var number, var took, var text]:
                var check = machine.Desired.Health[Number(number)];
                _health.Add(new(check.Role, check.Name, false, TimeSpan.FromMilliseconds(Number(took)), machine.Unpack(text)));
                Problem ??= machine.Plan.Changes.Any(change => change.Role == check.Role)
                    ? FleetErrors.ApplyFailed.With($"{name}: {check.Name} did not become true within {check.Limit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s: {machine.Unpack(text)}")
                    : null;
                break;
            case ["failed", var number, var code, var text]:
                // A unit may have been started and have died since.
                Done = Math.Min(Done, Number(number));
                Problem = FleetErrors.ApplyFailed.With($"{name}: {changes[Number(number)].What} failed with {code}: {machine.Unpack(text)}");
                break;
            case ["cutoff"]:
                Problem = FleetErrors.CutOff.With($"{name}: no fresh session could be opened within {ApplyScript.ConfirmLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.");
                break;
            case ["busy", var who]:
                Problem = FleetErrors.Busy.With($"{name}: {who}");
                break;
            case ["stale", var who]:
                Problem = FleetErrors.Busy.With($"{name}: another apply was there since this plan was made ({who}); nothing was done, plan again.");
                break;
            case ["undone", var text] when machine.Unpack(text).Contains("not undone", StringComparison.Ordinal):
                Problem = Problem is null ? null : Problem with { Detail = $"{Problem.Detail}\nNot all was put back: {machine.Unpack(text)}" };
                break;
            case ["applied"]:
                Applied = true;
                break;
        }

        return null;
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
