using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary><c>dure retention</c>: what is kept, and removing what is older.</summary>
internal static class RetentionCommand
{
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would be removed, and remove nothing." };

    public static Verb Make() => new Verb("retention", "See how long things are kept, and remove what is older.").With(MakeShow(), MakeRun());

    private static Verb MakeShow() =>
        new Verb("show", "Show how long things are kept and what the last run removed.", ("dure retention show", "periods and the last run"))
        .Calls(async (call, client, cancel) => Print(call.Screen, await client.GetAsync("/api/retention", HostJson.Default.JsonElement, cancel)));

    private static Verb MakeRun() =>
        new Verb("run", "Remove now what is older than configured; the server does so every hour by itself.",
            ("dure retention run --dry-run", "what would be removed"),
            ("dure retention run", "remove it"))
        .With(DryRun)
        .Calls(async (call, client, cancel) => Print(call.Screen,
            await client.SendAsync(HttpMethod.Post, "/api/retention" + (call.Get(DryRun) ? "?dry_run=true" : ""), null, HostJson.Default.JsonElement, cancel)));

    private static Outcome<int> Print(Screen screen, Outcome<JsonElement> told)
    {
        if (!told.Ok)
            return told.Problem;
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(told.Value, HostJson.Default.JsonElement);
            return ExitCodes.Ok;
        }
        var facts = told.Value.EnumerateObject().SelectMany(member => member.Value.ValueKind == JsonValueKind.Object
            ? member.Value.EnumerateObject().Select(inner => Fact($"{member.Name} {inner.Name}", inner.Value))
            : [Fact(member.Name, member.Value)]);
        screen.Facts([.. facts]);
        return ExitCodes.Ok;
    }

    private static (string, string?) Fact(string name, JsonElement value)
    {
        var words = name.Replace('_', ' ');
        return words.EndsWith(" bytes", StringComparison.Ordinal) ? (words[..^6] + " size", Phrase.Size(value.GetInt64()))
            : words.EndsWith(" ms", StringComparison.Ordinal) ? (words[..^3], Configuration.Units.WriteDuration(TimeSpan.FromMilliseconds(Math.Round(value.GetDouble(), MidpointRounding.AwayFromZero))))
            : (words, value.ValueKind == JsonValueKind.Number ? value.GetInt64().ToString(CultureInfo.InvariantCulture) : value.ToString());
    }
}
