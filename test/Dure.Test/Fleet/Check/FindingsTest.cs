using System.Net;
using Dure.Fleet.Check;
using Dure.Fleet.Check.Rules;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Xunit;

namespace Dure.Test.Fleet.Check;

/// <summary>Every rule finds its fault in a fleet that has it, and nothing in one that has not.</summary>
public sealed class FindingsTest
{
    private static readonly CheckFacts Facts = new(SampleRoles.Now)
    {
        Secrets = new HashSet<string>(StringComparer.Ordinal) { "vrrp", "postgres", "slack" },
        Certificates = [new("/etc/dure/tls/lab.pem", ["lab.example.org"], SampleRoles.Now.AddDays(60))],
        Machines = [new("n2", "debian-12", 4, (8L << 30) - (200L << 20), 95L << 30, new Dictionary<string, string>(StringComparer.Ordinal) { ["redis-server"] = "5:7.0.15" })],
        Backup = new(SampleRoles.Now.AddHours(-3), SampleRoles.Now.AddDays(-10)),
        Drill = new(SampleRoles.Now.AddDays(-10), true),
        Drifted = 0,
    };

    public static TheoryData<string, string> Bad { get; } = new(Cases().Select(one => (one.Rule, one.What)));

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_fault_is_found_and_said_with_names_and_figures(string rule, string what)
    {
        var (_, _, check) = Cases().Single(one => one.Rule == rule && one.What == what);
        var found = check().Findings;
        Assert.True(found.Any(finding => finding.Rule == rule && finding.What == what), $"{rule}: {what}\nis not among\n{string.Join('\n', CheckText.Findings(found))}");
    }

    [Fact]
    public void Every_rule_has_a_fleet_that_it_finds_fault_with() =>
        Assert.Equal(CheckRules.All.Select(rule => rule.Id).Order(StringComparer.Ordinal), Cases().Select(one => one.Rule).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

    [Fact]
    public void A_good_fleet_with_good_facts_and_an_open_firewall_has_no_findings()
    {
        var found = SampleRoles.Check(SampleRoles.Good(), Facts, Open).Findings;
        Assert.True(found.Count == 0, string.Join('\n', CheckText.Findings(found)));
    }

    [Fact]
    public void What_a_role_finds_itself_is_among_the_findings_and_errors_come_first()
    {
        var own = new Finding("vrrp-weight", Severity.Error, new Place("dure.yaml", 99, 1), "weight 2 is not above the gap of 10", "No weight.");
        IReadOnlyList<RoleKind> catalogue = [.. SampleRoles.All.Select(kind => kind.Name == "balancer" ? kind with { Check = _ => [own, own] } : kind)];
        var found = CheckReport.Of(SampleRoles.Fleet(("n1", "balancer"), ("n2", "dure")), catalogue, Facts).Findings;
        Assert.Single(found, own);
        Assert.Equal(found.Select(finding => finding.Severity).OrderDescending(), found.Select(finding => finding.Severity));
        Assert.DoesNotContain(own, CheckReport.Of(SampleRoles.Fleet(("n1", "dure")), catalogue, Facts).Findings);
    }

    [Fact]
    public void Rules_have_ids_of_their_own_and_a_page()
    {
        Assert.Equal(CheckRules.All.Count, CheckRules.All.Select(rule => rule.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.All(CheckRules.All, rule =>
        {
            Assert.Matches("^[a-z]+(-[a-z]+)*$", rule.Id);
            Assert.EndsWith(".", rule.Text, StringComparison.Ordinal);
            Assert.EndsWith(".", rule.Remedy, StringComparison.Ordinal);
            Assert.Contains($"| `{rule.Id}` |", CheckPage.Render(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Secrets_are_said_to_be_missing_only_when_somebody_looked() =>
        Assert.DoesNotContain(SampleRoles.Check(SampleRoles.Good()).Findings, finding => finding.Rule.StartsWith("secret", StringComparison.Ordinal));

    [Theory]
    [InlineData("lab.example.org", "lab.example.org", true)]
    [InlineData("*.example.org", "lab.example.org", true)]
    [InlineData("*.example.org", "a.lab.example.org", false)]
    [InlineData("*.example.org", "example.org", false)]
    [InlineData("LAB.example.org", "lab.example.org", true)]
    public void A_star_stands_for_one_label(string name, string host, bool covers) => Assert.Equal(covers, CertificateRules.Covers(name, host));

    private static Admits Open(FleetModel fleet, Machine machine) =>
        (from, protocol, number) => SampleRoles.All.Where(kind => machine.Has(kind.Name)).SelectMany(kind => kind.Ports(fleet))
            .Any(port => port.Number == number && port.Protocol == protocol && (port.Reach != Reach.Roles || port.From.Any(from.Has)));

    [Fact]
    public void A_balancers_port_of_the_database_does_not_clash_with_the_database_beside_it_and_its_door_does()
    {
        RoleKind Door(bool onlyVip) => new("door", "door", _ => { }) { Ports = _ => [new(5432, "tcp", "door", Reach.World) { OnVip = true, OnlyVip = onlyVip }] };
        var fleet = SampleRoles.Good().Change("n4", machine => machine with { Roles = [.. machine.Roles, new("door", machine.Place)] });
        Assert.DoesNotContain(CheckReport.Of(fleet, [.. SampleRoles.All, Door(onlyVip: true)], Facts).Findings, finding => finding.Rule == "port-clash");
        Assert.Contains(CheckReport.Of(fleet, [.. SampleRoles.All, Door(onlyVip: false)], Facts).Findings, finding => finding.What == "postgres and door both listen on 5432/tcp of n4.");
    }

    private static IEnumerable<(string Rule, string What, Func<CheckReport> Check)> Cases() => [.. FindingsCases.Of(Facts, Open)];
}
