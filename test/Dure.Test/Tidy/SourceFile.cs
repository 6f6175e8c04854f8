using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dure.Test.Tidy;

/// <summary>A text file of the repository.</summary>
/// <param name="Path">Relative to the root, with forward slashes.</param>
public sealed record SourceFile(string Path, string Text)
{
    private static readonly CSharpParseOptions Options = new(LanguageVersion.Preview);
    private CompilationUnitSyntax? _syntax;

    /// <summary>The suffix with its dot.</summary>
    public string Kind => System.IO.Path.GetExtension(Path);

    /// <summary>Lines, the last one also when it does not end in a line feed.</summary>
    public int Lines => Text.AsSpan().Count('\n') + (Text.Length > 0 && !Text.EndsWith('\n') ? 1 : 0);

    /// <summary>The parsed file; only for C#.</summary>
    public CompilationUnitSyntax Syntax => _syntax ??= (CompilationUnitSyntax)CSharpSyntaxTree.ParseText(Text, Options, Path).GetRoot();

    /// <summary>A fault at a place in this file.</summary>
    public string Fault(SyntaxNode node, string what) => Fault(node.GetLocation().GetLineSpan().StartLinePosition.Line + 1, what);

    /// <summary>A fault at a line, counted from 1.</summary>
    public string Fault(int line, string what) => $"{Path}:{line} {what}";

    /// <summary>The type declarations, nested ones too.</summary>
    public IEnumerable<BaseTypeDeclarationSyntax> Types() => Syntax.DescendantNodes().OfType<BaseTypeDeclarationSyntax>();
}
