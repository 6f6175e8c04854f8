using System.Globalization;
using Dure.Fleet.Drill.Ground;
using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Held jobs that are submitted on a machine of Slurm's; another machine is asked when one does not answer.</summary>
internal sealed class SlurmJobs(IReadOnlyList<SshTarget> targets, string run, TimeProvider time) : DrillClient("slurmctld", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), time)
{
    private static readonly TimeSpan ListLimit = TimeSpan.FromSeconds(60);

    private readonly IReadOnlyList<MachineShell> _shells = [.. targets.Select(target => new MachineShell(target))];
    private int _at;

    public override string What => "sbatch --hold";

    public override async Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel)
    {
        var prefix = Name("");
        var listed = await AskAsync("timeout 50 squeue --noheader --states=all --format=%j", ListLimit, cancel);
        return !listed.Ok ? listed.Problem
            : listed.Value.ExitCode != 0 ? DrillErrors.NoClient.With($"slurmctld cannot be read back: {listed.Value.Text}")
            : new Outcome<IReadOnlySet<long>?>(listed.Value.Lines.Where(line => line.StartsWith(prefix, StringComparison.Ordinal)).Select(line => long.Parse(line.AsSpan(prefix.Length), CultureInfo.InvariantCulture)).ToHashSet());
    }

    public override Task CleanAsync(CancellationToken cancel) => AskAsync(
        $"timeout 50 squeue --noheader --format='%i %j' | awk '$2 ~ /^{Name("")}[0-9]+$/ {{ print $1 }}' | xargs -r -n 100 timeout 30 scancel", ListLimit, cancel);

    protected override async ValueTask EndAsync()
    {
        foreach (var shell in _shells)
            await shell.DisposeAsync();
    }

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        var name = Name(id.ToString(CultureInfo.InvariantCulture));
        var said = await _shells[_at].RunAsync($"cd /tmp && timeout 25 sbatch --hold --job-name={name} --output=/dev/null --wrap=true 2>&1", TimeSpan.FromSeconds(27), cancel);
        if (said.Ok && said.Value.ExitCode == 0)
            return null;
        // What sbatch asked of both controllers would be the same elsewhere; only a machine that is away sends the next one to another.
        if (!said.Ok)
            _at = (_at + 1) % _shells.Count;
        return said.Ok ? said.Value.Text : said.Problem.Detail;
    }

    private string Name(string id) => $"drill-{run}-{id}";

    private async Task<Outcome<Said>> AskAsync(string script, TimeSpan limit, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var said = await _shells[_at].RunAsync(script, limit, cancel);
            if ((said.Ok && said.Value.ExitCode == 0) || attempt == _shells.Count * 2)
                return said;
            _at = (_at + 1) % _shells.Count;
        }
    }
}
