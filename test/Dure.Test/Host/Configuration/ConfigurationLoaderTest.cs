using Dure.Host;
using Dure.Host.Configuration;
using Dure.Test.Processes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Host.Configuration;

public sealed class ConfigurationLoaderTest
{
    [Fact]
    public void Without_anything_the_defaults_hold()
    {
        var loaded = Load().Value;
        Assert.Equal(7070, loaded.Options.Port);
        Assert.Equal(1L << 30, loaded.Options.Functions.PayloadLimit);
        Assert.Equal(TimeSpan.FromSeconds(5), loaded.Options.LeaseDuration);
        Assert.Null(loaded.Options.DatabaseUrl);
        Assert.Null(loaded.Options.Worker.Gpus);
        Assert.All(loaded.Values, value => Assert.Equal("default", value.Where));
        Assert.Equivalent(DureOptions.Defaults(loaded.Options.Data), loaded.Options);
    }

    [Fact]
    public void A_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default()
    {
        const string file = "port: 1\nlisten: 127.0.0.2\nworker:\n  slots: 3\n";
        var loaded = Load(file, ["DURE_PORT=2", "DURE_LISTEN=127.0.0.3"], [("port", "4", "--port")]).Value;
        Assert.Equal((4, "127.0.0.3", 3), (loaded.Options.Port, loaded.Options.Listen, loaded.Options.Worker.Slots));
        string[] where = ["--port", "DURE_LISTEN", "dure.yaml:4:10", "default"];
        string[] keys = ["port", "listen", "worker.slots", "lease.duration"];
        Assert.Equal(where, keys.Select(key => loaded.Values.Single(value => value.Setting.Key == key).Where), StringComparer.Ordinal);
    }

    [Fact]
    public void Any_mixture_of_sources_gives_the_strongest_that_says_something() =>
        Prop.ForAll(ArbMap.Default.ArbFor<Tuple<bool, bool, bool>>(), says =>
        {
            var (file, environment, flag) = says;
            var loaded = Load(
                file ? "retention:\n  versions: 1\n" : "",
                environment ? ["DURE_RETENTION_VERSIONS=2"] : [],
                flag ? [("retention.versions", "3", "--set")] : []).Value;
            Assert.Equal(flag ? 3 : environment ? 2 : file ? 1 : 20, loaded.Options.Retention.Versions);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_fault_is_told_at_once_with_its_place()
    {
        const string file = """
            prot: 80
            worker:
              slots: none
              prewarm_node: 1
              prewarm_node: 2
            functions:
              payload_limit: 1 GB of RAM
            spool_threshold: 1KiB
            lease: 5s
            """;
        var problem = Load(file, ["DURE_LOG_LEVEL=loud", "DURE_PROT=1"], [("port", "70000", "--port"), ("x.y", "1", "--set x.y")]).Problem!;
        Assert.Equal(ConfigurationErrors.Invalid, problem.Kind);
        string[] expected =
        [
            "dure.yaml:5:3 worker.prewarm_node is given twice",
            "dure.yaml:1:1 there is no setting prot; did you mean port?",
            "dure.yaml:3:10 worker.slots is 'none': expected a whole number from 1 to 10000",
            "dure.yaml:7:18 functions.payload_limit is '1 GB of RAM': expected bytes such as 512KiB, 64MiB or 1GiB",
            "dure.yaml:8:1 there is no setting spool_threshold; did you mean functions.spool_threshold?",
            "dure.yaml:9:1 lease is a section; below it can stand duration",
            "DURE_LOG_LEVEL log.level is 'loud': expected one of trace, debug, info, warning, error, none",
            "DURE_PROT there is no such variable; did you mean DURE_PORT?",
            "--port port is '70000': expected a whole number from 0 to 65535",
            "--set x.y there is no setting x.y; `dure config schema` lists them",
        ];
        Assert.Equal(expected, problem.Faults.Select(fault => $"{fault.Where} {fault.What}"), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("port: [", "dure.yaml:2:1 this is not YAML: ")]
    [InlineData("- port", "dure.yaml:1:1 expected keys and values")]
    [InlineData("port:", "dure.yaml:1:1 port has no value")]
    [InlineData("port: &a 1\nlisten: *a", "dure.yaml:2:9 anchors and aliases")]
    [InlineData("port: {a: 1}", "dure.yaml:1:8 there is no setting port.a")]
    [InlineData("worker:\n\tslots: 1", "dure.yaml:2:1 indent with spaces")]
    [InlineData("disk:\n  warn: 1%\n  refuse: 2%", "dure.yaml:3:11 disk.refuse is above disk.warn")]
    [InlineData("functions:\n  payload_limit: 1KiB", "functions.spool_threshold functions.spool_threshold is above")]
    [InlineData("data: \"a\\0b\"", "dure.yaml:1:7 data is ")]
    public void A_faulty_file_is_refused_with_the_place(string file, string expected)
    {
        var fault = Assert.Single(Load(file).Problem!.Faults);
        Assert.StartsWith(expected, $"{fault.Where} {fault.What}", StringComparison.Ordinal);
    }

    [Fact]
    public void No_file_at_all_makes_loading_throw() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text => ConfigurationFile.Read("dure.yaml", text.Get).Faults is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void A_secret_is_neither_shown_nor_told_when_it_is_wrong()
    {
        var shown = Load("database:\n  url: Host=db;Password=hunter2\n").Value.Values.Single(value => value.Setting == Settings.DatabaseUrl);
        Assert.Equal("***", shown.Shown);
        var fault = Assert.Single(Load("database:\n  url: \"hunter2\\n\"\n").Problem!.Faults);
        Assert.DoesNotContain("hunter2", fault.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_was_asked_for_and_is_not_there_is_a_problem()
    {
        using var scratch = new Scratch();
        var sources = Sources(scratch) with { File = "other.yaml" };
        Assert.Equal(ConfigurationErrors.Unreadable, ConfigurationLoader.Load(sources).Problem!.Kind);
    }

    [Fact]
    public void The_file_that_a_flag_names_wins_over_the_one_in_the_environment()
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["a.yaml"], "port: 1\n");
        File.WriteAllText(scratch["b.yaml"], "port: 2\n");
        var sources = Sources(scratch, ["DURE_CONFIG=a.yaml"]);
        Assert.Equal(1, ConfigurationLoader.Load(sources).Value.Options.Port);
        Assert.Equal(2, ConfigurationLoader.Load(sources with { File = scratch["b.yaml"] }).Value.Options.Port);
    }

    [Fact]
    public void The_data_folder_is_the_systems_for_root_and_in_the_home_for_others()
    {
        using var scratch = new Scratch();
        var sources = Sources(scratch, ["HOME=/home/ada"]);
        Assert.Equal("/var/lib/dure", ConfigurationLoader.Load(sources with { IsRoot = true }).Value.Options.Data);
        Assert.Equal("/home/ada/.local/share/dure", ConfigurationLoader.Load(sources).Value.Options.Data);
        var moved = Sources(scratch, ["HOME=/home/ada", "XDG_DATA_HOME=/big"]);
        Assert.Equal("/big/dure", ConfigurationLoader.Load(moved).Value.Options.Data);
        var relative = Sources(scratch, ["DURE_DATA=here"]);
        Assert.Equal(scratch["here"], ConfigurationLoader.Load(relative).Value.Options.Data);
        Assert.Equal(scratch["here", "backups"], ConfigurationLoader.Load(relative).Value.Options.Backup.Directory);
    }

    [Fact]
    public void Gpus_are_all_or_none_or_a_list_of_either_form()
    {
        Assert.Equal([0, 2], Load("worker:\n  gpu_devices: [2, 0]\n").Value.Options.Worker.Gpus!);
        Assert.Equal([1], Load("", ["DURE_WORKER_GPU_DEVICES=1"]).Value.Options.Worker.Gpus!);
        Assert.Empty(Load("worker:\n  gpu_devices: none\n").Value.Options.Worker.Gpus!);
    }

    private static Outcome<LoadedConfiguration> Load(string file = "", string[]? environment = null, (string Key, string Text, string Flag)[]? flags = null)
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["dure.yaml"], file);
        return ConfigurationLoader.Load(Sources(scratch, environment) with
        {
            Flags = (flags ?? []).ToDictionary(flag => flag.Key, flag => (flag.Text, flag.Flag), StringComparer.Ordinal),
        });
    }

    private static ConfigurationSources Sources(Scratch scratch, string[]? environment = null) => ConfigurationSourcesOf.Test(scratch.Path, environment ?? ["HOME=/home/ada"]);
}

/// <summary>Sources that hold what a test says and nothing of this process.</summary>
internal static class ConfigurationSourcesOf
{
    public static ConfigurationSources Test(string directory, params IEnumerable<string> environment) => new(
        new Dictionary<string, (string, string)>(StringComparer.Ordinal),
        environment.Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal),
        File: null, directory, IsRoot: false);
}
