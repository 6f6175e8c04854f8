using System.Text;
using System.Text.Json;
using Dure.Host.Terminal;

namespace Dure.Host.Configuration;

/// <summary>The part of the texts that tells of identity providers, whose keys have names in them.</summary>
public static partial class ConfigurationReference
{
    private static void AppendOidc(StringBuilder text)
    {
        text.AppendLine("  oidc:");
        foreach (var line in TextWrap.Lines("Identity providers (OpenID Connect), each under a name of your choice, for instance:", LineWidth - 6))
            text.Append("    # ").AppendLine(line);
        foreach (var line in OidcSettings.Example)
            text.Append("    # ").AppendLine(line);
        text.AppendLine("    # Keys of a provider:");
        foreach (var line in OidcSettings.Fields.SelectMany(setting => TextWrap.Lines($"{setting.Key}: {setting.Doc} {About(setting)}", LineWidth - 6)))
            text.Append("    # ").AppendLine(line);
    }

    private static void AppendOidcPage(StringBuilder text)
    {
        text.AppendLine().AppendLine("""
            ## Identity providers

            Providers of OpenID Connect stand under `signin.oidc.NAME`; a name has lower-case letters, digits and dashes. Each key is also read from the
            environment, as `DURE_SIGNIN_OIDC_NAME_KEY`, with underscores for dashes. The client's secret is never written here: it is a secret
            (`dure secrets set`), or `DURE_OIDC_NAME_CLIENT_SECRET` in the server's environment, which wins. [signin.md](../signin.md) tells more.

            ```yaml
            signin:
              public_url: https://dure.lab.example
              oidc:
            """);
        foreach (var line in OidcSettings.Example)
            text.Append("    ").AppendLine(line);
        text.AppendLine("```").AppendLine().AppendLine("| key | type | default | range | meaning |").AppendLine("|---|---|---|---|---|");
        foreach (var setting in OidcSettings.Fields)
        {
            text.Append("| `").Append(setting.Key).Append("` | ").Append(setting.Type).Append(" | ").Append(setting.Default.Length == 0 ? "" : $"`{setting.Default}`")
                .Append(" | ").Append(setting.Range).Append(" | ").Append(setting.Doc).AppendLine(" |");
        }
    }

    private static void WriteOidc(Utf8JsonWriter json)
    {
        json.WriteStartObject("oidc");
        json.WriteString("type", "object");
        json.WriteStartObject("additionalProperties");
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        foreach (var setting in OidcSettings.Fields)
            WriteSetting(json, setting);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
