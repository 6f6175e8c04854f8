using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Dure.Functions;
using Dure.Host.Texts;
using Dure.Host;
using Dure.Test.Processes;
using FsCheck.Fluent;
using FsCheck;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class FunctionYamlTest
{
    [Fact]
    public void The_example_shows_every_key_and_its_defaults_are_the_defaults()
    {
        var settings = FunctionYaml.Parse(Example()).Value;
        Assert.Equal("hello", settings.Name);
        var shown = typeof(FunctionSettings).GetProperties().Where(p => p.Name is not nameof(FunctionSettings.Build)).ToList();
        Assert.All(shown, p => Assert.True(p.GetValue(settings) is not null || p.Name is nameof(FunctionSettings.Timeout), $"{p.Name} is not in examples/function.yaml"));
        var plain = settings with
        {
            Environment = new Dictionary<string, string>(StringComparer.Ordinal),
            Secrets = [],
            Schedule = null,
        };
        var (spec, defaults) = (Resolve(plain), Resolve(new FunctionSettings()));
        // This default is the server's, functions.idle_timeout.
        var idle = TimeSpan.FromMinutes(10);
        Assert.Equal(defaults with { Environment = spec.Environment, Secrets = spec.Secrets, IdleTimeout = idle }, spec);
    }

    [Fact]
    public void An_empty_file_and_one_of_comments_are_all_defaults()
    {
        foreach (var text in new[] { "", "\n", "# nothing\n", "---\n", "~\n", "memory:\n" })
        {
            var spec = Resolve(FunctionYaml.Parse(text).Value);
            Assert.Equal(512L << 20, spec.Limits.MemoryBytes);
            Assert.Equal((0, 256, 512L << 20, 1024), (spec.Limits.CpuMillis, spec.Limits.Processes, spec.Limits.TmpBytes, spec.Limits.OpenFiles));
            Assert.Null(spec.Timeout);
            Assert.Equal((SandboxNetwork.None, 1, null, 0, Durability.Durable), (spec.Network, spec.Concurrency, spec.IdleTimeout, spec.Retries.Max, spec.Durability));
        }
    }

    [Fact]
    public void Every_mistake_is_reported_at_once_with_its_place_and_what_was_meant()
    {
        var problem = FunctionYaml.Parse("""
            runtime: pyhton
            memroy: 512MiB
            memory: 512
            cpu: fast
            processes: 2.5
            timeout: 3 hours
            gpu: -1
            network: all
            concurrency: 0
            at_most_once: yes
            handler: ../etc/passwd
            environment:
              1BAD: x
              DURE_X: y
              OK: [1, 2]
            secrets: [GOOD, bad-name, GOOD]
            schedule: {cron: "61 * * *", time_zone: Europe/Berln, zone: x}
            retries: {max: 1000, first_dely: 1s}
            """).Problem!;
        Assert.Equal(DeployErrors.YamlInvalid, problem.Kind);
        var faults = problem.Faults.Select(f => $"{f.Where} {f.What}").ToList();
        void Has(string where, params string[] parts) =>
            Assert.True(faults.Exists(f => f.StartsWith($"function.yaml:{where} ", StringComparison.Ordinal) && parts.All(p => f.Contains(p, StringComparison.Ordinal))), $"{where} {parts[0]}\n" + string.Join('\n', faults));
        Has("1:10", "no runtime \"pyhton\"", "Did you mean `python`?");
        Has("2:1", "`memroy` is not a known key", "Did you mean `memory`?");
        Has("3:9", "size with its unit");
        Has("4:6", "number of cores");
        Has("5:12", "whole number from 4");
        Has("6:10", "time with its unit");
        Has("7:6", "whole number from 0");
        Has("8:10", "one of none, egress");
        Has("9:14", "whole number from 1 to 1000");
        Has("10:15", "true or false");
        Has("11:10", "must lie in the folder");
        Has("13:3", "\"1BAD\" cannot be the name");
        Has("14:3", "set by Dure itself");
        Has("15:7", "single value");
        Has("16:17", "\"bad-name\" cannot be");
        Has("16:27", "`GOOD` is there twice");
        Has("17:18", "there are 4; five are needed");
        Has("17:41", "no time zone", "Did you mean `Europe/Berlin`?");
        Has("17:55", "`schedule.zone` is not a known key");
        Has("18:16", "`retries.max` must be a whole number from 0 to 100");
        Has("18:22", "`retries.first_dely`", "Did you mean `first_delay`?");
        Assert.Equal(21, faults.Count);
    }

    [Theory]
    [InlineData("memory: [", "function.yaml:2:1 not valid YAML")]
    [InlineData("a: b: c\n", "function.yaml:1")]
    [InlineData("memory: 1GiB\nmemory: 2GiB\n", "function.yaml:2:1 `memory` is there twice; first on line 1")]
    [InlineData("- a\n- b\n", "function.yaml:1:1 the file must hold")]
    [InlineData("just text", "function.yaml:1:1 the file must hold")]
    [InlineData("name: a\0b\n", "function.yaml:1 the file holds a NUL byte")]
    [InlineData("handler: &a x.y\nname: *a\n", "function.yaml:1:10 anchors")]
    [InlineData("name: !!python/object x\n", "function.yaml:1:7 anchors (&) and tags")]
    [InlineData("name: a\n---\nname: b\n", "function.yaml:2:1 a second document")]
    [InlineData("name: Not_Valid\n", "function.yaml:1:7 `name`: \"Not_Valid\" is not a valid name for a function. \"not-valid\" would be.")]
    [InlineData("at_most_once: true\nretries: 2\n", "function.yaml:2:10 `at_most_once: true` never runs again")]
    [InlineData("at_most_once: true\nidempotent: true\n", "function.yaml:2:13 `idempotent: true` says")]
    [InlineData("environment: {A: x}\nsecrets: [A]\n", "function.yaml:2:10 `A` is both")]
    [InlineData("secrets: {A: value}\n", "function.yaml:1:10 `secrets` must be a list of names; values never stand")]
    [InlineData("\ttabs: 1\n", "function.yaml:1")]
    public void What_is_wrong_is_said_with_its_place(string text, string expected)
    {
        var problem = FunctionYaml.Parse(text).Problem!;
        Assert.StartsWith(expected, $"{problem.Faults[0].Where} {problem.Faults[0].What}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nodejs20.x", "node")]
    [InlineData("python3.12", "python")]
    [InlineData("golang", "go")]
    [InlineData("c++", "cpp")]
    public void Names_that_others_give_to_runtimes_are_understood_in_the_hint(string written, string meant) =>
        Assert.Contains($"Did you mean `{meant}`?", FunctionYaml.Parse($"runtime: {written}\n").Problem!.Faults[0].What, StringComparison.Ordinal);

    [Fact]
    public void A_file_that_would_exhaust_the_reader_is_refused()
    {
        foreach (var text in new[] { new string('[', 60_000), string.Concat(Enumerable.Repeat("a: ", 20_000)), new string('x', 100_000), "a:\n" + string.Concat(Enumerable.Range(1, 300).Select(i => new string(' ', i) + "a:\n")) })
            Assert.Equal(DeployErrors.YamlInvalid, FunctionYaml.Parse(text).Problem!.Kind);
    }

    [Fact]
    public void No_text_whatever_makes_the_reader_fail() =>
        Prop.ForAll(
            Gen.Elements("name", "memory", ":", " ", "\n", "- ", "[", "]", "{", "}", "\"", "'", "#", "&a", "*a", "|", ">", "%", "@", "1", "é", "\t", ",", "---", "...", "? ", "schedule", "retries")
                .ListOf().Select(l => string.Concat(l)).ToArbitrary(),
            text =>
            {
                var parsed = FunctionYaml.Parse(text);
                return parsed.Ok || parsed.Problem.Faults.Count > 0;
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void A_schedule_of_one_line_is_in_UTC_and_retries_may_be_a_number()
    {
        var settings = FunctionYaml.Parse("schedule: '*/5 * * * *'\nretries: 3\ncpu: 500m\ntimeout: 1h30m\n").Value;
        Assert.Equal(new FunctionSchedule("*/5 * * * *", "UTC"), settings.Schedule);
        Assert.Equal(new RetryPolicy(3, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), settings.Retries);
        Assert.Equal(500, settings.CpuMillis);
        Assert.Equal(TimeSpan.FromMinutes(90), settings.Timeout);
    }

    [Fact]
    public void Durations_and_sizes_read_back_as_they_were_written()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), ms => Quantities.ParseDuration(Quantities.Duration(TimeSpan.FromMilliseconds(ms))) == TimeSpan.FromMilliseconds(ms))
            .Check(Config.QuickThrowOnFailure);
        Assert.Equal((512L << 20, 1_500_000_000L, 1610612736L, (long?)null, (long?)null), (Quantities.ParseBytes("512MiB"), Quantities.ParseBytes("1.5GB"), Quantities.ParseBytes("1.5GiB"), Quantities.ParseBytes("512"), Quantities.ParseBytes("-1MiB")));
        Assert.Equal("1.5 GiB", Quantities.Bytes(1610612736));
    }

    private static FunctionSpec Resolve(FunctionSettings settings) => settings.Resolve("python", "handler.handler", SandboxMode.Shim);

    private static string Example() => File.ReadAllText(Path.Combine(Repository.Root, "examples/function.yaml"));
}
