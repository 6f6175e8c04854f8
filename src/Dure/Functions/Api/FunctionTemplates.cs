using System.Reflection;
using System.Text.RegularExpressions;
using Dure.Functions.Deploy;

namespace Dure.Functions.Api;

/// <summary>The examples of the repository, to begin functions with. They travel inside the executable.</summary>
internal static partial class FunctionTemplates
{
    private const string Folder = "examples/";
    private const string About = "README.md";

    private static readonly Lazy<IReadOnlyList<TemplateView>> s_all = new(Load);

    /// <summary>Every template, the smallest ones first.</summary>
    public static IReadOnlyList<TemplateView> All => s_all.Value;

    private static List<TemplateView> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal) && name.Count(c => c == '/') > 1)
            .Select(name => (Example: name.Split('/')[1], Path: name.Split('/', 3)[2], Content: Read(assembly, name)))
            .GroupBy(file => file.Example, StringComparer.Ordinal)
            .Select(example => Template(example.Key, [.. example.Select(file => (file.Path, file.Content))]))
            .OrderBy(template => template.Name.StartsWith("hello-", StringComparison.Ordinal) ? 0 : 1).ThenBy(template => template.Name, StringComparer.Ordinal)];
    }

    private static TemplateView Template(string name, List<(string Path, string Content)> files)
    {
        var about = files.Find(file => file.Path == About).Content ?? "";
        var code = files.Where(file => file.Path != About).OrderBy(file => file.Path, StringComparer.Ordinal).ToList();
        var settings = code.Find(file => file.Path == FunctionYaml.FileName).Content is { } yaml && FunctionYaml.Parse(yaml) is { Ok: true } parsed ? parsed.Value : new FunctionSettings();
        var runtime = RuntimeDetection.Detect([.. code.Select(file => new SourceEntry(file.Path, SourceKind.File, false, file.Content.Length, null))], settings);
        var given = Event().Match(about);
        return new TemplateView(name, runtime.Ok ? runtime.Value.Runtime : "", about.Split(" Deploy with ")[0].Trim(), given.Success ? given.Groups["event"].Value : "{}",
            [.. code.Select(file => new TemplateFileView(file.Path, file.Content, file.Content.StartsWith("#!", StringComparison.Ordinal)))]);
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("--data '(?<event>[^']*)'", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Event();
}
