using System.Text;
using System.Text.Json;
using Dure.Host.Terminal;

namespace Dure.Host.Configuration;

/// <summary>The part of the texts that tells of providers of object storage, whose keys have names in them.</summary>
public static partial class ConfigurationReference
{
    private static void AppendProviders(StringBuilder text)
    {
        text.AppendLine().AppendLine("storage:").AppendLine("  providers:");
        foreach (var line in TextWrap.Lines("Stores beside this machine's own disk, each under a name of your choice, for instance:", LineWidth - 6))
        {
            text.Append("    # ").AppendLine(line);
        }

        foreach (var line in ProviderSettings.Example)
        {
            text.Append("    # ").AppendLine(line);
        }

        text.AppendLine("    # Keys of a provider:");
        foreach (var (setting, types) in ProviderSettings.Fields)
        {
            foreach (var line in TextWrap.Lines($"{setting.Key}: {setting.Doc} {About(setting)}{OnlyFor(types)}", LineWidth - 6))
            {
                text.Append("    # ").AppendLine(line);
            }
        }
    }

    private static void AppendProvidersPage(StringBuilder text)
    {
        text.AppendLine().AppendLine("""
            ## Providers of object storage

            Stores beside this machine's own disk stand under `storage.providers.NAME`; a name has lower-case letters, digits and dashes. Each key is also
            read from the environment, as `DURE_STORAGE_PROVIDERS_NAME_KEY`, with underscores for dashes. Credentials are never written here: they are
            secrets (`dure secrets set`), or `DURE_STORAGE_NAME_ACCESS_KEY` and `DURE_STORAGE_NAME_SECRET_KEY` in the server's environment, which win.
            `dure storage test NAME` proves a provider step by step.

            ```yaml
            storage:
              providers:
            """);
        foreach (var line in ProviderSettings.Example)
        {
            text.Append("    ").AppendLine(line);
        }

        text.AppendLine("```").AppendLine().AppendLine("| key | type | default | range | meaning |").AppendLine("|---|---|---|---|---|");
        foreach (var (setting, types) in ProviderSettings.Fields)
        {
            text.Append("| `").Append(setting.Key).Append("` | ").Append(setting.Type).Append(" | ")
                .Append(setting.Default.Length == 0 || setting.Key == "type" ? "" : $"`{setting.Default}`").Append(" | ").Append(setting.Range).Append(" | ")
                .Append(setting.Doc).Append(OnlyFor(types)).AppendLine(" |");
        }
    }

    private static void WriteProviders(Utf8JsonWriter json)
    {
        foreach (var name in new[] { "storage", "providers" })
        {
            json.WriteStartObject(name);
            json.WriteString("type", "object");
            if (name is "storage")
            {
                json.WriteBoolean("additionalProperties", false);
                json.WriteStartObject("properties");
            }
        }

        json.WriteStartObject("additionalProperties");
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        foreach (var (setting, _) in ProviderSettings.Fields)
        {
            WriteSetting(json, setting);
        }

        // properties, additionalProperties, providers, the properties of storage, storage
        for (var depth = 0; depth < 5; depth++)
        {
            json.WriteEndObject();
        }
    }

    private static string OnlyFor(string[] types) => types.Length == 0 ? "" : $" Only for {string.Join(", ", types)}.";
}
