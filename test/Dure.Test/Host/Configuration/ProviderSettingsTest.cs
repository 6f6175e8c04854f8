using System.Text.Json;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Test.Processes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Host.Configuration;

public sealed class ProviderSettingsTest
{
    [Fact]
    public void A_provider_is_read_from_the_file_and_the_environment_wins()
    {
        const string file = """
            storage:
              providers:
                second:
                  type: s3
                  endpoint: https://s3.example.org
                  bucket: lab
                  style: virtual
                  access_key_secret: SECOND_ACCESS_KEY
                  part_size: 16MiB
                  timeout: 5s
                  delete_many: false
                  mode: both
                  functions: false
                usb-disk: {type: folder, path: /mnt/usb}
            """;
        var loaded = Load(file, "DURE_STORAGE_PROVIDERS_SECOND_BUCKET=other", "DURE_STORAGE_PROVIDERS_USB_DISK_PREFIX=dure/", "DURE_STORAGE_SECOND_SECRET_KEY=hunter2",
            "DURE_STORAGE_PROVIDERS_BLUE_SKY_TYPE=azure", "DURE_STORAGE_PROVIDERS_BLUE_SKY_ACCOUNT=a", "DURE_STORAGE_PROVIDERS_BLUE_SKY_CONTAINER=c").Value;
        Assert.Equal(
            [
                new ProviderOptions("blue-sky", "azure") { Account = "a", Bucket = "c" },
                new ProviderOptions("second", "s3")
                {
                    Endpoint = new Uri("https://s3.example.org"), Bucket = "other", PathStyle = false, AccessKeySecret = "SECOND_ACCESS_KEY", PartSize = 16 << 20,
                    Timeout = TimeSpan.FromSeconds(5), DeleteMany = false, Both = true, Functions = false,
                },
                new ProviderOptions("usb-disk", "folder") { Path = "/mnt/usb", Prefix = "dure/" },
            ],
            loaded.Options.Storage.Providers);
        var bucket = loaded.Values.Single(value => value.Setting.Key == "storage.providers.second.bucket");
        Assert.Equal(("other", "DURE_STORAGE_PROVIDERS_SECOND_BUCKET"), (bucket.Shown, bucket.Where));
        Assert.Equal("dure.yaml:4:13", loaded.Values.Single(value => value.Setting.Key == "storage.providers.second.type").Where);
        Assert.All(loaded.Values, value => Assert.DoesNotContain("hunter2", value.Shown, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_fault_of_providers_is_told_at_once_with_its_place()
    {
        const string file = """
            storage:
              providers:
                Second: {type: s3}
                a:
                  type: s4
                  buckett: x
                b:
                  type: folder
                  bucket: x
                c:
                  bucket: x
                d:
                  type: s3
                  bucket: x
                  endpoint: s3.example.org
                  secret_key: hunter2
                  access_key_secret: AKIA/1+2
                  part_size: 1MiB
                e: folder
              provider: x
            """;
        var faults = Load(file, "DURE_STORAGE_PROVIDERS_D_COLOUR=red").Problem!.Faults;
        string[] expected =
        [
            "dure.yaml:3:14 'Second' is no name: a provider's name has lower-case letters, digits and single dashes, begins with a letter, and is at most 32 long",
            "dure.yaml:5:13 storage.providers.a.type is 's4': expected one of s3, gcs, azure, folder; did you mean s3?",
            "dure.yaml:6:7 there is no setting storage.providers.a.buckett; did you mean bucket?",
            "dure.yaml:15:17 storage.providers.d.endpoint is 's3.example.org': expected an address such as https://storage.example.org",
            "dure.yaml:16:7 keys do not belong in this file, where backups and colleagues read them; `dure secrets set D_SECRET_KEY` keeps it, then write secret_key_secret: D_SECRET_KEY here, or give DURE_STORAGE_D_SECRET_KEY in the environment",
            "dure.yaml:17:26 storage.providers.d.access_key_secret is 'AKIA/1+2': expected the name of a secret, capital letters, digits and underscores; the key itself does not belong here",
            "dure.yaml:18:18 storage.providers.d.part_size is '1MiB': expected 5MiB to 1GiB",
            "dure.yaml:19:5 storage.providers.e is a section; below it can stand type, endpoint",
            "dure.yaml:20:3 there is no setting storage.provider; did you mean storage.providers.NAME?",
            "DURE_STORAGE_PROVIDERS_D_COLOUR there is no such variable; after DURE_STORAGE_PROVIDERS_ come a provider's name and one of TYPE",
            "dure.yaml:5:13 storage.providers.a.bucket is missing",
            "dure.yaml:5:13 storage.providers.a needs a region (of Amazon) or an endpoint (of another store)",
            "dure.yaml:9:15 storage.providers.b.bucket means nothing to a provider of type folder, only to s3, gcs",
            "dure.yaml:8:13 storage.providers.b.path is missing",
            "dure.yaml:11:7 storage.providers.c.type is missing: s3, gcs, azure or folder",
        ];
        Assert.Equal(expected.Length, faults.Count);
        Assert.All(expected.Zip(faults), pair => Assert.StartsWith(pair.First, $"{pair.Second.Where} {pair.Second.What}", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", string.Join('\n', faults), StringComparison.Ordinal);
    }

    [Fact]
    public void A_flag_may_name_a_setting_of_a_provider()
    {
        using var scratch = new Scratch();
        var sources = ConfigurationSourcesOf.Test(scratch.Path) with
        {
            Flags = new Dictionary<string, (string, string)>(StringComparer.Ordinal)
            {
                ["storage.providers.nas.type"] = ("folder", "--set"),
                ["storage.providers.nas.path"] = ("/nas", "--set"),
            },
        };
        Assert.Equal([new ProviderOptions("nas", "folder") { Path = "/nas" }], ConfigurationLoader.Load(sources).Value.Options.Storage.Providers);
    }

    [Fact]
    public void Whatever_stands_below_storage_loading_tells_and_never_throws() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<NonNull<string>>(), (key, text) =>
        {
            var faults = new List<Fault>();
            var reader = new ProviderReader(faults);
            Assert.True(reader.Take("storage.providers." + key.Get, text.Get, SettingOrigin.File, "here", "there"));
            reader.TakeEnvironment(new Dictionary<string, string>(StringComparer.Ordinal) { ["DURE_STORAGE_PROVIDERS_" + key.Get] = text.Get });
            reader.Build();
            Assert.NotEmpty(faults);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_key_of_a_provider_is_told_in_the_example_the_page_and_the_schema()
    {
        using var schema = JsonDocument.Parse(ConfigurationReference.Schema());
        var known = schema.RootElement.GetProperty("properties").GetProperty("storage").GetProperty("properties").GetProperty("providers")
            .GetProperty("additionalProperties").GetProperty("properties");
        Assert.All(ProviderSettings.Fields, field =>
        {
            Assert.Contains($"# {field.Setting.Key}: ", ConfigurationReference.ExampleFile(), StringComparison.Ordinal);
            Assert.Contains($"| `{field.Setting.Key}` |", ConfigurationReference.Page(), StringComparison.Ordinal);
            Assert.True(known.TryGetProperty(field.Setting.Key, out _));
        });
    }

    [Fact]
    public void The_provider_of_the_example_is_valid()
    {
        var file = "storage:\n  providers:\n" + string.Concat(ProviderSettings.Example.Select(line => $"    {line}\n"));
        Assert.Equal("our-lab", Assert.Single(Load(file).Value.Options.Storage.Providers).Bucket);
    }

    private static Outcome<LoadedConfiguration> Load(string file, params string[] environment)
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["dure.yaml"], file);
        return ConfigurationLoader.Load(ConfigurationSourcesOf.Test(scratch.Path, environment));
    }
}
