using Dure.Fleet.Roles.Postgres;
using Xunit;

namespace Dure.Test.Fleet.Roles.Postgres;

public sealed class PostgresRoleTest
{
    [Fact]
    public void A_machine_of_two_is_what_the_golden_file_says() => Golden.Same(FleetSamples.State(FleetSamples.Four(), "n3"), "postgres", "debian-12");

    [Theory]
    [InlineData("debian-13")]
    [InlineData("ubuntu-22.04")]
    [InlineData("ubuntu-24.04")]
    public void Other_distributions_are_what_their_golden_files_say(string os) => Golden.Same(FleetSamples.State(DataFleets.Three(os), "n2"), "postgres", os);

    [Fact]
    public void A_password_may_hold_what_the_languages_around_it_use_as_marks()
    {
        var fleet = FleetSamples.Four();
        var state = Dure.Fleet.Roles.FleetState.Of(fleet, fleet.Machines[2], _ => "a'b\"c\\d$e");
        Assert.Contains("password: 'a''b\"c\\d$e'", state.Files.Single(file => file.Path == PatroniConfig.Path).Text, StringComparison.Ordinal);
        var step = state.Steps.Single(known => known.Name.StartsWith("The database dure", StringComparison.Ordinal));
        Assert.True(step.Secret);
        Assert.Contains("'a'\\''b\"c\\d$e'", step.Done, StringComparison.Ordinal);
        Assert.Contains("PASSWORD 'a''b\"c\\d$e';", step.Do, StringComparison.Ordinal);
    }

    [Fact]
    public void No_secret_stands_in_a_file_or_step_that_is_shown()
    {
        var state = FleetSamples.State(DataFleets.Three("debian-12"), "n3");
        Assert.Contains(state.Files, file => file.Secret && file.Text.Contains("secret-", StringComparison.Ordinal));
        Assert.DoesNotContain(state.Files, file => !file.Secret && file.Text.Contains("secret-", StringComparison.Ordinal));
        Assert.DoesNotContain(state.Steps, step => !step.Secret && (step.Done + step.Do).Contains("secret-", StringComparison.Ordinal));
        Assert.DoesNotContain(state.Units, unit => (unit.Start + unit.WaitFor).Contains("secret-", StringComparison.Ordinal));
        Assert.DoesNotContain(state.Health, check => check.Command.Contains("secret-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("postgres.ttl", "19s", "postgres-ttl-small")]
    [InlineData("postgres.retry_timeout", "10s", "postgres-ttl")]
    [InlineData("postgres.loop_wait", "1500ms", "postgres-seconds")]
    [InlineData("postgres.synchronous_replicas", "2", "postgres-synchronous")]
    public void Settings_that_do_not_go_together_are_found(string key, string value, string rule)
    {
        Assert.Empty(PostgresRole.Kind.Check(Two()));
        Assert.Equal([rule], DataFleets.Found(PostgresRole.Kind, Two((key, value))));
    }

    [Fact]
    public void A_write_that_is_on_some_replicas_only_is_found()
    {
        Assert.Empty(PostgresRole.Kind.Check(DataFleets.Three("debian-12")));
        Assert.Equal(["postgres-synchronous"], DataFleets.Found(PostgresRole.Kind, DataFleets.Three("debian-12", ("postgres.synchronous_replicas", "1"))));
    }

    [Fact]
    public void Each_distribution_has_its_own_version_and_they_do_not_mix()
    {
        Assert.Equal([15, 17, 14, 16], new[] { "debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04" }.Select(PostgresRole.VersionOf));
        var two = Two();
        var mixed = two with { Machines = [two.Machines[0], two.Machines[1] with { Os = "debian-13" }] };
        Assert.Equal(["postgres-versions"], DataFleets.Found(PostgresRole.Kind, mixed));
    }

    [Fact]
    public async Task Patroni_takes_its_file_and_refuses_a_broken_one()
    {
        var file = FleetSamples.State(FleetSamples.Of([], ("n1", "etcd,postgres"), ("n2", "postgres")), "n1").Files.Single(known => known.Path == PatroniConfig.Path);
        var (code, text) = await Validate(file.Text);
        Assert.True(code == 0, text);
        foreach (var (good, bad, complaint) in new[] { ("scope: dure", "", "scope"), ("ttl: 20", "ttl: soon", "ttl"), ("/15/bin", "/nowhere/bin", "bin_dir") })
        {
            var (badCode, badText) = await Validate(file.Text.Replace(good, bad, StringComparison.Ordinal));
            Assert.NotEqual(0, badCode);
            Assert.Contains(complaint, badText, StringComparison.Ordinal);
        }
    }

    private static Dure.Fleet.Model.FleetModel Two(params (string Key, string Value)[] settings) => FleetSamples.Of(settings, ("n1", "postgres"), ("n2", "postgres"));

    // The ports are bound for a moment, so the address has to be there; the root has whatever version this machine's distribution has.
    private static Task<(int Code, string Text)> Validate(string text) => DataValidators.Data.RunAsync(
        $"""
        ip addr add 10.77.5.11/24 dev lo
        new=/etc/patroni/config.yml.dure-new
        sed -i "s#/15/#/$(ls /usr/lib/postgresql)/#" $new
        {PatroniConfig.Check}
        """,
        TestContext.Current.CancellationToken,
        ("/etc/patroni/config.yml.dure-new", text));
}
