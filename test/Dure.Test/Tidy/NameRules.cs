using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dure.Test.Tidy;

/// <summary>Names say what a thing is, in the words of the field.</summary>
internal static partial class NameRules
{
    private static readonly string[] SaysNothing = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Misc", "Common"];

    // Written in two parts, so that this file keeps the rule.
    private static readonly string[] LeftUndone = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X", "NotImplemented" + "Exception"];

    /// <summary>No type is called by a word that says nothing.</summary>
    public static IEnumerable<string> Types(IEnumerable<SourceFile> files) =>
        from file in files
        from type in file.Types()
        from word in Words().Matches(type.Identifier.Text).Select(match => match.Value)
        where SaysNothing.Contains(word, StringComparer.Ordinal)
        select file.Fault(type, $"{type.Identifier.Text}: \"{word}\" says nothing. Name what it is or does.");

    /// <summary>A file's namespace is its folder.</summary>
    public static IEnumerable<string> Namespaces(IEnumerable<SourceFile> files) =>
        from file in files
        from declared in file.Syntax.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
        let expected = NamespaceOf(file.Path)
        where declared.Name.ToString() != expected
        select file.Fault(declared, $"namespace {declared.Name} should be {expected}, after its folder.");

    /// <summary>Tests read as sentences.</summary>
    public static IEnumerable<string> Tests(IEnumerable<SourceFile> files) =>
        from file in files
        from method in file.Syntax.DescendantNodes().OfType<MethodDeclarationSyntax>()
        where method.AttributeLists.SelectMany(list => list.Attributes).Any(IsTest)
        where !Sentence().IsMatch(method.Identifier.Text)
        select file.Fault(method, $"{method.Identifier.Text} is no sentence, such as A_lost_worker_is_noticed.");

    /// <summary>Every public type of the product says what it is.</summary>
    public static IEnumerable<string> DocComments(IEnumerable<SourceFile> files) =>
        from file in files
        from type in file.Types()
        where type.Modifiers.Any(SyntaxKind.PublicKeyword) && type.Parent is BaseNamespaceDeclarationSyntax or CompilationUnitSyntax
        where !type.Modifiers.Any(SyntaxKind.PartialKeyword) || !files.Any(other => HasComment(other, type.Identifier.Text))
        where !HasComment(type)
        select file.Fault(type, $"{type.Identifier.Text} is public and has no doc comment.");

    /// <summary>Nothing is left for later.</summary>
    public static IEnumerable<string> NothingLeftUndone(IEnumerable<SourceFile> files) =>
        from file in files
        from line in file.Text.Split('\n').Index()
        from word in LeftUndone
        where Regex.IsMatch(line.Item, $@"\b{word}\b", RegexOptions.None, TimeSpan.FromSeconds(1))
        select file.Fault(line.Index + 1, $"{word}: do it, or write an issue.");

    private static string NamespaceOf(string path)
    {
        var folders = path.Split('/')[..^1];
        return string.Join('.', folders is ["src", .. var product] ? product : folders is ["test", .. var test] ? test : folders);
    }

    private static bool IsTest(AttributeSyntax attribute) => attribute.Name.ToString().Split('.')[^1] is "Fact" or "Theory" or "Property";

    private static bool HasComment(SourceFile file, string name) => file.Types().Any(type => type.Identifier.Text == name && HasComment(type));

    private static bool HasComment(BaseTypeDeclarationSyntax type) =>
        type.GetLeadingTrivia().Any(trivia => trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia)
            && (trivia.ToString().Contains("<summary>", StringComparison.Ordinal) || trivia.ToString().Contains("<inheritdoc", StringComparison.Ordinal)));

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", RegexOptions.None, 1000)]
    private static partial Regex Words();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+){2,}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Sentence();
}
