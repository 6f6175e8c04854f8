using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Firewall;

/// <summary>A machine that lets in what its roles need, and nothing else.</summary>
internal static class FirewallRole
{
    public const string Name = "firewall";

    private const string RulesFile = "/etc/dure/firewall.nft";
    private const string UnitFile = "/etc/systemd/system/dure-firewall.service";
    private const string UnitName = "dure-firewall.service";

    public static readonly RoleKind Kind = new(Name, "nftables: a machine lets in what its roles need from where they need it, and nothing else.", Build)
    {
        Settings = [FirewallSettings.Ssh, FirewallSettings.Open],
        Check = Check,
    };

    private static IEnumerable<Finding> Check(FleetModel fleet)
    {
        var closed = fleet.With(Name);
        if (closed.Count == 0)
            yield break;
        var open = fleet.Machines.Where(machine => !machine.Has(Name)).ToList();
        if (open.Count > 0)
        {
            yield return new("firewall-gap", Severity.Warning, Places.Of(closed[0], Name),
                $"{string.Join(", ", open.Select(machine => machine.Name))} {(open.Count == 1 ? "lets" : "let")} everybody reach everything, while other machines do not.", "Give every machine the role firewall.");
        }

        if (fleet.Get(FirewallSettings.Ssh) == "anywhere")
        {
            yield return new("firewall-ssh", Severity.Note, Places.Of(fleet, FirewallSettings.Ssh), "Everybody may try to sign in over SSH.", "Leave firewall.ssh out once a management network is there.");
        }
    }

    // The distribution's nftables.service ends by flushing every table, other programs' too: this one ends with its own.
    private static void Build(RoleScope scope) => scope
        .Package("nftables")
        .File(RulesFile, FirewallTable.Of(FirewallRules.For(scope.Fleet, scope.Machine), scope.Fleet.Networks.Select(network => network.Range)), file => file with { Check = "nft -c -f \"$new\"", Guarded = true })
        .File(UnitFile,
            $"""
            [Unit]
            Description=What this machine lets in, from the roles that it has
            DefaultDependencies=no
            Wants=network-pre.target
            Before=network-pre.target shutdown.target
            After=nftables.service
            Conflicts=shutdown.target

            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/usr/sbin/nft -f {RulesFile}
            ExecReload=/usr/sbin/nft -f {RulesFile}
            ExecStop=/usr/sbin/nft delete table inet dure

            [Install]
            WantedBy=sysinit.target

            """)
        .Unit(UnitName, with: unit => unit with { RestartOn = [UnitFile], ReloadOn = [RulesFile] })
        .Healthy("The firewall stands", "nft list chain inet dure input | grep -q 'policy drop'");
}
