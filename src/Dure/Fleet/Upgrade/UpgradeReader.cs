using System.Globalization;
using Dure.Fleet.Apply;
using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>How an upgrade ended on one machine.</summary>
internal enum UpgradeEnd
{
    /// <summary>It runs the new versions.</summary>
    Upgraded,

    /// <summary>It failed, and the machine runs the old versions again.</summary>
    Returned,

    /// <summary>It failed, and what the machine runs is not what it ran before; or nothing was begun because of a fault of this machine's.</summary>
    Failed,

    /// <summary>Something failed first; nothing was done here.</summary>
    NotBegun,
}

/// <summary>What became of one machine.</summary>
/// <param name="Problem">Why it failed; null otherwise.</param>
internal sealed record MachineUpgrade(MachineSession Machine, UpgradeEnd End, IReadOnlyList<HealthOutcome> Health, Problem? Problem, TimeSpan Took)
{
    public string Name => Machine.Machine.Name;
}

/// <summary>Reads what a machine tells while its packages are upgraded.</summary>
internal sealed class UpgradeReader(MachineSession machine, Action<string> say)
{
    private readonly List<string> _said = [];
    private readonly List<HealthOutcome> _health = [];
    private bool _returning;
    private bool _begun;

    /// <summary>Null as long as the machine did not say it.</summary>
    public UpgradeEnd? End { get; private set; }

    public Problem? Problem { get; private set; }

    /// <summary>The last time that all was looked at.</summary>
    public IReadOnlyList<HealthOutcome> Health => _health;

    public void Take(string line)
    {
        var name = machine.Machine.Name;
        switch (line.Split('\t'))
        {
            case ["begin", var part]:
                _begun |= part == "install";
                say($"{name}: {part switch { "keep" => "keeps the packages that are installed", "install" => "installs", _ => "waits until all is healthy" }}");
                break;
            case ["restart", var unit]:
                say($"{name}: restarts {unit}");
                break;
            case ["failed", var what, var packed]:
                _said.Add($"{what} failed: {machine.Unpack(packed)}");
                break;
            case ["healthy", var number, var took]:
                Add(number, took, healthy: true, "");
                break;
            case ["unhealthy", var number, var took, var packed]:
                Add(number, took, healthy: false, machine.Unpack(packed));
                break;
            case ["returning"]:
                _returning = true;
                _health.Clear();
                say($"{name}: returns to the old packages");
                break;
            default:
                TakeEnd(name, line.Split('\t'));
                break;
        }
    }

    private void TakeEnd(string name, string[] fields)
    {
        switch (fields)
        {
            case ["upgraded"]:
                End = UpgradeEnd.Upgraded;
                break;
            case ["returned", ""]:
                (End, Problem) = (UpgradeEnd.Returned, UpgradeErrors.Returned.With($"{name}: {Why}. It runs the old versions again, and its checks pass."));
                break;
            case ["returned", var left]:
                (End, Problem) = (UpgradeEnd.Failed, UpgradeErrors.NotReturned.With($"{name}: {Why}. Its checks pass, but these stayed new: {left}."));
                break;
            case ["unreturned", var left, var packed]:
                (End, Problem) = (UpgradeEnd.Failed, UpgradeErrors.NotReturned.With($"{name}: {Why}. After the return {(left.Length > 0 ? $"{left} stayed new, and " : "")}not all is well: {machine.Unpack(packed)}"));
                break;
            case ["nowayback", var packages]:
                (End, Problem) = (UpgradeEnd.Failed, UpgradeErrors.NoWayBack.With($"{name}: nobody has {packages} any more. Nothing was changed there."));
                break;
            case ["busy", var who]:
                (End, Problem) = (UpgradeEnd.Failed, FleetErrors.Busy.With($"{name}: {who}"));
                break;
            case ["stale", var who]:
                (End, Problem) = (UpgradeEnd.Failed, FleetErrors.Busy.With($"{name}: an apply was there since the fleet was asked ({who}); nothing was done, run it again."));
                break;
        }
    }

    /// <summary>What to say when the session ended before the machine said how the upgrade did.</summary>
    public Problem Lost(Problem? session) => SshErrors.SessionLost.With(
        $"{machine.Machine.Name}: {session?.Detail ?? "the upgrade was ended there"}. "
        + (_begun ? "The machine goes on by itself: it ends with the new versions and all its checks passing, or with the old ones." : "It did not say that it had begun; if it did, it goes on by itself."));

    private string Why => _said.Count > 0 ? string.Join("; ", _said) : "it was asked to return";

    private void Add(string number, string took, bool healthy, string text)
    {
        var check = machine.Desired.Health[int.Parse(number, CultureInfo.InvariantCulture)];
        _health.Add(new(check.Role, check.Name, healthy, TimeSpan.FromMilliseconds(int.Parse(took, CultureInfo.InvariantCulture)), text));
        if (!healthy)
            _said.Add($"{check.Name} {(_returning ? "is not so after the return" : "did not become true")}: {(text.Length > 0 ? text : "no answer")}");
    }
}
