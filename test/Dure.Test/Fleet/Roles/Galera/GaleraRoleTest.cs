using Dure.Fleet.Roles.Galera;
using Xunit;

namespace Dure.Test.Fleet.Roles.Galera;

public sealed class GaleraRoleTest
{
    [Fact]
    public void A_member_of_three_is_what_the_golden_file_says() => Golden.Same(FleetSamples.State(FleetSamples.Four(), "n3"), "galera", "debian-12");

    [Theory]
    [InlineData("debian-13")]
    [InlineData("ubuntu-22.04")]
    [InlineData("ubuntu-24.04")]
    public void Every_distribution_gets_the_same(string os)
    {
        var wanted = FleetSamples.State(DataFleets.Three("debian-12"), "n1").Files.Where(file => file.Role == "galera").ToList();
        Assert.NotEmpty(wanted);
        Assert.Equal(wanted, FleetSamples.State(DataFleets.Three(os), "n1").Files.Where(file => file.Role == "galera"));
    }

    [Fact]
    public void Slurms_database_is_made_only_where_there_is_a_slurm_db()
    {
        Assert.Contains(FleetSamples.State(FleetSamples.Four(), "n3").Steps, step => step.Name.Contains("slurm_acct_db", StringComparison.Ordinal));
        Assert.DoesNotContain(FleetSamples.State(FleetSamples.Of([], ("n1", "galera")), "n1").Steps, step => step.Role == "galera");
        Assert.Empty(GaleraRole.Kind.Secrets(FleetSamples.Of([], ("n1", "galera"))));
    }

    [Theory]
    [InlineData("galera.flush", "2", "galera-flush")]
    [InlineData("galera.writers", "3", "galera-writers")]
    [InlineData("galera.suspect", "600ms", "galera-suspect")]
    [InlineData("galera.inactive", "1s", "galera-inactive")]
    public void Settings_that_lose_writes_or_members_are_found(string key, string value, string rule)
    {
        Assert.Empty(GaleraRole.Kind.Check(FleetSamples.Four()));
        Assert.Equal([rule], DataFleets.Found(GaleraRole.Kind, FleetSamples.Four((key, value))));
    }

    [Fact]
    public async Task MariaDB_takes_its_file_and_refuses_a_setting_that_it_does_not_know()
    {
        var cancel = TestContext.Current.CancellationToken;
        var state = FleetSamples.State(FleetSamples.Four(), "n3");
        var (code, text) = await DataValidators.Data.CheckAsync(state, GaleraConfig.Path, cancel);
        Assert.True(code == 0, text);
        var file = state.Files.Single(known => known.Path == GaleraConfig.Path).Text;
        var (badCode, badText) = await DataValidators.Data.CheckAsync(
            state, GaleraConfig.Path, cancel, file.Replace("innodb_flush_log_at_trx_commit", "innodb_flush_log_at_trx_comit", StringComparison.Ordinal));
        Assert.NotEqual(0, badCode);
        Assert.Contains("innodb_flush_log_at_trx_comit", badText, StringComparison.Ordinal);
    }
}
