using System.Globalization;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Munge;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>slurmdbd, which writes what jobs used into MariaDB. Two of them: one at work, one that waits.</summary>
internal static class SlurmDbRole
{
    public const string Name = "slurm-db";

    public const int Port = 6819;

    public static readonly SecretNeed Password = new("slurm_db_password", "The accounting's user in MariaDB.", SecretKind.Password);

    public static readonly RoleKind Kind = new(Name, "Slurm's accounting: slurmdbd, one at work and one that waits, on MariaDB.", Build)
    {
        Settings = [SlurmSettings.DbHost, SlurmSettings.DbPort, SlurmSettings.DbName, SlurmSettings.DbUser],
        Secrets = static _ => [MungeRole.Key, Password],
        Ports = static _ => [new(Port, "tcp", "slurmdbd", Reach.Roles) { From = SlurmClientRole.Speakers }, .. SlurmClientRole.SubmitPorts],
        Services = static fleet => [new("Slurm accounting", "slurm-db", new Condition.Both([.. Works(fleet)])) { Note = "Without it jobs go on, and what they used is written down when it is back." }],
        Needs = [SlurmControllerRole.Name],
        Includes = [SlurmClientRole.Name],
        Demand = static _ => new(0.1, 128L << 20, 0),
        Check = SlurmChecks.Accounting,
        Rolling = true,
        Leads = $"ss -Hltn sport = :{Port} | grep -q .",
    };

    private const string File = "/etc/slurm/slurmdbd.conf";
    private const string Unit = "/etc/systemd/system/slurmdbd.service.d/dure.conf";

    // Made when slurmdbd was started for the first time.
    private const string Marker = "/var/lib/slurm/slurmdbd-started";

    /// <summary>MariaDB as the accounting reaches it, and where it turns when that does not answer; null when the fleet has none.</summary>
    public static (string Host, string? Backup)? Storage(FleetModel fleet)
    {
        if (fleet.Get(SlurmSettings.DbHost) is { Length: > 0 } given)
            return (given, null);
        var galera = fleet.With("galera");
        if (galera.Count == 0)
            return null;
        if (fleet.With("balancer").Count > 0 && (fleet.Internal.Vip ?? fleet.Front?.Vip) is { } vip)
            return (vip.ToString(), null);
        return (fleet.AddressOf(galera[0]).ToString(), galera.Count > 1 ? fleet.AddressOf(galera[1]).ToString() : null);
    }

    /// <summary>
    /// The machines with the role, the one that works first. It is not the machine of the controller that leads where there is a choice: a controller that takes over
    /// asks the accounting, and would wait for its time-outs if both were lost at once.
    /// </summary>
    public static IReadOnlyList<Machine> Order(FleetModel fleet)
    {
        var leader = SlurmConfiguration.Controllers(fleet) is [var first, ..] ? first : null;
        return [.. fleet.With(Name).OrderBy(member => member == leader ? 1 : 0)];
    }

    private static IEnumerable<Condition> Works(FleetModel fleet)
    {
        yield return new Condition.AnyOf(Name);
        if (fleet.Get(SlurmSettings.DbHost).Length > 0 || fleet.With("galera").Count == 0)
            yield break;
        yield return new Condition.MajorityOf("galera");
        if (fleet.With("balancer").Count > 0 && (fleet.Internal.Vip ?? fleet.Front?.Vip) is not null)
            yield return new Condition.AnyOf("balancer");
    }

    private static void Build(RoleScope scope)
    {
        var (host, _) = Storage(scope.Fleet) ?? ("127.0.0.1", null);
        var port = scope.Get(SlurmSettings.DbPort).ToString(CultureInfo.InvariantCulture);
        var database = $"timeout 1 bash -c '</dev/tcp/{host}/{port}'";
        // The one that waits starts after the other has made the tables; later it starts without it.
        var worker = Order(scope.Fleet)[0];
        var first = worker == scope.Machine ? "" : $" && {{ [ -e {Marker} ] || timeout 1 bash -c '</dev/tcp/{scope.AddressOf(worker)}/{Port.ToString(CultureInfo.InvariantCulture)}'; }}";
        scope
            .Package("slurmdbd")
            .File(File, Text(scope), static file => file with { Mode = "0600", Owner = "slurm", Group = "slurm", Secret = true })
            .File(Unit, $"[Unit]\nStartLimitIntervalSec=0\n\n[Service]\nExecStartPost=-+/usr/bin/touch {Marker}\nRestart=on-failure\nRestartSec=1\n")
            .Unit("slurmdbd.service", with: unit => unit with { RestartOn = [File, Unit], WaitFor = database + first })
            .Healthy("the accounting answers", "timeout 10 sacctmgr -n -P show configuration > /dev/null", 60);
    }

    private static string Text(RoleScope scope)
    {
        var members = Order(scope.Fleet);
        var (host, backup) = Storage(scope.Fleet) ?? ("127.0.0.1", null);
        return string.Create(CultureInfo.InvariantCulture, $"""
            AuthType=auth/munge
            SlurmUser=slurm
            PidFile=/run/slurmdbd.pid
            # The one that waits holds a connection to the one that works; only this tells it of a power cut, after some 6 s (without it: 2 minutes).
            CommunicationParameters=keepalivetime=3,keepaliveinterval=1,keepaliveprobes=3
            DbdHost={members[0].Name}
            {(members.Count > 1 ? $"DbdBackupHost={members[1].Name}\n" : "")}DbdPort={Port}
            StorageType=accounting_storage/mysql
            StorageHost={host}
            {(backup is null ? "" : $"StorageBackupHost={backup}\n")}StoragePort={scope.Get(SlurmSettings.DbPort)}
            StorageUser={scope.Get(SlurmSettings.DbUser)}
            StoragePass={scope.Secret(Password.Name).Trim()}
            StorageLoc={scope.Get(SlurmSettings.DbName)}

            """);
    }
}
