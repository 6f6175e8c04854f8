using System.Text.Json;
using Dure.Host.Configuration;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Configuration;

public sealed class SettingsTest
{
    [Fact]
    public void Every_default_is_in_its_range_and_reads_back_as_written() =>
        Assert.All(Settings.All, setting =>
        {
            var read = setting.Read(setting.Default);
            Assert.Null(read.Error);
            Assert.Equal(setting.Default, setting.Write(read.Value));
        });

    [Fact]
    public void Every_setting_has_a_name_of_its_own_and_a_sentence() =>
        Assert.All(Settings.All, setting =>
        {
            Assert.Single(Settings.All, other => other.Key == setting.Key || other.Variable == setting.Variable);
            Assert.EndsWith(".", setting.Doc, StringComparison.Ordinal);
            Assert.Matches("^[a-z_]+(\\.[a-z_]+)?$", setting.Key);
        });

    [Fact]
    public void The_example_file_holds_every_key_and_means_the_defaults()
    {
        using var scratch = new Scratch();
        var uncommented = string.Join('\n', ConfigurationReference.ExampleFile().Split('\n')
            .Select(line => line.TrimStart().StartsWith("# ", StringComparison.Ordinal) ? "" : line.Replace("#", "", StringComparison.Ordinal)));
        foreach (var content in new[] { ConfigurationReference.ExampleFile(), uncommented })
        {
            File.WriteAllText(scratch["dure.yaml"], content);
            var loaded = ConfigurationLoader.Load(ConfigurationSourcesOf.Test(scratch.Path, "HOME=/home/ada"));
            Assert.True(loaded.Ok, string.Join('\n', loaded.Problem?.Faults ?? []));
            Assert.Equivalent(DureOptions.Defaults("/home/ada/.local/share/dure"), loaded.Value.Options);
            Assert.All(loaded.Value.Values, value => Assert.Equal(content == uncommented, value.Origin == SettingOrigin.File));
        }
    }

    [Fact]
    public void The_schema_is_json_and_knows_every_key()
    {
        using var schema = JsonDocument.Parse(ConfigurationReference.Schema());
        Assert.All(Settings.All, setting =>
        {
            var properties = schema.RootElement.GetProperty("properties");
            properties = setting.Section.Length == 0 ? properties : properties.GetProperty(setting.Section).GetProperty("properties");
            Assert.Equal(setting.Default, properties.GetProperty(setting.Name).GetProperty("default").GetString());
        });
    }
}
