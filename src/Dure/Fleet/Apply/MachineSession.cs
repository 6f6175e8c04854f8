using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Fleet.Plan;
using Dure.Fleet.Roles;
using Dure.Host.Ssh;
using Dure.Host;
using Dure.Host.Texts;

namespace Dure.Fleet.Apply;

/// <summary>One machine during a plan or an apply: its session, what it should be, what it said it is, and what would change.</summary>
internal sealed class MachineSession : IAsyncDisposable
{
    private const string Masked = "(a secret is not shown)";

    private readonly SshSession _session;

    private MachineSession(Machine machine, SshTarget target, SshSession session, Lowered desired, Observation seen, MachinePlan plan, Func<string, string> hide)
    {
        (Machine, Target, _session, Desired, Seen, Plan, Hide) = (machine, target, session, desired, seen, plan, hide);
    }

    public Machine Machine { get; }

    public SshTarget Target { get; }

    public Lowered Desired { get; }

    public Observation Seen { get; }

    /// <summary>Takes secrets out of what the machine says.</summary>
    public Func<string, string> Hide { get; }

    public MachinePlan Plan { get; private set; }

    /// <summary>What the machine said and packed into one word (base64), without secrets.</summary>
    public string Unpack(string packed) => Hide(Encoding.UTF8.GetString(Convert.FromBase64String(packed)).Trim());

    /// <summary>Observes in one round trip, and plans. The session is this one's from here on.</summary>
    /// <param name="hide">Takes secrets out of what the machine says.</param>
    public static async Task<Outcome<MachineSession>> OpenAsync(FleetModel fleet, Machine machine, DesiredMachine desired, Func<string, string> hide, SshTarget target, SshSession session, bool withHealth, CancellationToken cancel)
    {
        var lowered = Lowered.Of(desired);
        var lines = new List<string>();
        var roles = RoleKinds.On(fleet, machine);
        var ran = await session.RunAsync(ObservationScript.Of(lowered, roles, withHealth), lines.Add, cancel);
        if (ran.Ok && Observation.Read(lines) is { } seen)
            return new MachineSession(machine, target, session, lowered, seen, Planner.Plan(lowered, seen), hide);
        await session.DisposeAsync();
        return ran.Ok ? FleetErrors.ObservationUnread.With($"{machine.Name}: {string.Join("; ", lines.TakeLast(3))}") : ran.Problem;
    }

    /// <summary>Keeps the changes of some roles only. What other roles made stays recorded as it was.</summary>
    public void Only(IReadOnlySet<string> roles)
    {
        List<Change> kept = [.. Plan.Changes.Where(change => roles.Contains(change.Role) || change.Act is Act.ReadUnits)];
        if (kept.TrueForAll(change => change.Act is Act.ReadUnits))
            kept.Clear();
        var manifest = new Manifest([.. Plan.Manifest.All.Where(made => roles.Contains(made.Role)), .. Seen.Manifest.All.Where(made => !roles.Contains(made.Role))]);
        Plan = Plan with { Changes = kept, Manifest = manifest };
    }

    /// <summary>Keeps the changes that are asked for, to be shown; such a plan is not for applying.</summary>
    public void Keep(Func<Change, bool> wanted) => Plan = Plan with { Changes = [.. Plan.Changes.Where(wanted)] };

    /// <summary>Differences of the files that would change, by change; fetched from the machine in one round trip.</summary>
    public async Task<Outcome<IReadOnlyDictionary<Change, string>>> DiffsAsync(CancellationToken cancel)
    {
        var script = new StringBuilder();
        var (asked, texts) = (Plan.Changes.Where(change => PathOf(change.Act) is { } path && Seen.Paths.GetValueOrDefault(path) is { IsFile: true }).ToList(), new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var change in asked.Where(change => !IsSecret(change.Act)))
            script.Append("printf 'old\\t%s\\t%s\\n' ").Append(Shell.Word(PathOf(change.Act)!)).Append(" \"$(head -c 262144 -- ").Append(Shell.Word(PathOf(change.Act)!)).Append(" | base64 -w0)\"\n");
        if (script.Length > 0)
        {
            var ran = await _session.RunAsync(script.ToString(), line => Take(line, texts), cancel);
            if (!ran.Ok)
                return ran.Problem;
        }

        var diffs = new Dictionary<Change, string>(ReferenceEqualityComparer.Instance);
        foreach (var change in Plan.Changes)
        {
            if (PathOf(change.Act) is { } path)
                diffs[change] = IsSecret(change.Act) ? Masked + "\n" : LineDiff.Unified(path, path, texts.GetValueOrDefault(path, ""), change.Act is Act.WriteFile write ? write.Text : "");
        }

        return new Outcome<IReadOnlyDictionary<Change, string>>(diffs);
    }

    /// <summary>Runs a script in the session.</summary>
    public Task<Outcome<int>> RunAsync(string script, Action<string> told, CancellationToken cancel) => _session.RunAsync(script, told, cancel);

    public ValueTask DisposeAsync() => _session.DisposeAsync();

    /// <summary>A file that a role which is gone wrote may have held a secret; it is not known any more, so it is not shown.</summary>
    private static bool IsSecret(Act act) => act is Act.WriteFile { File.Secret: true } or Act.RestoreFile or Act.RemoveFile { File.Secret: true };

    private static string? PathOf(Act act) => act switch
    {
        Act.WriteFile write => write.File.Path,
        Act.RestoreFile restore => restore.Path,
        Act.RemoveFile remove => remove.File.Path,
        _ => null,
    };

    private static void Take(string line, Dictionary<string, string> texts)
    {
        if (line.Split('\t') is ["old", var path, var packed])
            texts[path] = Encoding.UTF8.GetString(Convert.FromBase64String(packed));
    }
}
