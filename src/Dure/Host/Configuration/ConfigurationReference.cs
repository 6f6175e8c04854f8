using System.Text;
using System.Text.Json;
using Dure.Host.Terminal;

namespace Dure.Host.Configuration;

/// <summary>Texts made from <see cref="Settings"/>: the example file, the reference page, the JSON schema.</summary>
public static partial class ConfigurationReference
{
    private const int LineWidth = 100;

    /// <summary>dure.example.yaml: every key with its default, commented out, under its meaning.</summary>
    public static string ExampleFile()
    {
        var text = new StringBuilder("""
            # Every setting of Dure with its default. Copy what you want to change to dure.yaml (here, or /etc/dure/dure.yaml).
            # Flags of `dure up` win over the environment (DURE_PORT, DURE_FUNCTIONS_PAYLOAD_LIMIT, ...), which wins over the file.
            # `dure config show` prints what holds and where it came from. Made by `dure docs generate`.

            """);
        foreach (var group in Settings.All.GroupBy(setting => setting.Section, StringComparer.Ordinal))
        {
            var indent = group.Key.Length == 0 ? "" : "  ";
            text.AppendLine();
            if (group.Key.Length > 0)
            {
                text.Append(group.Key).AppendLine(":");
            }

            foreach (var setting in group)
            {
                foreach (var line in TextWrap.Lines($"{setting.Doc} {About(setting)}", LineWidth - indent.Length - 2))
                {
                    text.Append(indent).Append("# ").AppendLine(line);
                }

                text.Append(indent).Append('#').Append(setting.Name).Append(": ").AppendLine(Quoted(setting));
            }

            if (group.Key == "signin")
            {
                AppendOidc(text);
            }
        }

        AppendProviders(text);
        return text.ToString();
    }

    /// <summary>docs/reference/configuration.md.</summary>
    public static string Page()
    {
        var text = new StringBuilder("""
            # Configuration

            A setting is given by a flag of `dure up`, by an environment variable, or in `dure.yaml`; the first of these that has it wins, and the
            default holds otherwise. Any setting can be given as `--set key=value`; some have a flag of their own. The file is the one named by
            `--config` or `DURE_CONFIG`, else `./dure.yaml`, else `/etc/dure/dure.yaml`. Every invalid setting is reported at once, with its line
            and column, and nothing is started. `dure config show` prints what holds and where it came from.

            Bytes take `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024) or `KB`, `MB`, `GB`, `TB` (of 1000). Times take `ms`, `s`, `m`, `h`, `d`, also
            together: `1h30m`.

            | key | environment | flag | type | default | range |
            |---|---|---|---|---|---|

            """);
        foreach (var setting in Settings.All)
        {
            text.Append("| `").Append(setting.Key).Append("` | `").Append(setting.Variable).Append("` | ")
                .Append(setting.Flag is null ? "" : $"`{setting.Flag}`").Append(" | ").Append(setting.Type).Append(" | ")
                .Append(setting.Default.Length == 0 ? "" : $"`{setting.Default}`").Append(" | ").Append(setting.Range).AppendLine(" |");
        }

        text.AppendLine().AppendLine("## Meaning").AppendLine();
        foreach (var setting in Settings.All)
        {
            text.Append("- `").Append(setting.Key).Append("`: ").Append(setting.Doc).AppendLine(setting.Secret ? " Never shown." : "");
        }

        AppendProvidersPage(text);
        AppendOidcPage(text);
        text.AppendLine().AppendLine("Clients also read `DURE_URL`, `DURE_TOKEN`, and `DURE_FORMAT` (`table` or `json`).");
        return text.ToString();
    }

    /// <summary>A JSON schema (2020-12) of dure.yaml.</summary>
    public static string Schema()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "dure.yaml");
            WriteSection(json, "");
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void WriteSection(Utf8JsonWriter json, string section)
    {
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        foreach (var setting in Settings.All.Where(setting => setting.Section == section))
        {
            WriteSetting(json, setting);
        }

        foreach (var inner in section.Length > 0 ? [] : Settings.All.Select(setting => setting.Section).Where(name => name.Length > 0).Distinct(StringComparer.Ordinal))
        {
            json.WriteStartObject(inner);
            WriteSection(json, inner);
            json.WriteEndObject();
        }

        if (section.Length == 0)
        {
            WriteProviders(json);
        }
        else if (section == "signin")
        {
            WriteOidc(json);
        }

        json.WriteEndObject();
    }

    private static void WriteSetting(Utf8JsonWriter json, Setting setting)
    {
        json.WriteStartObject(setting.Name);
        json.WriteString("description", $"{setting.Doc} {About(setting)}");
        json.WriteString("default", setting.Default);
        WriteType(json, setting);
        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, Setting setting)
    {
        if (setting.Type == "choice")
        {
            json.WriteStartArray("enum");
            foreach (var choice in setting.Range.Split(", "))
            {
                json.WriteStringValue(choice);
            }

            json.WriteEndArray();
            return;
        }

        json.WriteStartArray("type");
        json.WriteStringValue("string");
        json.WriteStringValue(setting.Type == "list" ? "array" : "number");
        json.WriteEndArray();
    }

    private static string About(Setting setting) => setting.Type == "choice" ? $"(one of {setting.Range})"
        : setting.Range.Length > 0 ? $"({setting.Type}, {setting.Range})"
        : $"({setting.Type})";

    private static string Quoted(Setting setting) =>
        setting.Default.Length == 0 || setting.Default.EndsWith('%') ? $"\"{setting.Default}\"" : setting.Default;
}
