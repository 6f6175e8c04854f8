using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Dure.Edge.Certificates;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Ssh;
using Dure.Host.Terminal;

namespace Dure.Edge.Commands;

/// <summary><c>dure cert</c>: certificates of the edge machine.</summary>
internal static partial class CertCommands
{
    private static readonly Argument<string> Host = new("host") { Description = "The name that browsers use." };
    private static readonly Argument<string?> SomeHost = new("host") { Description = "Only this one.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Edge = new("--edge") { Description = "This machine, as ssh knows it; without, that of apps.edge.", HelpName = "USER@HOST" };
    private static readonly Option<string?> Email = new("--email") { Description = "Where the authority writes when something is wrong.", HelpName = "ADDRESS" };
    private static readonly Option<string?> Authority = new("--authority") { Description = "ACME directory of another authority than the public one.", HelpName = "URL" };
    private static readonly Option<bool> Force = new("--force") { Description = "Also what is not due." };

    public static Verb Make() => new Verb("cert", "Get and renew the certificates of the edge machine.").With(MakeRequest(), MakeList(), MakeRenew(), AuthorityCommands.Make());

    private static Verb MakeRequest() =>
        new Verb("request", "Get a certificate for a host of the edge machine, and HTTPS where it has none.",
            ("dure cert request lab.example --email ada@lab.example", "renewed by a timer from then on"),
            ("dure cert request lab.example --edge root@edge.lab.example", "on a certain machine"))
        .With(Host, Edge, Email, Authority)
        .Runs(async (call, cancel) =>
        {
            var host = call.Get(Host)!.ToLowerInvariant();
            if (!HostPattern().IsMatch(host))
                return CertificateErrors.BadHost.With($"'{Dure.Host.Texts.Shown.Safely(host)}'");
            var said = await SayAsync(call, apps => new CertbotScript(apps.EdgeFolder, apps.EdgeHttpFolder).Request(host, call.Get(Email), call.Get(Authority)), cancel);
            if (!said.Ok)
                return said.Problem;
            var last = said.Value.LastOrDefault() ?? "";
            call.Screen.Line(last.StartsWith("theirs ", StringComparison.Ordinal) ? last["theirs ".Length..] : host);
            call.Screen.Say(last.StartsWith("theirs ", StringComparison.Ordinal) ? $"nginx serves HTTPS for {host} by somebody else's configuration: put the lines above into it" : $"{host} has a certificate, and nginx serves it");
            return ExitCodes.Ok;
        });

    private static Verb MakeList() =>
        new Verb("list", "List the certificates of the edge machine, and what each host shows.",
            ("dure cert list", "with the days that are left"),
            ("dure cert list --format json", "for a program"))
        .With(Edge)
        .Runs(async (call, cancel) =>
        {
            var said = await SayAsync(call, static _ => CertbotScript.List, cancel);
            if (!said.Ok)
                return said.Problem;
            var now = call.Time.GetUtcNow();
            var views = new List<CertificateView>();
            foreach (var (name, end) in said.Value.Select(line => line.Split(' ')).Where(words => words.Length == 2).Select(words => (words[0], DateTimeOffset.FromUnixTimeSeconds(long.Parse(words[1], CultureInfo.InvariantCulture)))))
            {
                var shown = await ServedCertificate.LookAsync(new Uri($"https://{name}"), call.Time, cancel);
                views.Add(new(name, end, (int)Math.Floor((end - now).TotalDays), shown.ExpiresAt, shown.Said, shown.SeenAt, shown.Ok && end - now > ServedCertificate.WarnBefore));
            }

            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(views, CertJson.Default.ListCertificateView);
            else if (views.Count == 0)
                call.Screen.Say("certbot has no certificate there yet: dure cert request HOST");
            else
            {
                call.Screen.Table([new("host"), new("state", Painted: true), new("days", RightAligned: true), new("shown to the world", 20)],
                    [.. views.Select(view => (IReadOnlyList<string>)[view.Host, view.Ok ? "ok" : "failed", view.DaysLeft.ToString(CultureInfo.InvariantCulture), view.Shown])]);
            }

            return views.Find(view => !view.Ok) is { } due ? CertificateErrors.Due.With($"{due.Host}: {due.Shown}; certbot has one for {due.DaysLeft} days.") : ExitCodes.Ok;
        });

    private static Verb MakeRenew() =>
        new Verb("renew", "Renew what is due, now.",
            ("dure cert renew", "what its timer does, without its wait"),
            ("dure cert renew lab.example --force", "also when it is not due"))
        .With(SomeHost, Edge, Force)
        .Runs(async (call, cancel) =>
        {
            var host = call.Get(SomeHost)?.ToLowerInvariant();
            if (host is not null && !HostPattern().IsMatch(host))
                return CertificateErrors.BadHost.With($"'{Dure.Host.Texts.Shown.Safely(host)}'");
            var said = await SayAsync(call, _ => CertbotScript.Renew(host, call.Get(Force)), cancel);
            if (!said.Ok)
                return said.Problem;
            foreach (var line in said.Value.Where(line => line.StartsWith("  /", StringComparison.Ordinal)))
                call.Screen.Line(line.Trim());
            return ExitCodes.Ok;
        });

    private static async Task<Outcome<List<string>>> SayAsync(Call call, Func<AppsOptions, string> script, CancellationToken cancel)
    {
        var loaded = ConfigurationLoader.Load(call.Sources());
        if (!loaded.Ok)
            return loaded.Problem;
        var apps = loaded.Value.Options.Apps;
        if ((call.Get(Edge) ?? apps.Edge) is not { Length: > 0 } edge || edge.StartsWith('-'))
            return CertificateErrors.NoEdge.With("Neither --edge nor apps.edge says which.");
        var ran = await SshSession.OnceAsync(SshTarget.Of(edge, apps.SshConfig), script(apps), cancel);
        if (!ran.Ok)
            return ran.Problem;
        var (code, lines) = ran.Value;
        var text = $"{edge}: {string.Join("; ", lines.TakeLast(12))}";
        return code switch
        {
            0 => lines,
            CertbotScript.NoCertbot => CertificateErrors.NoCertbot.With(text),
            EdgeScript.NoNginx => EdgeErrors.NginxMissing.With(text),
            CertbotScript.NotShown => CertificateErrors.NotShown.With(text),
            CertbotScript.Refused => CertificateErrors.Refused.With(text),
            _ => EdgeErrors.Refused.With(text),
        };
    }

    [GeneratedRegex(@"^(?=.{4,253}\z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex HostPattern();
}

/// <summary>A certificate of the edge machine, and what its host shows.</summary>
internal sealed record CertificateView(string Host, DateTimeOffset ExpiresAt, int DaysLeft, DateTimeOffset? ShownExpiresAt, string Shown, DateTimeOffset SeenAt, bool Ok);

/// <summary>JSON that the verbs about certificates print.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(List<CertificateView>))]
internal sealed partial class CertJson : JsonSerializerContext;
