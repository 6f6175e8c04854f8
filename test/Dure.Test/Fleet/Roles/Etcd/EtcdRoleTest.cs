using Dure.Fleet.Desired;
using Dure.Fleet.Roles.Etcd;
using Xunit;

namespace Dure.Test.Fleet.Roles.Etcd;

public sealed class EtcdRoleTest
{
    [Fact]
    public void A_member_of_three_is_what_the_golden_file_says() => Golden.Same(FleetSamples.State(FleetSamples.Four(), "n2"), "etcd", "debian-12");

    [Theory]
    [InlineData("debian-13", "debian-12")]
    [InlineData("ubuntu-22.04", "debian-12")]
    [InlineData("ubuntu-24.04", "debian-13")]
    public void Distributions_get_the_same_but_for_the_protocol_that_an_old_Patroni_is_safe_with(string one, string other)
    {
        static List<DesiredFile> Files(string os) =>
            [.. FleetSamples.State(DataFleets.Three(os), "n1").Files.Where(file => file.Role == "etcd").Select(file => file with { Text = file.Text.Replace("V2=\"false\"", "V2=\"true\"", StringComparison.Ordinal) })];
        Assert.NotEmpty(Files(one));
        Assert.Equal(Files(other), Files(one));
    }

    [Theory]
    [InlineData("debian-12", true)]
    [InlineData("ubuntu-22.04", true)]
    [InlineData("debian-13", false)]
    [InlineData("ubuntu-24.04", false)]
    public void Patroni_and_etcd_speak_the_protocol_over_which_nobody_takes_a_leaders_key_that_is_not_his(string os, bool second)
    {
        var state = FleetSamples.State(DataFleets.Three(os), "n1");
        Assert.Contains($"ETCD_ENABLE_V2=\"{(second ? "true" : "false")}\"", state.Files.Single(file => file.Path == "/etc/default/etcd").Text, StringComparison.Ordinal);
        Assert.Contains(second ? "\netcd:\n" : "\netcd3:\n", state.Files.Single(file => file.Path == "/etc/patroni/config.yml").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_election_shorter_than_five_heartbeats_is_found_at_its_line()
    {
        var found = Assert.Single(EtcdRole.Kind.Check(FleetSamples.Four(("etcd.election", "400ms"))));
        Assert.Equal("etcd-election", found.Rule);
        Assert.Equal("dure.yaml:1:1", found.Where.ToString());
        Assert.Empty(EtcdRole.Kind.Check(FleetSamples.Four(("etcd.election", "500ms"))));
    }

    // One member is enough to see that etcd takes every setting: it would not start with one it does not know or cannot use.
    [Fact]
    public async Task Etcd_starts_with_what_it_is_given_and_not_with_a_setting_it_cannot_use()
    {
        var state = FleetSamples.State(FleetSamples.Of([], ("n1", "etcd")), "n1");
        var settings = state.Files.Single(file => file.Path == "/etc/default/etcd").Text;
        var join = state.Files.Single(file => file.Path == "/usr/local/lib/dure/etcd-join").Text;
        var (code, text) = await DataValidators.Data.RunAsync(Start, TestContext.Current.CancellationToken, ("/etc/default/etcd", settings), ("/join", join));
        Assert.True(code == 0, text);
        var (badCode, badText) = await DataValidators.Data.RunAsync(
            Start, TestContext.Current.CancellationToken,
            ("/etc/default/etcd", settings.Replace("ETCD_ELECTION_TIMEOUT=\"1000\"", "ETCD_ELECTION_TIMEOUT=\"10\"", StringComparison.Ordinal)), ("/join", join));
        Assert.NotEqual(0, badCode);
        Assert.Contains("election", badText, StringComparison.Ordinal);
    }

    private const string Start =
        """
        ip addr add 10.77.5.11/24 dev lo
        sh /join || exit 1
        set -a; . /etc/default/etcd; . /run/dure-etcd/environment; set +a
        mkdir -p -m 0700 /var/lib/etcd/default
        etcd >/tmp/log 2>&1 & pid=$!
        for try in $(seq 100); do
            ETCDCTL_API=3 etcdctl --endpoints=http://10.77.5.11:2379 --command-timeout=1s put known yes >/dev/null 2>&1 && break
            kill -0 $pid 2>/dev/null || break
            sleep 0.1
        done
        if ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 get known | grep -qx yes; then code=0; else code=1; tail -n 5 /tmp/log; fi
        kill $pid 2>/dev/null
        exit $code
        """;
}
