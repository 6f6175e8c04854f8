using Dure.Test.Fleet.Roles;
using Xunit;

namespace Dure.Test.Fleet;

public sealed class ValidatorRootTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_validator_runs_in_a_root_of_its_own_and_leaves_nothing_behind()
    {
        var (code, text) = await Validators.Traffic.RunAsync("haproxy -v && cat /etc/given && touch /etc/left && id haproxy", Cancel, ("/etc/given", "what was given"));
        Assert.Equal(0, code);
        Assert.Contains("HAProxy version", text, StringComparison.Ordinal);
        Assert.Contains("what was given", text, StringComparison.Ordinal);

        var (again, _) = await Validators.Traffic.RunAsync("test -e /etc/left || test -e /etc/given", Cancel);
        Assert.Equal(1, again);
    }

    [Fact]
    public async Task A_validator_sees_no_network()
    {
        var (_, text) = await Validators.Traffic.RunAsync("cat /proc/self/net/dev", Cancel);
        Assert.Equal(["lo"], text.Split('\n').Skip(2).Where(line => line.Contains(':', StringComparison.Ordinal)).Select(line => line.Split(':')[0].Trim()));
    }
}
