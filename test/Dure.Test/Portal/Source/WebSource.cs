using System.Text.Json.Nodes;
using Dure.Test.Processes;

namespace Dure.Test.Portal.Source;

/// <summary>The portal's source: its files, its catalogues, its routes.</summary>
internal static class WebSource
{
    /// <summary>Its folder.</summary>
    public static string Root => Path.Combine(Repository.Root, "web");

    /// <summary>Every script of the portal with its path below <c>web/src</c>; what is generated is left out.</summary>
    public static IReadOnlyDictionary<string, string> Scripts { get; } = Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.ts*", SearchOption.AllDirectories)
        .Where(path => !path.EndsWith(".d.ts", StringComparison.Ordinal))
        .ToDictionary(path => Path.GetRelativePath(Path.Combine(Root, "src"), path), File.ReadAllText, StringComparer.Ordinal);

    /// <summary>The catalogue of a language: every text by its key.</summary>
    public static IReadOnlyDictionary<string, string> Catalogue(string language) =>
        Flat(JsonNode.Parse(File.ReadAllText(Path.Combine(Root, "src", "i18n", language + ".json")))!.AsObject(), "").ToDictionary(StringComparer.Ordinal);

    /// <summary>Runs a program of Node.js in the portal's folder, once what it needs is installed.</summary>
    public static async Task<(int Code, string Text)> NodeAsync(CancellationToken cancel, params string[] words)
    {
        var (installed, text) = await Child.RunAsync(cancel, Path.Combine(Root, "build.sh"), "--tools");
        return installed != 0 ? (installed, text) : await Child.RunAsync(cancel, ["sh", "-c", """cd "$1" && shift && exec node "$@" """, "sh", Root, .. words]);
    }

    private static IEnumerable<KeyValuePair<string, string>> Flat(JsonObject tree, string start) => tree.SelectMany(entry => entry.Value is JsonObject inner
        ? Flat(inner, start + entry.Key + ".") : [KeyValuePair.Create(start + entry.Key, (string)entry.Value!)]);
}
