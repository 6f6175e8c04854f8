using Dure.Functions;
using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class VersionDigestTest
{
    private static readonly FunctionSpec s_spec = new FunctionSettings().Resolve("python", "handler.handler", SandboxMode.Shim);

    public static TheoryData<string> SpecProperties => [.. typeof(FunctionSpec).GetProperties().Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(SpecProperties))]
    public void Every_setting_is_part_of_a_versions_name(string property)
    {
        var changed = property switch
        {
            nameof(FunctionSpec.Runtime) => s_spec with { Runtime = "node" },
            nameof(FunctionSpec.Handler) => s_spec with { Handler = "x.y" },
            nameof(FunctionSpec.Mode) => s_spec with { Mode = SandboxMode.Plain },
            nameof(FunctionSpec.Limits) => s_spec with { Limits = s_spec.Limits with { OpenFiles = 7 } },
            nameof(FunctionSpec.Gpus) => s_spec with { Gpus = 1 },
            nameof(FunctionSpec.Timeout) => s_spec with { Timeout = TimeSpan.FromSeconds(1) },
            nameof(FunctionSpec.Environment) => s_spec with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["A"] = "b" } },
            nameof(FunctionSpec.Secrets) => s_spec with { Secrets = ["A"] },
            nameof(FunctionSpec.Network) => s_spec with { Network = SandboxNetwork.Egress },
            nameof(FunctionSpec.Schedule) => s_spec with { Schedule = new("0 0 * * *", "UTC") },
            nameof(FunctionSpec.Concurrency) => s_spec with { Concurrency = 2 },
            nameof(FunctionSpec.Instances) => s_spec with { Instances = 2 },
            nameof(FunctionSpec.IdleTimeout) => s_spec with { IdleTimeout = TimeSpan.Zero },
            nameof(FunctionSpec.Retries) => s_spec with { Retries = s_spec.Retries with { LongestDelay = TimeSpan.FromDays(1) } },
            nameof(FunctionSpec.AtMostOnce) => s_spec with { AtMostOnce = true },
            nameof(FunctionSpec.Idempotent) => s_spec with { Idempotent = true },
            nameof(FunctionSpec.Durability) => s_spec with { Durability = Durability.Relaxed },
            _ => s_spec,
        };
        Assert.False(VersionDigest.OfVersion([], s_spec) == VersionDigest.OfVersion([], changed), $"{property} does not change the digest");
    }

    [Fact]
    public void Trees_that_differ_in_anything_have_different_names()
    {
        SourceEntry file = new("a", SourceKind.File, false, 1, "00");
        var trees = new List<SourceEntry>[]
        {
            [], [file], [file with { Path = "b" }], [file with { Executable = true }], [file with { Content = "01" }], [file with { Kind = SourceKind.Link }], [file, file with { Path = "b" }],
        };
        Assert.Equal(trees.Length, trees.Select(t => VersionDigest.OfTree(t)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void The_name_of_a_known_version_never_changes() =>
        Assert.Equal(KnownDigest, VersionDigest.OfVersion([new("handler.py", SourceKind.File, false, 3, new string('a', 64))], s_spec)[..8]);

    private const string KnownDigest = "4e6efcc2";
}
