using System.Text.RegularExpressions;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Finds the errors among a compiler's lines. All lines went to the user already; these are for the problem.</summary>
internal static partial class CompilerOutput
{
    private const int FaultsMax = 20;

    /// <summary>DURE0109 with the compiler's own words.</summary>
    public static Problem Problem(IReadOnlyList<string> lines, string language, BuildExit exit)
    {
        var faults = lines.Select((_, i) => Esbuild(lines, i) ?? Fault(lines[i])).OfType<Fault>().Distinct().Take(FaultsMax).ToList();
        var detail = faults.Count > 0 ? $"{faults[0].Where}: {faults[0].What}" : lines.LastOrDefault(l => l.Trim().Length > 0) ?? $"nothing was written, and the exit code is {exit.Code}{(exit.Detail is null ? "" : $" ({exit.Detail})")}.";
        return DeployErrors.CompileFailed.With($"{language}: {detail}{(faults.Count > 1 ? $" (and {faults.Count - 1} more)" : "")}", faults);
    }

    /// <summary>esbuild: <c>[ERROR] what</c>, then the place on a line of its own.</summary>
    private static Fault? Esbuild(IReadOnlyList<string> lines, int i)
    {
        const string mark = "[ERROR] ";
        var at = lines[i].IndexOf(mark, StringComparison.Ordinal);
        var place = at < 0 ? null : lines.Skip(i + 1).Take(3).FirstOrDefault(l => l.TrimEnd().EndsWith(':'))?.Trim().TrimEnd(':');
        return place is null ? null : new(Tidy(place), lines[i][(at + mark.Length)..]);
    }

    private static Fault? Fault(string line)
    {
        var match = Colons().Match(line);
        if (!match.Success)
            match = Parentheses().Match(line);
        return match.Success ? new($"{Tidy(match.Groups["file"].Value)}:{match.Groups["line"].Value}{Column(match)}", match.Groups["what"].Value.Trim()) : null;
    }

    private static string Column(Match match) => match.Groups["column"] is { Success: true, Value: var column } ? ":" + column : "";

    private static string Tidy(string file) => file.StartsWith("/code/", StringComparison.Ordinal) ? file["/code/".Length..] : file.StartsWith("./", StringComparison.Ordinal) ? file[2..] : file;

    /// <summary>gcc, clang, Go, TypeScript through us, cmake: <c>file:line:column: error: what</c>; Go leaves "error" out.</summary>
    [GeneratedRegex(@"^\s*(?<file>[^\s:()]+\.\w+):(?<line>\d+)(:(?<column>\d+))?: ((fatal )?error: )?(?<what>(?!(warning|note|remark|required|In |in ))\S.*)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Colons();

    /// <summary>C#: <c>file(line,column): error CS0103: what [project]</c>.</summary>
    [GeneratedRegex(@"^\s*(?<file>[^()]+)\((?<line>\d+),(?<column>\d+)\): error (?<what>.*?)( \[[^\]]*\])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parentheses();
}
