using Dure.Fleet.Apply;
using Dure.Fleet.Commands;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>What an upgrade does on one machine, and how it is taken back.</summary>
internal abstract class UpgradeWork(string id, string who, TimeProvider time, Action<string> say)
{
    protected string Id => id;

    protected string Who => who;

    protected TimeProvider Time => time;

    protected void Say(string line) => say(line);

    public abstract Task<MachineUpgrade> DoAsync(MachineSession machine, CancellationToken cancel);

    /// <summary>Takes an upgrade back that went well on its machine.</summary>
    /// <returns>Null when the machine is as before.</returns>
    public abstract Task<Problem?> BackAsync(MachineSession machine, CancellationToken cancel);

    /// <summary>What it changes there, for people and for the record.</summary>
    public abstract IReadOnlyList<ChangeView> Changes(MachineSession machine);
}

/// <summary>Packages of the distribution.</summary>
/// <param name="changes">By machine.</param>
internal sealed class PackageUpgrade(IReadOnlyDictionary<string, IReadOnlyList<PackageChange>> changes, bool withoutWayBack, string id, string who, TimeProvider time, Action<string> say)
    : UpgradeWork(id, who, time, say)
{
    public override async Task<MachineUpgrade> DoAsync(MachineSession machine, CancellationToken cancel)
    {
        var began = Time.GetTimestamp();
        var reader = await TellAsync(machine, UpgradeScript.Of(machine, changes[machine.Machine.Name], Id, Who, withoutWayBack), cancel);
        return new(machine, reader.End, reader.Health, reader.Problem, Time.GetElapsedTime(began));
    }

    public override async Task<Problem?> BackAsync(MachineSession machine, CancellationToken cancel)
    {
        var told = await TellAsync(machine, UpgradeScript.Back(Id, Who), cancel);
        return told.End == UpgradeEnd.Returned ? null : told.Problem;
    }

    public override IReadOnlyList<ChangeView> Changes(MachineSession machine) =>
    [
        .. changes.GetValueOrDefault(machine.Machine.Name, []).Select(change =>
            new ChangeView(change.Old is null ? "+" : "~", "UpgradePackage", RoleOf(machine, change.Name), $"package {change.Name}", change.Old is null ? $"{change.New} comes along" : $"{change.Old} → {change.New}", Drift: false, Guarded: false, Diff: null)),
    ];

    private static string RoleOf(MachineSession machine, string package) => machine.Desired.Packages.FirstOrDefault(known => known.Name == package)?.Role ?? "base";

    private async Task<(UpgradeEnd End, IReadOnlyList<HealthOutcome> Health, Problem? Problem)> TellAsync(MachineSession machine, string script, CancellationToken cancel)
    {
        var reader = new UpgradeReader(machine, Say);
        var ran = await machine.RunAsync(script, reader.Take, cancel);
        return reader.End is { } end ? (end, reader.Health, reader.Problem) : (UpgradeEnd.Failed, reader.Health, reader.Lost(ran.Problem));
    }
}

/// <summary>Dure itself: its tree and what depends on it, with the means of an apply.</summary>
internal sealed class DureUpgrade(string id, string who, TimeProvider time, Action<string> say) : UpgradeWork(id, who, time, say)
{
    public override async Task<MachineUpgrade> DoAsync(MachineSession machine, CancellationToken cancel)
    {
        var run = new ApplyRun([machine], Id, Who, Time, progress => Say($"{progress.Machine}: {progress.What}"));
        var outcome = (await run.RunAsync(cancel))[0];
        // An apply takes back what its own role's checks refuse; what other roles say of it is seen by the gate that follows.
        var end = outcome.Problem is null ? UpgradeEnd.Upgraded
            : outcome.Problem.Kind == FleetErrors.ApplyFailed && !outcome.Problem.Detail.Contains("Not all was put back", StringComparison.Ordinal) ? UpgradeEnd.Returned
            : UpgradeEnd.Failed;
        var problem = end == UpgradeEnd.Returned ? UpgradeErrors.Returned.With($"{outcome.Problem!.Detail}. {outcome.Machine} runs the old Dure again.") : outcome.Problem;
        return new(machine, end, outcome.Health, problem, outcome.Took);
    }

    public override async Task<Problem?> BackAsync(MachineSession machine, CancellationToken cancel)
    {
        // What an apply replaced stays in its folder, and the functions of its script put it back. They clear the folder when the lock is held, so they get another one until it is theirs.
        var script = $"S={MachineTarget.StateFolder}; ID={Id}; U=$S/applies/$ID-back; WHO={Shell.Word(Who)}\nflock -w 60 $S/lock true\n{ApplyLibrary.Text}rm -rf -- \"$U\"; U=$S/applies/$ID\nundo >\"$U/undo.log\" 2>&1; ! grep -q 'not undone' \"$U/undo.log\" || {{ printf 'left\\n'; exit 1; }}\n";
        var ran = await machine.RunAsync(script, static _ => { }, cancel);
        return !ran.Ok ? ran.Problem : ran.Value == 0 ? null : UpgradeErrors.NotReturned.With($"{machine.Machine.Name}: the old Dure could not be put back; see {MachineTarget.StateFolder}/applies/{Id}/undo.log there.");
    }

    public override IReadOnlyList<ChangeView> Changes(MachineSession machine) =>
        [.. machine.Plan.Changes.Select(change => new ChangeView(PlanText.Sign(change), change.Act.GetType().Name, change.Role, change.What, change.Why.Length > 0 ? change.Why : null, change.Drift, change.Guarded, Diff: null))];
}
