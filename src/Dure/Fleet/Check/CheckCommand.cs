using System.CommandLine;
using Dure.Fleet.Check.Drawing;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Fleet.Check;

/// <summary><c>dure check</c>: what would break, found without touching anything.</summary>
internal static class CheckCommand
{
    /// <summary>The fleet's file; for the loader to read.</summary>
    public static readonly Argument<string?> File = new("file") { Description = "The fleet's file; without, dure.yaml here.", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<string?> Svg = new("--svg") { Description = "Also draw the fleet into this file.", HelpName = "FILE" };

    private static readonly Option<bool> Mermaid = new("--mermaid") { Description = "Print the drawing as a Mermaid flow chart instead of the report." };

    private static readonly Option<bool> Strict = new("--strict") { Description = "Exit with 2 on warnings too." };

    /// <param name="load">Reads the file that <see cref="File"/> names.</param>
    /// <param name="facts">What is known beyond the file; null when nothing but the time is.</param>
    /// <param name="opens">What a machine's firewall lets in, asked for few machines; null when none is derived.</param>
    /// <param name="catalogue">Every role that there is; null takes <see cref="RoleKinds.All"/>.</param>
    public static Verb Make(
        Func<Call, CancellationToken, Task<Outcome<FleetModel>>> load,
        Func<Call, FleetModel, CancellationToken, Task<CheckFacts>>? facts = null,
        Func<FleetModel, Machine, Admits>? opens = null,
        IReadOnlyList<RoleKind>? catalogue = null) =>
        new Verb("check", "Say what is wrong with a fleet's file, what each loss would stop, and what the fleet can take; nothing is touched.",
            ("dure check", "dure.yaml here: findings, losses, capacity and readiness; exit code 2 when there are errors"),
            ("dure check fleet.yaml --svg fleet.svg", "and a picture of it"),
            ("dure check --strict --format json", "for a program that accepts no warnings"))
        .With(File, Svg, Mermaid, Strict)
        .Runs(async (call, cancel) =>
        {
            var loaded = await load(call, cancel);
            if (!loaded.Ok)
                return loaded.Problem;
            var known = facts is null ? new CheckFacts(call.Time.GetUtcNow()) : await facts(call, loaded.Value, cancel);
            var report = CheckReport.Of(loaded.Value, catalogue ?? RoleKinds.All, known, opens);
            if (call.Get(Svg) is { } path)
                await System.IO.File.WriteAllTextAsync(path, SvgDrawing.Render(report.Topology), cancel);
            Print(call, report);
            return report.ExitCode(call.Get(Strict));
        });

    private static void Print(Call call, CheckReport report)
    {
        if (call.Get(Mermaid))
        {
            call.Screen.Out.Write(MermaidDrawing.Render(report.Topology));
            call.Screen.Say(CheckText.Verdict(report));
            return;
        }
        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(CheckView.Of(report), CheckJson.Default.CheckView);
            return;
        }
        foreach (var line in CheckText.Lines(report))
            call.Screen.Line(line);
    }
}
