using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Redis;
using Xunit;

namespace Dure.Test.Fleet.Roles.Redis;

public sealed class RedisRoleTest
{
    [Fact]
    public void A_member_of_three_is_what_the_golden_file_says() => Golden.Same(FleetSamples.State(FleetSamples.Four(), "n3"), "redis", "debian-12");

    [Theory]
    [InlineData("debian-13")]
    [InlineData("ubuntu-22.04")]
    [InlineData("ubuntu-24.04")]
    public void Every_distribution_gets_the_same(string os)
    {
        var wanted = FleetSamples.State(DataFleets.Three("debian-12"), "n1").Files.Where(file => file.Role == "redis").ToList();
        Assert.NotEmpty(wanted);
        Assert.Equal(wanted, FleetSamples.State(DataFleets.Three(os), "n1").Files.Where(file => file.Role == "redis"));
    }

    [Fact]
    public void No_setting_and_no_new_machine_writes_over_what_sentinel_knows()
    {
        static DesiredFile Seed(FleetModel fleet, string machine) => FleetSamples.State(fleet, machine).Files.Single(file => file.Kind == FileKind.Seed);
        var now = Seed(FleetSamples.Four(), "n3");
        Assert.Equal(now, Seed(FleetSamples.Four(("redis.down_after", "5s"), ("redis.quorum", "3")), "n3"));
        Assert.Equal(now, Seed(FleetSamples.Of([], ("n0", "redis"), ("n3", "redis"), ("n4", "redis"), ("n5", "redis"), ("n6", "redis")), "n3"));
    }

    [Theory]
    [InlineData("redis.down_after", "900ms", "redis-down-after")]
    [InlineData("redis.min_replicas", "0", "redis-min-replicas")]
    [InlineData("redis.min_replicas", "2", "redis-min-replicas")]
    [InlineData("redis.max_lag", "2500ms", "redis-seconds")]
    [InlineData("redis.quorum", "1", "redis-quorum")]
    [InlineData("redis.quorum", "3", "redis-quorum")]
    [InlineData("redis.quorum", "4", "redis-quorum")]
    public void Settings_that_lose_writes_or_never_fail_over_are_found(string key, string value, string rule)
    {
        Assert.Empty(RedisRole.Kind.Check(FleetSamples.Four()));
        Assert.Equal([rule], DataFleets.Found(RedisRole.Kind, FleetSamples.Four((key, value))));
    }

    [Fact]
    public void Writes_that_need_the_only_replica_are_found() =>
        Assert.Equal(["redis-min-replicas"], DataFleets.Found(RedisRole.Kind, FleetSamples.Of([], ("n1", "redis"), ("n2", "redis"))));
}
