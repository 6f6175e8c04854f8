using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Redis;
using Dure.Fleet.Roles.Web;
using Dure.Fleet.Roles;
using Dure.Host;

namespace Dure.Fleet.Drill.Clients;

/// <summary>A client of every tier that the fleet has, each on its own way, none over the machine that the fault hits.</summary>
internal sealed class ClientSet : IAsyncDisposable
{
    private readonly List<Tunnel> _tunnels = [];
    private readonly List<DrillClient> _clients = [];

    public IReadOnlyList<DrillClient> All => _clients;

    /// <summary>Tiers that the fleet has and that no client can reach, with the reason.</summary>
    public Dictionary<string, string> Absent { get; } = new(StringComparer.Ordinal);

    /// <summary>Opens the ways and makes what the clients need.</summary>
    /// <param name="avoid">The machine that the fault will hit; null for none.</param>
    /// <param name="run">A word that tells this drill's writes from others'.</param>
    public static async Task<Outcome<ClientSet>> OpenAsync(DrillGround ground, Machine? avoid, string run, CancellationToken cancel)
    {
        var set = new ClientSet();
        if (await set.FillAsync(ground, avoid, run, cancel) is not { } failed)
            return set;
        await set.DisposeAsync();
        return failed;
    }

    /// <summary>Removes what the clients wrote.</summary>
    public Task CleanAsync(CancellationToken cancel) => Task.WhenAll(_clients.Select(client => client.CleanAsync(cancel)));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_clients.Select(client => client.DisposeAsync().AsTask()));
        await Task.WhenAll(_tunnels.Select(tunnel => tunnel.DisposeAsync().AsTask()));
    }

    private async Task<Problem?> FillAsync(DrillGround ground, Machine? avoid, string run, CancellationToken cancel)
    {
        var (fleet, time) = (ground.Fleet, ground.Time);
        AddThroughFront(ground, run);
        var remotes = Remotes(fleet).ToList();
        if (remotes.Count > 0)
        {
            // Two ways: while machines reboot one after another, one of them stands. Those without data come first.
            var through = fleet.Machines.OrderBy(machine => machine == avoid).ThenBy(machine => machine.Has("postgres") || machine.Has("galera")).Take(2);
            var opened = await Task.WhenAll(through.Select(machine => Tunnel.OpenAsync(MachineTarget.Of(fleet, machine, null), remotes, time, cancel)));
            _tunnels.AddRange(opened.Where(tunnel => tunnel.Ok).Select(tunnel => tunnel.Value));
            if (opened.FirstOrDefault(tunnel => !tunnel.Ok) is { Problem: { } closed })
                return closed;
        }

        AddData(ground, run);
        AddSlurm(ground, avoid, run);
        foreach (var failed in await Task.WhenAll(_clients.Select(client => client.PrepareAsync(cancel))))
        {
            if (failed is not null)
                return failed;
        }

        return null;
    }

    private void AddThroughFront(DrillGround ground, string run)
    {
        var fleet = ground.Fleet;
        foreach (var tier in DrillTiers.Of(fleet).Where(tier => tier.Name is "vip" or "web" || tier.Role == ServerRole.Name))
        {
            if (Front(fleet) is not { } front)
            {
                Absent[tier.Name] = "nothing leads there through a virtual address";
                continue;
            }

            HttpRequests Asks(string path) => new(tier.Name, new Uri(front, path), ground.Time);
            _clients.Add(tier.Name switch
            {
                "vip" => Asks(BalancerRole.HealthPath),
                "web" => Asks(WebRole.HealthPath),
                "functions" => new FunctionCalls(ground, tier.Members(fleet)[0], front, run),
                "websocket" => new WebSocketEchoes(front, ground.Time),
                _ => Asks("/api/health"),
            });
        }
    }

    // Null when no balancer has a virtual address.
    private static Uri? Front(FleetModel fleet) => fleet.Front?.Vip is { } vip && fleet.With(BalancerRole.Name).Count > 0
        ? new Uri($"{(fleet.Get(BalancerSettings.Tls) ? "https" : "http")}://{Quoting.Host(vip)}")
        : null;

    private static IEnumerable<Remote> Remotes(FleetModel fleet)
    {
        foreach (var machine in fleet.With("postgres"))
            yield return new(fleet.AddressOf(machine).ToString(), BalancerPorts.Postgres);
        if (fleet.With("galera").Count > 0 && fleet.Front?.Vip is { } vip)
            yield return new(vip.ToString(), BalancerPorts.Galera);
        foreach (var machine in fleet.With("redis"))
        {
            yield return new(fleet.AddressOf(machine).ToString(), 6379);
            yield return new(fleet.AddressOf(machine).ToString(), 26379);
        }
    }

    private void AddData(DrillGround ground, string run)
    {
        var (fleet, time) = (ground.Fleet, ground.Time);
        IReadOnlyList<int> Ways(string address, int port) => [.. _tunnels.Select(tunnel => tunnel.PortOf(new(address, port)))];
        if (fleet.With("postgres") is { Count: > 0 } postgres)
            _clients.Add(new PostgresWrites(postgres.SelectMany(machine => Ways(fleet.AddressOf(machine).ToString(), BalancerPorts.Postgres)), ground.Secret("postgres_dure"), run, time));
        if (fleet.With("redis") is { Count: > 0 } redis)
        {
            // By turns over both ways, so that one dead way costs one try.
            IReadOnlyList<int> sentinels = [.. redis.SelectMany(machine => Ways(fleet.AddressOf(machine).ToString(), 26379))];
            _clients.Add(new RedisWrites(sentinels, address => Ways(address, 6379), ground.Secret("redis_password"), RedisRole.MinReplicasOf(fleet), run, time));
        }

        if (fleet.With("galera").Count == 0)
            return;
        if (DrillTiers.GaleraUser(fleet, ground.Secret) is { } user && fleet.Front?.Vip is { } vip)
            _clients.Add(new MariaWrites(Ways(vip.ToString(), BalancerPorts.Galera), user.Name, user.Password, user.Database, run, time));
        else
            Absent["galera"] = "no role makes a user that may write there from elsewhere";
    }

    private void AddSlurm(DrillGround ground, Machine? avoid, string run)
    {
        var fleet = ground.Fleet;
        if (fleet.With("slurm-controller").Count == 0)
            return;
        var machines = fleet.Machines.Where(machine => machine.Has("slurm-node") || machine.Has("slurm-controller")).OrderBy(machine => machine == avoid);
        _clients.Add(new SlurmJobs([.. machines.Select(machine => MachineTarget.Of(fleet, machine, null))], run, ground.Time));
    }
}
