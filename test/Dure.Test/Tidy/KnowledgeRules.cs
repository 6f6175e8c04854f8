using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dure.Test.Tidy;

/// <summary>Who may know whom (docs/ARCHITECTURE.md). A slice is the first folder under <c>src/Dure</c>; Program.cs knows all.</summary>
internal static class KnowledgeRules
{
    /// <summary>What each slice may use. A slice that is not here may not be made without saying what it may know.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> MayUse = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Host"] = [],
        ["Storage"] = ["Host"],
        ["Edge"] = ["Host", "Storage", "Fleet.Model"],
        ["Fleet"] = ["Host", "Storage", "Edge"],
        ["Apps"] = ["Host", "Storage", "Fleet.Model", "Edge"],
        ["Jobs"] = ["Host", "Storage", "Fleet.Model"],
        ["Inference"] = ["Host", "Storage", "Fleet.Model"],
        ["Tracking"] = ["Host", "Storage", "Fleet.Model"],
        ["Functions"] = ["Host", "Storage", "Fleet.Model", "Jobs", "Inference"],
        ["Portal"] = ["Host", "Storage", "Fleet", "Edge", "Apps", "Jobs", "Inference", "Tracking", "Functions"],
    };

    /// <summary>Files that may know more than their slice, because their purpose is to put the slices together.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Switchboard = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["src/Dure/Host/ServerHost.cs"] = ["Storage", "Functions", "Apps", "Portal"],
        ["src/Dure/Host/ServerControl.cs"] = ["Functions"],
        ["src/Dure/Host/HostServices.cs"] = ["Storage"],
        ["src/Dure/Host/Operations/Backups.cs"] = ["Storage"],
    };

    /// <summary>Interfaces that may have one implementation: the seams, which later issues implement again.</summary>
    public static readonly string[] Seams = ["IBlobs", "ILive", "ILiveSubscription", "IRoutes"];

    /// <summary>No slice uses one that it may not know, by a using directive or by a qualified name.</summary>
    public static IEnumerable<string> Slices(IReadOnlyCollection<SourceFile> files)
    {
        var folders = files.Where(file => SliceOf(file) is not null)
            .SelectMany(file => file.Types().Select(type => (Name: $"{FolderOf(file)}.{type.Identifier.Text}", Folder: FolderOf(file))))
            .ToLookup(type => type.Name, type => type.Folder, StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (SliceOf(file) is not { } slice)
            {
                continue;
            }
            if (!MayUse.TryGetValue(slice, out var allowed))
            {
                yield return file.Fault(1, $"the slice {slice} is new: say in KnowledgeRules what it may know.");
                continue;
            }
            allowed = [.. allowed, .. Switchboard.GetValueOrDefault(file.Path) ?? []];
            foreach (var (node, used) in Used(file, folders))
            {
                if (used.Split('.')[0] != slice && !allowed.Any(known => used == known || used.StartsWith(known + ".", StringComparison.Ordinal)))
                {
                    yield return file.Fault(node, $"{slice} may not know {used}.");
                }
            }
        }
    }

    /// <summary>Nothing gets an interface until it has a second real implementation.</summary>
    public static IEnumerable<string> Interfaces(IReadOnlyCollection<SourceFile> files)
    {
        var implemented = files.SelectMany(file => file.Types())
            .Where(type => type is ClassDeclarationSyntax or StructDeclarationSyntax or RecordDeclarationSyntax)
            .SelectMany(type => type.BaseList?.Types.Select(known => NameOf(known.Type)) ?? [])
            .CountBy(name => name, StringComparer.Ordinal)
            .ToDictionary(StringComparer.Ordinal);
        return
            from file in files
            from type in file.Types().OfType<InterfaceDeclarationSyntax>()
            let name = type.Identifier.Text
            where !Seams.Contains(name, StringComparer.Ordinal) && implemented.GetValueOrDefault(name) < 2
            select file.Fault(type, $"{name} has {implemented.GetValueOrDefault(name)} implementations; an interface waits for its second one.");
    }

    private static string? SliceOf(SourceFile file) => file.Path.Split('/') is ["src", "Dure", var slice, _, ..] ? slice : null;

    private static string FolderOf(SourceFile file) => string.Join('.', file.Path.Split('/')[2..^1]);

    private static IEnumerable<(CSharpSyntaxNode Node, string Folder)> Used(SourceFile file, ILookup<string, string> types)
    {
        foreach (var node in file.Syntax.DescendantNodes(descendIntoTrivia: true).OfType<CSharpSyntaxNode>())
        {
            var name = node switch
            {
                UsingDirectiveSyntax { Name: { } used } => used.ToString(),
                QualifiedNameSyntax qualified when qualified.Parent is not (QualifiedNameSyntax or BaseNamespaceDeclarationSyntax) => qualified.ToString(),
                QualifiedCrefSyntax reference => $"{reference.Container}.{reference.Member}",
                MemberAccessExpressionSyntax access => access.ToString(),
                _ => null,
            };
            if (name is null)
            {
                continue;
            }
            var absolute = name.StartsWith("global::", StringComparison.Ordinal) ? name["global::".Length..] : name;
            if (absolute.StartsWith("Dure.", StringComparison.Ordinal))
            {
                yield return (node, absolute["Dure.".Length..]);
            }
            else if (types[absolute].FirstOrDefault() is { } folder)
            {
                yield return (node, folder);
            }
        }
    }

    private static string NameOf(TypeSyntax type) => type switch
    {
        QualifiedNameSyntax qualified => NameOf(qualified.Right),
        SimpleNameSyntax simple => simple.Identifier.Text,
        _ => type.ToString(),
    };
}
