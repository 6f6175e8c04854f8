using Dure.Fleet.Check.Drawing;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Check.Losses;
using Dure.Fleet.Roles;
using Dure.Host.Terminal;

namespace Dure.Fleet.Check;

/// <summary>A report as lines of text for a terminal of 100 columns. What is to be done stands last, above the prompt.</summary>
internal static class CheckText
{
    private const int Width = TerminalDrawing.Width;
    private const int PairsShown = 6;

    public static IEnumerable<string> Lines(CheckReport report) =>
    [
        $"{report.Fleet}: {Words.Count(report.Machines, "machine")}", "",
        .. TerminalDrawing.Lines(report.Topology), "",
        .. Losses(report.Losses), "",
        .. Capacity(report), "",
        .. Readiness(report.Readiness), "",
        .. Findings(report.Findings),
        Verdict(report),
    ];

    /// <summary>The findings alone, errors first: severity, place and rule, then what is wrong, then what to do.</summary>
    public static IEnumerable<string> Findings(IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings)
        {
            yield return $"{CheckView.Word(finding.Severity),-8} {finding.Where}  {finding.Rule}";
            foreach (var line in Indented(finding.What, "         "))
                yield return line;
            foreach (var line in Indented("→ " + finding.Remedy, "         "))
                yield return line;
            yield return "";
        }
    }

    /// <summary>One line: how many of each.</summary>
    public static string Verdict(CheckReport report)
    {
        var notes = report.Findings.Count - report.Errors - report.Warnings;
        return report.Findings.Count == 0
            ? "Nothing to object to."
            : $"{Words.Count(report.Errors, "error")}, {Words.Count(report.Warnings, "warning")}, {Words.Count(notes, "note")}.{(report.Errors > 0 ? " Nothing is applied until the errors are gone." : "")}";
    }

    private static IEnumerable<string> Losses(LossReport losses)
    {
        yield return "WHAT A LOSS DOES";
        if (losses.Services.Where(service => service.Survives < 0).Select(service => service.Service).ToList() is { Count: > 0 } down)
            yield return $"{Words.All(down)} {(down.Count == 1 ? "does" : "do")} not work at all, see below.";
        foreach (var line in losses.Machines.Concat(losses.Domains.Where(domain => domain.Stops.Count > 0)).SelectMany(loss => Indented(loss.ToString(), "")))
            yield return line;
        if (losses.Domains.Where(domain => domain.Stops.Count == 0).Select(domain => domain.Lost[0]).ToList() is { Count: > 0 } harmless)
            yield return $"If {Words.List(harmless, "or")} dies: no service stops.";
        var listed = losses.Machines.Count(line => line.Stops.Count == 0);
        if (losses.Quiet > listed)
            yield return Words.Text($"{(losses.Machines.Count > listed ? "If any one of the other" : "If any one of the")} {losses.Quiet} machines dies: no service stops.");
        foreach (var pair in losses.Pairs.Take(PairsShown).SelectMany(loss => Indented(loss.ToString(), "")))
            yield return pair;
        if (losses.Pairs.Count + losses.PairsLeftOut is var pairs && pairs > PairsShown)
            yield return Words.Text($"{pairs - PairsShown} more pairs stop something; every other pair may be lost.");
        foreach (var quorum in losses.Quorums)
            yield return Quorum(quorum);
    }

    private static string Quorum(QuorumLine quorum) =>
        Words.Text($"Quorum {quorum.Role}: {quorum.Members}, majority {quorum.Majority}; ")
        + string.Join(", ", quorum.Zones.Select(zone => $"{(zone.Zone.Length == 0 ? "no zone" : "zone " + zone.Zone)} {Words.List(zone.Machines)}"))
        + (quorum.Members > 1 && quorum.Zones.Count > 1 && quorum.Fatal.Any() ? $"; lost with zone {Words.List([.. quorum.Fatal], "or")}" : "");

    private static IEnumerable<string> Capacity(CheckReport report)
    {
        var (asked, there) = (report.Capacity.Asked, report.Capacity.There);
        yield return "CAPACITY AND COST";
        if (report.Capacity.Unknown.Count > 0)
        {
            // What is not known is not nothing: a sum without it would say that everything is too little.
            foreach (var line in Indented(Words.Text($"asked: {Words.Number(asked.Cores)} cores, {Phrase.Size((long)asked.Memory)} of memory, {Phrase.Size((long)asked.Disk)} of disk; what is there is not known, because the file does not give the hardware of {Words.List(report.Capacity.Unknown)}"), ""))
                yield return line;
            foreach (var line in Indented(report.Cost.ToString(), ""))
                yield return line;
            yield break;
        }

        yield return $"asked / there: {Words.Number(asked.Cores)} / {Words.Number(there.Cores)} cores, {Phrase.Size((long)asked.Memory)} / {Phrase.Size((long)there.Memory)} of memory, {Phrase.Size((long)asked.Disk)} / {Phrase.Size((long)there.Disk)} of disk";
        if (report.Capacity.WithoutLargest.Count > 0)
        {
            var left = report.Capacity.WithoutLargest.GroupBy(left => left.Lost, StringComparer.Ordinal)
                .Select(lost => $"without {lost.Key} {Words.All([.. lost.Select(each => ReadinessList.Amount(each.Resource, Math.Abs(each.Free)) + (each.Free < 0 ? " too little" : ""))])}");
            foreach (var line in Indented($"free if everything had to fit on the others: {string.Join("; ", left)}", ""))
                yield return line;
        }
        foreach (var line in Indented(report.Cost.ToString(), ""))
            yield return line;
    }

    private static IEnumerable<string> Readiness(IReadOnlyList<ReadinessItem> items)
    {
        yield return Words.Text($"READINESS  {items.Count(item => item.State == Answer.Yes)} of {items.Count}");
        foreach (var item in items)
        {
            var mark = Answers.Mark(item.State);
            foreach (var (index, line) in TextWrap.Lines($"{item.Title}: {item.Evidence}", Width - 5).Index())
                yield return (index == 0 ? $"{mark}  " : "     ") + line;
        }
    }

    private static IEnumerable<string> Indented(string text, string indent) =>
        TextWrap.Lines(text, Width - indent.Length - 2).Select((line, index) => indent + (index > 0 && indent.Length == 0 ? "  " : "") + line);
}
