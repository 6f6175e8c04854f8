using System.Globalization;
using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Lab;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Fleet.Roles;
using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Drill.Ground;

/// <summary>The fleet that is drilled: what its machines say of themselves, asked over SSH.</summary>
/// <param name="lab">The lab that holds the machines; null on real ones.</param>
internal sealed class DrillGround(FleetModel fleet, Func<string, string> secret, RunningLab? lab, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(25);

    private readonly Dictionary<string, MachineShell> _shells = fleet.Machines.ToDictionary(machine => machine.Name, machine => new MachineShell(MachineTarget.Of(fleet, machine, null)), StringComparer.Ordinal);

    private readonly Dictionary<string, IReadOnlyList<HealthCheck>> _health =
        fleet.Machines.ToDictionary(machine => machine.Name, machine => (IReadOnlyList<HealthCheck>)FleetState.Of(fleet, machine, secret).Health, StringComparer.Ordinal);

    public FleetModel Fleet => fleet;

    public RunningLab? Lab => lab;

    public TimeProvider Time => time;

    public string Secret(string name) => secret(name);

    public Task<Outcome<Said>> RunAsync(Machine machine, string script, TimeSpan limit, CancellationToken cancel) => _shells[machine.Name].RunAsync(script, limit, cancel);

    /// <summary>The machines of each tier that say they lead. One is right; none or several are not.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<Machine>>> LeadersAsync(CancellationToken cancel)
    {
        var tiers = DrillTiers.Of(fleet).Where(tier => tier.Leads).ToList();
        var answers = await Task.WhenAll(fleet.Machines.Select(machine => LedByAsync(machine, [.. tiers.Where(tier => machine.Has(tier.Role))], cancel)));
        return tiers.ToDictionary(
            tier => tier.Name,
            tier => (IReadOnlyList<Machine>)[.. fleet.Machines.Zip(answers).Where(asked => asked.Second.Contains(tier.Name)).Select(asked => asked.First)],
            StringComparer.Ordinal);
    }

    /// <summary>Waits until the fleet is whole: every health check passes, and every cluster has all its members.</summary>
    /// <returns>What is still missing after the limit; empty when the fleet is whole.</returns>
    public async Task<IReadOnlyList<string>> WholeAsync(TimeSpan limit, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        IReadOnlyList<string>? pending = null;
        while (true)
        {
            // Checks cost the machines work that their clients notice: only what failed is asked again, and in the end all of it once more.
            var missing = await MissingAsync(pending, cancel);
            if (missing.Count == 0 && pending is null)
                return missing;
            if (time.GetElapsedTime(began) > limit)
                return missing.Count > 0 ? missing : await MissingAsync(null, cancel);
            if (missing.Count > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(700), time, cancel);
            pending = missing.Count > 0 ? missing : null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var shell in _shells.Values)
            await shell.DisposeAsync();
    }

    private async Task<HashSet<string>> LedByAsync(Machine machine, IReadOnlyList<DrillTier> tiers, CancellationToken cancel)
    {
        var script = new StringBuilder();
        foreach (var tier in tiers)
            script.Append(CultureInfo.InvariantCulture, $"( {Shell.Script(tier.LeadsCommand(fleet, machine, secret), 20)}printf 'leads\\t{tier.Name}\\t%s\\n' $? ) 2>/dev/null | tail -n 1 &\n");
        script.Append("wait\n");
        var ran = tiers.Count == 0 ? new Said(0, []) : await RunAsync(machine, script.ToString(), AskLimit, cancel);
        return ran.Ok ? [.. ran.Value.Lines.Select(line => line.Split('\t')).Where(line => line is ["leads", _, "0"]).Select(line => line[1])] : [];
    }

    /// <param name="only">What to ask again; null for everything.</param>
    private async Task<IReadOnlyList<string>> MissingAsync(IReadOnlyList<string>? only, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(fleet.Machines.Select(machine => MissingAsync(machine, only, cancel)));
        return [.. answers.SelectMany(missing => missing)];
    }

    private async Task<IReadOnlyList<string>> MissingAsync(Machine machine, IReadOnlyList<string>? only, CancellationToken cancel)
    {
        var silent = $"{machine.Name} does not answer";
        List<(string Name, string Command)> checks = [.. _health[machine.Name].Select(check => (check.Name, check.Command)), .. Complete(machine)];
        checks = [.. checks.Select(check => ($"{machine.Name}: {check.Name}", check.Command)).Where(check => only is null || only.Contains(check.Item1, StringComparer.Ordinal) || only.Contains(silent, StringComparer.Ordinal))];
        if (checks.Count == 0)
            return [];
        var script = new StringBuilder();
        for (var i = 0; i < checks.Count; i++)
            script.Append(CultureInfo.InvariantCulture, $"( o=$({Shell.Script(checks[i].Command, 15)}); printf 'health\\t{i}\\t%s\\n' $? ) 2>/dev/null | tail -n 1 &\n");
        script.Append("wait\n");
        var ran = await RunAsync(machine, script.ToString(), AskLimit, cancel);
        if (!ran.Ok)
            return [silent];
        var passed = ran.Value.Lines.Select(line => line.Split('\t')).Where(line => line is ["health", _, "0"]).Select(line => int.Parse(line[1], CultureInfo.InvariantCulture)).ToHashSet();
        return [.. checks.Select(check => check.Name).Where((_, index) => !passed.Contains(index))];
    }

    // Health checks say that a member works. That no member is missing is said by the one that leads.
    private IEnumerable<(string Name, string Command)> Complete(Machine machine)
    {
        string Count(int count) => count.ToString(CultureInfo.InvariantCulture);
        if (machine.Has("galera"))
        {
            var members = fleet.With("galera").Count;
            yield return ($"Galera has {Count(members)} members", $"[ \"$(mariadb -NBe \"SHOW STATUS LIKE 'wsrep_cluster_size'\" | cut -f 2)\" = {Count(members)} ]");
        }

        if (machine.Has("postgres") && fleet.With("postgres").Count - 1 is > 0 and var replicas)
        {
            yield return ($"PostgreSQL has {Count(replicas)} synchronous replicas or follows", RoleScope.Invariant(
                $"n=$(runuser -u postgres -- psql -XAtqc \"SELECT CASE WHEN pg_is_in_recovery() THEN '-' ELSE (SELECT count(*)::text FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) END\"); [ \"$n\" = - ] || [ \"$n\" = {Synchronous(replicas)} ]"));
        }

        if (machine.Has("redis") && fleet.With("redis").Count - 1 is > 0 and var followers)
        {
            yield return ($"Redis has {Count(followers)} replicas or follows", RoleScope.Invariant(
                $"i=$(REDISCLI_AUTH=$(cat /etc/redis/dure-password) redis-cli -h {fleet.AddressOf(machine)} INFO replication | tr -d '\\r'); case $i in *role:slave*) ;; *) [ \"$(printf '%s\\n' \"$i\" | grep -c 'state=online')\" = {followers} ];; esac"));
        }
    }

    private int Synchronous(int replicas) => fleet.Get(Roles.Postgres.PostgresRole.SynchronousReplicas) is > 0 and var asked ? Math.Min(asked, replicas) : replicas;
}
