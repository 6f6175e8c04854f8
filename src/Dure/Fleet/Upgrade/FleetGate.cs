using System.Globalization;
using System.Text;
using Dure.Fleet.Apply;
using Dure.Fleet.Observe;
using Dure.Fleet.Roles;
using Dure.Host;

namespace Dure.Fleet.Upgrade;

/// <summary>What the whole fleet said at one moment.</summary>
/// <param name="Failing">Checks that did not pass in their time, in words; a machine that could not be asked is one.</param>
/// <param name="Leads">By machine: how many roles it leads.</param>
/// <param name="Checks">How many there are.</param>
internal sealed record GateAnswer(IReadOnlyList<string> Failing, IReadOnlyDictionary<string, int> Leads, int Checks)
{
    public bool Healthy => Failing.Count == 0;
}

/// <summary>The health checks of every machine of the fleet: nothing is upgraded before all of them pass, nor counts as upgraded before they do again.</summary>
internal sealed class FleetGate(FleetMembers fleet)
{
    /// <param name="atMost">Shortens every check's own limit: for those who cannot wait that long.</param>
    public async Task<GateAnswer> AskAsync(CancellationToken cancel, TimeSpan? atMost = null)
    {
        var asked = await Task.WhenAll(fleet.Machines.Select(machine => OneAsync(machine, atMost, cancel)));
        return new([.. asked.SelectMany(one => one.Failing)], asked.ToDictionary(one => one.Machine, one => one.Leads, StringComparer.Ordinal), fleet.Machines.Sum(machine => machine.Desired.Health.Count));
    }

    private async Task<(string Machine, IReadOnlyList<string> Failing, int Leads)> OneAsync(MachineSession machine, TimeSpan? atMost, CancellationToken cancel)
    {
        var (name, checks, failing, passed, leads) = (machine.Machine.Name, machine.Desired.Health, new List<string>(), 0, 0);
        var script = new StringBuilder("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH\n").Append(HealthLoop.Of(checks, atMost));
        foreach (var role in RoleKinds.On(fleet.Model, machine.Machine).Where(role => role.Leads.Length > 0))
            script.Append(ObservationScript.Leads(role)).Append('\n');
        var ran = await machine.RunAsync(script.ToString(), line =>
        {
            switch (line.Split('\t'))
            {
                case ["healthy", _, _]:
                    passed++;
                    break;
                case ["unhealthy", var number, _, var packed]:
                    var text = machine.Unpack(packed);
                    failing.Add($"{name}: {checks[int.Parse(number, CultureInfo.InvariantCulture)].Name} is not so: {(text.Length > 0 ? text : "no answer")}");
                    break;
                case ["leads", _, "0"]:
                    leads++;
                    break;
            }
        }, cancel);
        if (!ran.Ok)
            failing.Add($"{name} cannot be asked: {ran.Problem.Detail}");
        else if (passed + failing.Count < checks.Count)
            failing.Add($"{name}: {checks.Count - passed - failing.Count} checks gave no answer");
        return (name, failing, leads);
    }
}
