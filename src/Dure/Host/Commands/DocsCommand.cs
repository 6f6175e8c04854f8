using System.CommandLine;

namespace Dure.Host.Commands;

/// <summary><c>dure docs generate</c>, for those who work on Dure: writes the reference pages that are made from the program itself.</summary>
internal static class DocsCommand
{
    private static readonly Option<string> Root = new("--root") { Description = "The repository.", HelpName = "DIR", DefaultValueFactory = _ => "." };

    /// <param name="more">Pages of the slices, by their path.</param>
    public static Verb Make(Func<IReadOnlyDictionary<string, string>> more) =>
        new Verb("docs", "Reference pages.") { Hidden = true }.With(
            new Verb("generate", "Write dure.example.yaml, docs/reference and docs/errors from the program.",
                ("dure docs generate", "after a change of settings, verbs or kinds of errors"))
            .With(Root)
            .Runs(async (call, cancel) =>
            {
                var pages = ReferencePages.All(call.Root).Concat(more()).ToDictionary(StringComparer.Ordinal);
                var root = call.Get(Root)!;
                var errors = Path.Combine(root, "docs", "errors");
                foreach (var old in Directory.Exists(errors) ? Directory.GetFiles(errors, "DURE*.md") : [])
                {
                    if (!pages.ContainsKey($"docs/errors/{Path.GetFileName(old)}"))
                    {
                        File.Delete(old);
                    }
                }

                foreach (var (path, text) in pages)
                {
                    var target = Path.Combine(root, path);
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
                    await File.WriteAllTextAsync(target, text, cancel);
                }

                call.Screen.Say($"{pages.Count} files are written.");
                return ExitCodes.Ok;
            }));
}
