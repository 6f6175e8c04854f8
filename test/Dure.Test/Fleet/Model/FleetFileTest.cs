using System.Globalization;
using System.Net;
using System.Text;
using Dure.Fleet;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Firewall;
using Xunit;

namespace Dure.Test.Fleet.Model;

public sealed class FleetFileTest
{
    private const string EveryKey = """
        fleet:
          name: lab
          domain: lab.example.org
          mail: ops@example.org
          secrets: keys
          ssh:
            user: admin
            config: ssh/config
        networks:
          public:
            range: 192.0.2.0/24
            vip: 192.0.2.100
          internal:
            range: 10.77.5.0/24
        machines:
          n1:
            address: root@192.0.2.11
            port: 2222
            os: debian-13
            zone: cellar
            hardware: {cores: 8, memory: 16GiB, disk: 1TiB, gpus: 2}
            networks: {public: 192.0.2.11, internal: 10.77.5.11}
            labels: [fast, "old rack"]
            disks:
              /srv/data: {device: LABEL=data, type: ext4, options: "noatime"}
              /srv/more: {device: /dev/vdb}
            roles: [firewall, balancer]
          n2:
            address: 10.77.5.12
            roles: redis
        roles:
          firewall:
            ssh: anywhere
            open: [tcp/8443, udp/51820]
        objectives:
          redis: {machine: 5s, process: 1500ms, lost: 3}
        functions:
          payload_limit: 2GiB
        """;

    [Fact]
    public void Every_key_is_read()
    {
        var fleet = Good(EveryKey);
        Assert.Equal(("lab", "lab.example.org", "ops@example.org", "/srv/fleet/keys"), (fleet.Name, fleet.Domain, fleet.Mail, fleet.SecretsFolder));
        Assert.Equal(new SshAccess("admin", "/srv/fleet/ssh/config"), fleet.Ssh);
        Assert.Equal(["public 192.0.2.0/24 192.0.2.100", "internal 10.77.5.0/24 "], fleet.Networks.Select(network => $"{network.Name} {network.Range} {network.Vip}"));
        var n1 = fleet.Machines[0];
        Assert.Equal(("n1", "root@192.0.2.11", 2222, "debian-13", "cellar"), (n1.Name, n1.Target, n1.SshPort, n1.Os, n1.Zone));
        Assert.Equal(new Hardware(8, 16L << 30, 1L << 40, 2), n1.Hardware);
        Assert.Equal((IPAddress.Parse("192.0.2.11"), IPAddress.Parse("10.77.5.11"), IPAddress.Parse("10.77.5.11")), (n1.On("public"), n1.On("internal"), fleet.AddressOf(n1)));
        Assert.Equal(["fast", "old rack"], n1.Labels);
        Assert.Equal(["/srv/data LABEL=data ext4 noatime", "/srv/more /dev/vdb auto defaults"], n1.Disks.Select(disk => $"{disk.Path} {disk.Device} {disk.FileSystem} {disk.Options}"));
        Assert.Equal(["firewall dure.yaml:27:13", "balancer dure.yaml:27:23"], n1.Roles.Select(role => $"{role.Role} {role.Place}"));
        Assert.Equal(["redis"], fleet.Machines[1].Roles.Select(role => role.Role));
        Assert.Equal("anywhere", fleet.Get(FirewallSettings.Ssh));
        Assert.Equal(["tcp/8443", "udp/51820"], fleet.Get(FirewallSettings.Open));
        var objective = Assert.Single(fleet.Objectives);
        Assert.Equal(("redis", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1.5), 3L), (objective.Tier, objective.Recovery, objective.ProcessRecovery!.Value, objective.LostMax));
        Assert.Equal("functions:\n  payload_limit: 2GiB\n", fleet.ServerSettings);
    }

    [Fact]
    public void What_the_file_does_not_say_has_its_default()
    {
        var fleet = Good("machines:\n  a: {address: 10.0.0.1}\n");
        Assert.Equal(("fleet", "", "", "/srv/fleet/secrets", ""), (fleet.Name, fleet.Domain, fleet.Mail, fleet.SecretsFolder, fleet.Ssh.ConfigFile));
        Assert.Equal("internal", Assert.Single(fleet.Networks).Name);
        var machine = Assert.Single(fleet.Machines);
        Assert.Equal(("debian-12", "", 0, new Hardware(0, 0, 0, 0)), (machine.Os, machine.Zone, machine.SshPort, machine.Hardware));
        Assert.Equal((IPAddress.Parse("10.0.0.1"), 0), (fleet.AddressOf(machine), machine.Roles.Count));
        Assert.Equal("management", fleet.Get(FirewallSettings.Ssh));
        Assert.Null(fleet.Front);
    }

    [Fact]
    public void An_address_goes_to_the_network_that_holds_it()
    {
        var fleet = Good("networks:\n  public: {range: 192.0.2.0/24}\n  internal: {range: 10.0.0.0/8}\nmachines:\n  a: {address: admin@10.0.0.1}\n");
        Assert.Equal("internal", Assert.Single(fleet.Machines[0].Addresses).Network);
    }

    [Fact]
    public void Every_setting_of_every_role_takes_its_own_default_back()
    {
        var text = new StringBuilder("machines:\n  a: {address: 10.0.0.1}\nroles:\n");
        foreach (var role in RoleKinds.Named.Where(role => role.Settings.Count > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {role.Name}:\n");
            foreach (var setting in role.Settings)
                text.Append(CultureInfo.InvariantCulture, $"    {setting.Name}: \"{setting.Default}\"\n");
        }

        var fleet = Good(text.ToString());
        Assert.Equal(RoleKinds.Settings.Keys.Order(StringComparer.Ordinal), fleet.Settings.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Sections_of_the_server_pass_through_wherever_they_stand()
    {
        var fleet = Good("port: 7075\nmachines:\n  a: {address: 10.0.0.1}\n# of the server\nfunctions:\n  payload_limit: 2GiB\nroles:\n  firewall: {ssh: anywhere}\nlease:\n  duration: 6s\n");
        Assert.Equal("port: 7075\nfunctions:\n  payload_limit: 2GiB\nlease:\n  duration: 6s\n", fleet.ServerSettings);
    }

    [Fact]
    public async Task The_example_file_of_the_server_passes_through_whole()
    {
        var example = (await File.ReadAllTextAsync(Path.Combine(Processes.Repository.Root, "dure.example.yaml"), TestContext.Current.CancellationToken))
            .Split('\n').Select(line => line.StartsWith("  #", StringComparison.Ordinal) && line.Contains(": ", StringComparison.Ordinal) && !line.StartsWith("  # ", StringComparison.Ordinal) ? "  " + line[3..] : line);
        var text = "machines:\n  a: {address: 10.0.0.1}\n" + string.Join('\n', example);
        var fleet = Good(text);
        Assert.Contains("  payload_limit: 1GiB\n", fleet.ServerSettings, StringComparison.Ordinal);
        Assert.DoesNotContain("machines:", fleet.ServerSettings, StringComparison.Ordinal);

        // The same with one wrong value says the line of the whole file.
        var wrong = text.Replace("  payload_limit: 1GiB", "  payload_limit: much", StringComparison.Ordinal);
        var line = Array.FindIndex(wrong.Split('\n'), each => each.Contains("payload_limit", StringComparison.Ordinal)) + 1;
        Assert.StartsWith($"dure.yaml:{line}:", Assert.Single(FleetFile.Read(wrong, "dure.yaml", "/srv/fleet").Problem!.Faults).Where, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        var read = await FleetFile.LoadAsync("/nowhere/dure.yaml", TestContext.Current.CancellationToken);
        Assert.Equal(FleetErrors.FileMissing, read.Problem?.Kind);
        Assert.Contains("/nowhere/dure.yaml", read.Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_thousand_machines_are_read_in_less_than_500_ms()
    {
        var text = new StringBuilder("networks:\n  internal: {range: 10.77.0.0/16}\nmachines:\n");
        for (var i = 0; i < 1000; i++)
            text.Append(CultureInfo.InvariantCulture, $"  n{i}:\n    address: root@10.77.{i / 250}.{(i % 250) + 1}\n    zone: z{i % 3}\n    hardware: {{cores: 8, memory: 16GiB, disk: 100GiB}}\n    labels: [a, b]\n    roles: [firewall, web, munge, slurm-node]\n");
        var (best, count) = (TimeSpan.MaxValue, 0);
        for (var i = 0; i < 6; i++)
        {
            var begun = Used();
            count = Good(text.ToString()).Machines.Count;
            best = Used() - begun is var took && took < best ? took : best;
        }

        TestContext.Current.SendDiagnosticMessage($"1,000 machines read in {best.TotalMilliseconds:F0} ms");
        Assert.Equal(1000, count);
        Assert.True(best < TimeSpan.FromMilliseconds(500), $"{best.TotalMilliseconds:F0} ms");
    }

    [Fact]
    public void A_vip_is_at_the_front()
    {
        var fleet = Good(EveryKey);
        Assert.Equal("public", fleet.Front?.Name);
        Assert.NotNull(RoleKinds.Find(BalancerRole.Name));
    }

    // What this thread had of the processor: others on this machine do not count.
    private static TimeSpan Used() => TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000);

    private static FleetModel Good(string text)
    {
        var read = FleetFile.Read(text, "dure.yaml", "/srv/fleet");
        Assert.True(read.Ok, string.Join('\n', read.Problem?.Faults.Select(fault => $"{fault.Where} {fault.What}") ?? []));
        return read.Value;
    }
}
