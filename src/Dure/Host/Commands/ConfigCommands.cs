using System.Text.Json;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure config</c>: what holds, where it came from, and what could be set.</summary>
internal static class ConfigCommands
{
    public static Verb Make() =>
        new Verb("config", "Show the configuration.").With(MakeShow(), MakeSchema());

    private static Verb MakeShow() =>
        new Verb("show", "Show the value of every setting and where it came from: flag, environment, file or default.",
            ("dure config show", "what holds here"),
            ("DURE_PORT=8080 dure config show", "with a value from the environment"),
            ("dure config show --config /etc/dure/dure.yaml --format json", "of another file, for a program"))
        .Runs((call, _) => Task.FromResult(Show(call)));

    private static Verb MakeSchema() =>
        new Verb("schema", "Show every setting with its type, range and default.",
            ("dure config schema", "for people"),
            ("dure config schema --format json > dure.schema.json", "a JSON schema, for editors"))
        .Runs((call, _) =>
        {
            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Line(ConfigurationReference.Schema());
            }
            else
            {
                call.Screen.Table(
                    [new("key"), new("type"), new("default", 10), new("range", 12), new("meaning", 20)],
                    [.. Settings.All.Select(setting => (IReadOnlyList<string>)[setting.Key, setting.Type, setting.Default, setting.Range, setting.Doc])]);
            }

            return Task.FromResult<Outcome<int>>(ExitCodes.Ok);
        });

    private static Outcome<int> Show(Call call)
    {
        var loaded = ConfigurationLoader.Load(call.Sources());
        if (!loaded.Ok)
        {
            return loaded.Problem;
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
            {
                WriteValues(json, loaded.Value);
            }

            call.Screen.Line(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
            return ExitCodes.Ok;
        }

        call.Screen.Table(
            [new("key"), new("value", 20), new("from")],
            [.. loaded.Value.Values.Select(value => (IReadOnlyList<string>)[value.Setting.Key, value.Shown, value.Where])]);
        call.Screen.Note(loaded.Value.File is { } file ? $"Read from {file}." : "There is no dure.yaml here or in /etc/dure; `dure.example.yaml` shows what one can say.");
        return ExitCodes.Ok;
    }

    private static void WriteValues(Utf8JsonWriter json, LoadedConfiguration loaded)
    {
        json.WriteStartArray();
        foreach (var value in loaded.Values)
        {
            json.WriteStartObject();
            json.WriteString("key", value.Setting.Key);
            json.WriteString("value", value.Shown);
            json.WriteString("origin", value.Origin.ToString().ToLowerInvariant());
            json.WriteString("where", value.Where);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
