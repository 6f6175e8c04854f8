using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dure.Test.Tidy;

/// <summary>Nothing is longer than a reader's patience.</summary>
internal static class LengthRules
{
    public const int FileLinesMax = 400;
    public const int MethodLinesMax = 70;
    public const int ProgramLinesMax = 80;

    // What users copy as one file stays one file, and so does what is generated as one.
    private static readonly string[] OneFileByPurpose = ["clients/python/dure.py", "web/src/lib/schema.d.ts"];

    private static readonly string[] Code =
        [".cs", ".py", ".mjs", ".js", ".ts", ".tsx", ".c", ".h", ".hpp", ".cpp", ".go", ".sh", ".bash"];

    /// <summary>Files have at most 400 lines.</summary>
    public static IEnumerable<string> Files(IEnumerable<SourceFile> files) =>
        from file in files
        where Code.Contains(file.Kind, StringComparer.Ordinal) || IsScript(file)
        where file.Lines > FileLinesMax && !OneFileByPurpose.Contains(file.Path, StringComparer.Ordinal)
        select file.Fault(FileLinesMax + 1, $"has {file.Lines} lines; {FileLinesMax} are the most. Split it by what its parts are for.");

    /// <summary>Methods, accessors, local functions and lambdas have at most 70 lines.</summary>
    public static IEnumerable<string> Methods(IEnumerable<SourceFile> files) =>
        from file in files
        from node in file.Syntax.DescendantNodes()
        where node is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax
        let span = node.GetLocation().GetLineSpan()
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
        where lines > MethodLinesMax
        select file.Fault(node, $"a method of {lines} lines; {MethodLinesMax} are the most.");

    /// <summary>Program.cs holds the verbs and nothing else.</summary>
    public static IEnumerable<string> Program(SourceFile program) =>
        program.Lines > ProgramLinesMax
            ? [program.Fault(ProgramLinesMax + 1, $"has {program.Lines} lines; {ProgramLinesMax} are the most.")]
            : [];

    private static bool IsScript(SourceFile file) => file.Kind.Length == 0 && file.Text.StartsWith("#!", StringComparison.Ordinal);
}
