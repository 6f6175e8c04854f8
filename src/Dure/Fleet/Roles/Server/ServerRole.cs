using System.Globalization;
using System.Net.Sockets;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using Dure.Host.Configuration;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Server;

/// <summary>Dure's own server, as a unit of systemd.</summary>
internal static class ServerRole
{
    public const string Name = "dure";

    /// <summary>Where it answers.</summary>
    public const int Port = 7070;

    /// <summary>Everything it keeps.</summary>
    public const string DataFolder = "/var/lib/dure";

    private const string Program = "/opt/dure";
    private const string Runtime = "/opt/dotnet";
    private const string UnitFile = "/etc/systemd/system/dure.service";
    private const string ConfigFile = "/etc/dure/dure.yaml";
    private const string Command = "/usr/local/bin/dure";

    public static readonly RoleKind Kind = new(Name, "Dure's own server: functions, jobs, the store and the portal.", Build)
    {
        Settings = [ServerSettings.Build, ServerSettings.Packages],
        Ports = static _ => [new(Port, "tcp", "Dure", Reach.Fleet)],
        Services = static fleet =>
        [
            new("API", "api", fleet.With(BalancerRole.Name).Count > 0
                ? new Condition.Both(new Condition.AnyOf(Name), new Condition.Needs(BalancerRole.Service))
                : new Condition.AnyOf(Name)),
        ],
        Demand = static _ => new(1, 1L << 30, 10L << 30),
        Data = [DataFolder],
        Check = Check,
        Rolling = true,
    };

    private static IEnumerable<Finding> Check(FleetModel fleet)
    {
        var servers = fleet.With(Name);
        foreach (var more in servers.Skip(1))
        {
            yield return new("dure-several", Severity.Error, Places.Of(more, Name), $"{more.Name} would be a second server beside {servers[0].Name}: each has a database of its own, so half of what is asked for would be missing on each.",
                "Give the role dure to one machine. Several that share their record are not built yet.");
        }

        foreach (var setting in servers.Count == 0 ? [] : new Setting[] { Settings.Listen, Settings.Port, Settings.Data }.Where(setting => Given(fleet).Contains(setting.Key)))
        {
            yield return new("dure-address", Severity.Error, new(fleet.File, 1, 1), $"`{setting.Key}` is set for the server, but the fleet decides it: balancers and firewalls would look elsewhere.", $"Leave `{setting.Key}` out.");
        }
    }

    private static void Build(RoleScope scope)
    {
        var build = DureBuild.Of(scope.Get(ServerSettings.Build));
        // Debian 13 and Ubuntu 24.04 renamed the library when time became 64 bits wide.
        var ssl = scope.Machine.Os is "debian-13" or "ubuntu-24.04" ? "libssl3t64" : "libssl3";
        scope.Package("bubblewrap", "slirp4netns", "libsqlite3-0", "python3", "libgcc-s1", "libstdc++6", ssl, "libargon2-1", "ca-certificates", "curl");
        scope.Package([.. scope.Get(ServerSettings.Packages)]);
        // Sandboxes run as other users and pass through the folder; what they may read in it is told file by file.
        scope.Folder(DataFolder, "0711").Tree(build.Folder, Program);
        foreach (var (source, path) in build.Runtime)
            scope.Tree(source, $"{Runtime}/{path}");
        scope.File(ConfigFile, ConfigText(scope), file => file with { Mode = "0600" })
            .File(UnitFile, UnitText(build.Runtime.Count > 0))
            .File(Command, $"#!/bin/sh\n# For people who sign in here.\n{(build.Runtime.Count > 0 ? $"DOTNET_ROOT={Runtime} " : "")}exec {Program}/dure \"$@\"\n", file => file with { Mode = "0755" })
            .Unit("dure.service", with: unit => unit with { RestartOn = [UnitFile, ConfigFile, Program] })
            .Healthy("Dure answers and has its worker", Invariant(
                $$"""
                health=$(curl -fsS --max-time 5 http://{{Quoting.Host(scope.Address)}}:{{Port}}/api/health) && printf '%s' "$health" | tr -d ' \n' | grep -q '"worker","status":"ok"' || { printf '%s\n' "$health"; exit 1; }
                """));
    }

    // The sections of the fleet's file come first: what they say stands.
    private static string ConfigText(RoleScope scope)
    {
        var given = scope.Fleet.ServerSettings.TrimEnd();
        var keys = Given(scope.Fleet);
        var proxies = scope.Fleet.Machines
            .Where(machine => machine.Has("balancer") || machine.Has("web") || machine.Has("edge"))
            .Select(scope.Fleet.AddressOf)
            .Select(address => address.ToString())
            .ToList();
        var lines = new List<string>();
        if (given.Length > 0)
            lines.Add(given);
        void Default(Setting setting, string value)
        {
            if (!keys.Contains(setting.Key))
                lines.Add($"{setting.Key}: {value}");
        }

        Default(Settings.Data, DataFolder);
        Default(Settings.Listen, scope.Address.ToString());
        Default(Settings.Port, Port.ToString(CultureInfo.InvariantCulture));
        // A section can be written once only; where the file has one, it says itself whom it believes.
        if (proxies.Count > 0 && !keys.Any(key => key.StartsWith(Settings.SigninProxies.Section + ".", StringComparison.Ordinal)))
            lines.Add($"{Settings.SigninProxies.Section}:\n  {Settings.SigninProxies.Name}: \"{string.Join(',', proxies)}\"");
        return string.Join('\n', lines) + "\n";
    }

    private static HashSet<string> Given(FleetModel fleet) =>
        ConfigurationFile.Read(ConfigFile, fleet.ServerSettings).Entries.Select(entry => entry.Key).ToHashSet(StringComparer.Ordinal);

    // As the Debian package's unit (packaging/dure.service), for a program in another place. It runs as root because sandboxes need control groups and mounts; functions do not.
    private static string UnitText(bool withRuntime) =>
        $"""
        [Unit]
        Description=Dure: functions and jobs on this machine
        Wants=network-online.target
        After=network-online.target
        StartLimitIntervalSec=0

        [Service]
        Type=exec
        {(withRuntime ? $"Environment=DOTNET_ROOT={Runtime}\n" : "")}Environment=HOME=/root
        ExecStart={Program}/dure up --foreground --yes --config {ConfigFile}
        # Only the server is told to end: functions and their worker carry on, and the next server takes up their results.
        KillMode=process
        # The server ends within ten seconds of being told.
        TimeoutStopSec=30s
        Restart=on-failure
        RestartSec=200ms
        # A wrong configuration, a server that runs on the data already: trying again mends neither.
        RestartPreventExitStatus=2 5 9
        # One group for each sandbox; one that goes beyond its memory must not end the others.
        Delegate=yes
        OOMPolicy=continue
        TasksMax=infinity
        LimitNOFILE=65536

        [Install]
        WantedBy=multi-user.target

        """;
}
