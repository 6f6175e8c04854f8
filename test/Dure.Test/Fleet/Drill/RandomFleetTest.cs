using System.Diagnostics;
using System.Globalization;
using Dure.Fleet;
using Dure.Fleet.Check;
using Dure.Fleet.Drill;
using Dure.Fleet.Drill.Clients;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Lab;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Test.Fleet.Lab;
using Xunit;

namespace Dure.Test.Fleet.Drill;

/// <summary>
/// What <c>dure check</c> says of the loss of machines, against real machines: fleets at random, each installed, each machine and one pair switched off, and every service
/// asked whether it still works. Takes some five minutes a fleet, so it runs when <c>DURE_FLEETS</c> says how many; <c>DURE_SEED</c> repeats them.
/// </summary>
public sealed class RandomFleetTest
{
    private static readonly TimeSpan WholeLimit = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(60);

    // Longer than any service goes on without a majority, so that nothing is called alive that only has not noticed yet.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(12);

    private static readonly int Fleets = int.TryParse(Environment.GetEnvironmentVariable("DURE_FLEETS"), NumberStyles.None, CultureInfo.InvariantCulture, out var fleets) ? fleets : 0;

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("DURE_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : Random.Shared.Next(1_000_000);

    private static readonly CheckFacts Facts = new(TimeProvider.System.GetUtcNow());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_stops_when_machines_are_switched_off_is_what_check_says()
    {
        if (Fleets == 0)
            Assert.Skip("DURE_FLEETS=10 runs it, for most of an hour.");
        if (await TwoMachines.WhyNotAsync(LabPlaces.Default) is { } why)
            Assert.Skip(why);
        var wrong = new List<string>();
        for (var i = 0; i < Fleets; i++)
            wrong.AddRange(await TryAsync(Seed + i));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>A fleet that <c>check</c> lets through: three to five machines, every tier with one to three of them. Dure itself, of which there is one, is the drills'.</summary>
    private static Layout Draw(Random random, string name)
    {
        while (true)
        {
            var count = random.Next(3, 6);
            var roles = Enumerable.Range(0, count).Select(static _ => new List<string> { "firewall" }).ToList();
            void Give(string role, int to)
            {
                foreach (var machine in Enumerable.Range(0, count).OrderBy(_ => random.Next()).Take(to))
                    roles[machine].Add(role);
            }

            Give("balancer", random.Next(1, 3));
            Give("web", random.Next(1, 3));
            Give("redis", random.Next(0, 4));
            var galera = random.Next(0, 4);
            Give("galera", galera);
            // Nobody may write there from elsewhere but whom Slurm's accounting makes, which is nothing without the rest of Slurm.
            foreach (var slurm in new[] { "slurm-db", "slurm-controller", "slurm-node" })
                Give(slurm, Math.Min(galera, 1));
            if (random.Next(4) > 0)
            {
                Give("etcd", random.Next(2) == 0 ? 1 : 3);
                Give("postgres", random.Next(1, 4));
            }

            var layout = new Layout(name, "Drawn.", [.. roles.Select((given, index) => new Placement(string.Create(CultureInfo.InvariantCulture, $"n{index + 1}"), ((char)('a' + index)).ToString(), "Drawn.", given))], []);
            var read = FleetFile.Read(LabFleet.Text(layout, name, 0, ""), "dure.yaml", "/");
            if (read.Ok && CheckReport.Of(read.Value, RoleKinds.All, Facts).Findings.All(finding => finding.Severity != Severity.Error))
                return layout;
        }
    }

    private static async Task<List<string>> TryAsync(int seed)
    {
        var random = new Random(seed);
        var layout = Draw(random, "drawn");
        Tell(seed, string.Join("; ", layout.Placements.Select(machine => $"{machine.Machine} {string.Join(' ', machine.Roles.Skip(1))}")));
        await using var lab = await DrilledLab.OpenAsync(layout, Cancel);
        return await LoseAsync(seed, random, lab.Ground, lab.Lab);
    }

    private static async Task<List<string>> LoseAsync(int seed, Random random, DrillGround ground, RunningLab lab)
    {
        var fleet = ground.Fleet;
        var report = CheckReport.Of(fleet, RoleKinds.All, Facts).Losses;
        var tiers = report.Services.ToDictionary(service => service.Service, service => service.Tier, StringComparer.Ordinal);
        var pair = fleet.Machines.OrderBy(_ => random.Next()).Take(2).ToList();
        var wrong = new List<string>();
        foreach (var lost in fleet.Machines.Select(machine => (IReadOnlyList<Machine>)[machine]).Append(pair))
        {
            var names = lost.Select(machine => machine.Name).ToList();
            // A pair is listed when it stops what neither machine stops alone.
            var said = report.Machines.Concat(report.Pairs).Where(line => line.Lost.All(names.Contains)).SelectMany(line => line.Stops).Select(stop => tiers[stop.Service]).ToHashSet(StringComparer.Ordinal);
            var (alive, dead) = await SwitchOffAsync(ground, lab, lost);
            Tell(seed, $"without {string.Join(" and ", names)}: check says that {Listed(said)} stops; stopped: {Listed(dead)}; went on: {Listed(alive)}");
            wrong.AddRange(dead.Where(tier => !said.Contains(ServiceOf(tier))).Select(tier => $"seed {seed}: without {string.Join(" and ", names)} {tier} stopped, and check says that it goes on"));
            wrong.AddRange(alive.Where(tier => said.Contains(ServiceOf(tier))).Select(tier => $"seed {seed}: without {string.Join(" and ", names)} {tier} went on, and check says that it stops"));
            var missing = await ground.WholeAsync(WholeLimit, Cancel);
            Assert.True(missing.Count == 0, $"seed {seed}: not whole again after {string.Join(" and ", names)} came back: {string.Join("; ", missing)}");
        }

        return wrong;
    }

    /// <summary>Takes power from machines, asks every service whether it works without them, and gives it back.</summary>
    private static async Task<(IReadOnlyList<string> Alive, IReadOnlyList<string> Dead)> SwitchOffAsync(DrillGround ground, RunningLab lab, IReadOnlyList<Machine> lost)
    {
        await using var clients = DrilledLab.Value(await ClientSet.OpenAsync(ground, lost[0], TwoMachines.NewName()[5..], Cancel));
        try
        {
            foreach (var machine in lost)
                DrilledLab.Value(await lab.PowerCutAsync(machine.Name, Cancel));
            await Task.Delay(Settled, Cancel);
            var began = Stopwatch.GetTimestamp();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var running = Task.WhenAll(clients.All.Select(client => client.RunAsync(began, end.Token)));
            bool Serves(DrillClient client) => client.Seen.Count(request => request.Ok) >= 3;
            while (Stopwatch.GetElapsedTime(began) < RecoveryLimit && !clients.All.All(Serves))
                await Task.Delay(200, Cancel);
            await end.CancelAsync();
            await running;
            return ([.. clients.All.Where(Serves).Select(client => client.Tier)], [.. clients.All.Where(client => !Serves(client)).Select(client => client.Tier)]);
        }
        finally
        {
            foreach (var machine in lost)
                DrilledLab.Value(await lab.BootAsync(machine.Name, CancellationToken.None));
            await ground.WholeAsync(WholeLimit, CancellationToken.None);
            await clients.CleanAsync(CancellationToken.None);
        }
    }

    private static string ServiceOf(string tier) => DrillTiers.All.First(known => known.Name == tier).Shares ?? tier;

    private static string Listed(IEnumerable<string> tiers) => string.Join(", ", tiers.Order(StringComparer.Ordinal)) is { Length: > 0 } some ? some : "nothing";

    private static void Tell(int seed, string what) => TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {what}"));
}
