using System.CommandLine;
using System.Text.Json.Serialization;
using Dure.Edge.Certificates;
using Dure.Edge.Waf;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Ssh;
using Dure.Host.Terminal;

namespace Dure.Edge.Commands;

/// <summary><c>dure waf</c>: what the web application firewall of an edge refused.</summary>
internal static class WafCommands
{
    private static readonly Option<string?> FromFile = new("--file") { Description = "This log, or - for standard input; without, that of the edge machine in the settings.", HelpName = "FILE" };
    private static readonly Option<string?> Edge = new("--edge") { Description = "Of this machine, as ssh knows it.", HelpName = "USER@HOST" };
    private static readonly Option<string?> Below = new("--path") { Description = "Only requests below this path.", HelpName = "PATH" };
    private static readonly Option<int> Last = new("--last", "-n") { Description = "The last requests.", HelpName = "NUMBER", DefaultValueFactory = _ => 20 };

    public static Verb Make() => new Verb("waf", "See what the web application firewall of the edge refused.").With(MakeLog());

    private static Verb MakeLog() =>
        new Verb("log", "Explain why requests were refused, each with the narrowest exclusion that would let it pass.",
            ("dure waf log", "the last 20 on the edge machine"),
            ("dure waf log --path /papers/attention/ --format json", "those of one app, for a program"),
            ("dure waf log --file /var/log/dure/waf.log", "on the edge machine itself"))
        .With(FromFile, Edge, Below, Last)
        .Runs(async (call, cancel) =>
        {
            var read = await ReadAsync(call, cancel);
            if (!read.Ok)
                return read.Problem;
            var entries = read.Value.Select(WafLogEntry.Read).OfType<WafLogEntry>().Where(entry => entry.Path.StartsWith(call.Get(Below) ?? "", StringComparison.Ordinal)).TakeLast(call.Get(Last)).ToList();
            Print(call.Screen, entries);
            return ExitCodes.Ok;
        });

    private static void Print(Screen screen, List<WafLogEntry> entries)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(entries, WafJson.Default.ListWafLogEntry);
            return;
        }

        foreach (var entry in entries)
        {
            screen.Line($"{entry.At} {(entry.Refused ? "refused" : "noticed")}: {entry.Method} {entry.Path} from {entry.Client}");
            foreach (var reason in entry.Reasons)
            {
                screen.Line($"    {reason.Where} looks like {reason.Attack} (rule {reason.Rule})");
                screen.Line(reason.Exclusion is { } exclusion ? $"    to let it pass: {exclusion}" : "    nothing that means well looks like this: no exclusion is proposed");
            }
        }

        screen.Say(entries.Count == 0 ? "Nothing was refused." : "An exclusion goes below `waf: exclude:` of the app's app.yaml, into apps.waf_exclude, or into waf_exclude of the fleet's web or edge role.");
    }

    private static async Task<Outcome<List<string>>> ReadAsync(Call call, CancellationToken cancel)
    {
        if (call.Get(FromFile) is { } file)
            return await FromAsync(file, cancel);
        var loaded = ConfigurationLoader.Load(call.Sources());
        if (!loaded.Ok)
            return loaded.Problem;
        var apps = loaded.Value.Options.Apps;
        var edge = call.Get(Edge) ?? apps.Edge;
        // No edge machine is named: this one may be it.
        if (edge is null)
            return await FromAsync(WafRules.Log, cancel);
        if (edge.Length == 0 || edge.StartsWith('-'))
            return CertificateErrors.NoEdge.With($"'{Dure.Host.Texts.Shown.Safely(edge)}' is no name of a machine.");
        var ran = await SshSession.OnceAsync(SshTarget.Of(edge, apps.SshConfig), $"tail -n 5000 {WafRules.Log} 2>/dev/null", cancel);
        return !ran.Ok ? ran.Problem : ran.Value.Code == 0 ? ran.Value.Lines : EdgeErrors.WafLogMissing.With($"{edge}:{WafRules.Log}");
    }

    private static async Task<Outcome<List<string>>> FromAsync(string file, CancellationToken cancel)
    {
        var lines = new List<string>();
        try
        {
            using var input = file == "-" ? new StreamReader(Console.OpenStandardInput()) : File.OpenText(file);
            while (await input.ReadLineAsync(cancel) is { } line)
                lines.Add(line);
            return lines;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return EdgeErrors.WafLogMissing.With(failed is FileNotFoundException or DirectoryNotFoundException ? $"There is no {file} on this machine." : failed.Message);
        }
    }
}

/// <summary>JSON that the verbs about the firewall print.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(List<WafLogEntry>))]
internal sealed partial class WafJson : JsonSerializerContext;
