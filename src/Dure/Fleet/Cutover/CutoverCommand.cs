using System.CommandLine;
using System.Net;
using Dure.Fleet.Apply;
using Dure.Fleet.Check;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Commands;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Balancer;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Fleet.Cutover;

/// <summary><c>dure cutover</c>: the way from an old server to the fleet, step by step, each checked and each with its way back. It looks and changes nothing.</summary>
internal static class CutoverCommand
{
    private const int Width = 100;

    private static readonly string[] Doors = ["edge", "balancer", "web", "dure"];

    private static readonly Option<string?> Old = new("--old") { Description = "The server that the fleet replaces: a name or an address.", HelpName = "ADDRESS" };

    private static readonly Option<string?> Domain = new("--domain") { Description = "The name that clients use; without, fleet.domain.", HelpName = "NAME" };

    private static readonly Option<string?> Watch = new("--watch") { Description = "Ask through the name for so long, and count what fails.", HelpName = "TIME" };

    private static readonly Option<bool> All = new("--all") { Description = "Say of every step what to do and how it is taken back, not of the next one only." };

    public static Verb Make() =>
        new Verb("cutover", "Go from an old server to the fleet step by step: looks how far it is, says what to do next, and how to take it back. Changes nothing.",
            ("dure cutover --old 192.0.2.7", "how far it is, and what is next"),
            ("dure cutover --old 192.0.2.7 --all", "the whole way, for printing"),
            ("dure cutover --old 192.0.2.7 --watch 30m", "after the switch: do requests through the name fail?"))
        .With(Old, Domain, Watch, All)
        .Runs(RunAsync);

    private static async Task<Outcome<int>> RunAsync(Call call, CancellationToken cancel)
    {
        var span = call.Get(Watch) is { } given ? Units.ReadDuration(given) : default;
        if (span.Error is { } wrong)
            return HostErrors.BadRequest.With("--watch: " + wrong);
        var loaded = await FleetSource.LoadAsync(call, cancel);
        if (!loaded.Ok)
            return loaded.Problem;
        var fleet = loaded.Value;
        var (domain, old) = (call.Get(Domain) ?? fleet.Domain, call.Get(Old) ?? "");
        if (Uri.CheckHostName(old) == UriHostNameType.Unknown && old.Length > 0)
            return HostErrors.BadRequest.With($"--old: {Host.Texts.Shown.Safely(old)} is neither a name nor an address.");
        if (call.Get(Watch) is not null && domain.Length == 0)
            return HostErrors.BadRequest.With("--watch asks through the name that clients use: set fleet.domain in dure.yaml, or say it with --domain.");
        var to = Front(fleet);
        var facts = await Working.RunAsync(call.Screen, "asking the machines", working => LookAsync(call, fleet, domain, old, to, span.Value, working, cancel));
        var steps = CutoverPlan.Of(fleet, domain, old, to, facts);
        // What cannot be seen is not what holds a cutover up: people know whether the copy is complete.
        var next = steps.FirstOrDefault(step => step.State == Answer.No) ?? steps.FirstOrDefault(step => step.State == Answer.Unknown);
        if (call.Screen.Format == OutputFormat.Json)
            call.Screen.Json(new CutoverView(fleet.Name, domain, old, to?.ToString() ?? "", next?.Id, steps), CutoverJson.Default.CutoverView);
        else
            Print(call, steps, next);
        return facts.Watched is { Failed: > 0 } ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <summary>Where clients are to be led: the virtual address, else the first door, else the first machine that serves.</summary>
    internal static IPAddress? Front(FleetModel fleet) => fleet.Front is { Vip: { } vip } && fleet.With("balancer").Count > 0
        ? vip
        : Doors.SelectMany(fleet.With).Select(machine => machine.On("public") ?? fleet.AddressOf(machine)).FirstOrDefault();

    private static async Task<CutoverFacts> LookAsync(Call call, FleetModel fleet, string domain, string old, IPAddress? to, TimeSpan watch, Working working, CancellationToken cancel)
    {
        using var probe = new CutoverProbe(call.Time);
        var report = CheckReport.Of(fleet, RoleKinds.All, FleetSource.Facts(call, fleet), FleetSource.Opens);
        var facts = new CutoverFacts(report.Readiness, report.Errors);
        var opened = await FleetSource.OpenAsync(call, fleet, withHealth: true, cancel);
        if (opened.Ok)
        {
            facts = Seen(facts, opened.Value);
            await PlanCommand.CloseAsync(opened.Value);
        }
        else
        {
            facts = facts with { Unreachable = $"{opened.Problem.Detail} ({opened.Problem.Kind.Id})" };
        }

        var tls = fleet.Get(BalancerSettings.Tls) || fleet.With("edge").Count > 0;
        facts = facts with
        {
            Front = to is null ? null : await probe.AskAsync(Root("http", to.ToString()), domain, cancel),
            Certificate = to is null || domain.Length == 0 || !tls ? null : await CutoverProbe.CertificateAsync(to, domain, cancel),
            Old = old.Length == 0 ? null : await probe.AskAsync(Root("http", old), domain, cancel),
            Resolved = domain.Length == 0 ? null : await CutoverProbe.ResolveAsync(domain, cancel),
        };
        if (watch <= TimeSpan.Zero)
            return facts;
        var url = Root(tls ? "https" : "http", domain);
        working.Say($"asking {url}");
        return facts with { Watched = await probe.WatchAsync(url, watch, seen => Told(call, working, url, seen), cancel) };
    }

    private static void Told(Call call, Working working, Uri url, Watched seen)
    {
        // Off a terminal every step is a line: once a minute is enough.
        if (call.Screen.Chatty || seen.Sent % 300 == 0)
            working.Say(Words.Text($"asking {url}: {seen.Sent} sent, {seen.Failed} failed"));
    }

    private static CutoverFacts Seen(CutoverFacts facts, IReadOnlyList<MachineSession> machines) => facts with
    {
        Pending = machines.Sum(machine => machine.Plan.Changes.Count),
        Health = [.. machines.SelectMany(machine => machine.Seen.Health.Select(seen => new RoleHealth(machine.Machine.Name, machine.Desired.Health[seen.Key].Role, seen.Value.ExitCode == 0)))],
        Holders = [.. machines.Where(machine => machine.Seen.Leads.Contains("balancer")).Select(machine => machine.Machine.Name)],
    };

    private static Uri Root(string scheme, string host) => new UriBuilder(scheme, host) { Path = "/" }.Uri;

    private static void Print(Call call, IReadOnlyList<CutoverStep> steps, CutoverStep? next)
    {
        foreach (var (index, step) in steps.Index())
        {
            call.Screen.Line(Words.Text($"{index + 1}. {step.Title}"));
            foreach (var check in step.Checks)
                Paragraph(call, $"   {Answers.Mark(check.State)}  ", "        ", $"{check.Title}: {check.Evidence}");
            if (!call.Get(All) && step != next)
                continue;
            foreach (var act in step.Do)
                Paragraph(call, "   →    ", "        ", act);
            Paragraph(call, "   back ", "        ", step.Back);
        }

        call.Screen.Line("");
        call.Screen.Line(next is null ? "The fleet has taken over." : $"Next: {next.Title.ToLowerInvariant()}.");
    }

    private static void Paragraph(Call call, string first, string rest, string text)
    {
        foreach (var (index, line) in TextWrap.Lines(text, Width - first.Length - 2).Index())
            call.Screen.Line((index == 0 ? first : rest) + line);
    }
}
