using System.Collections.Frozen;
using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Xml.Linq;
using Dure.Host.Configuration;

namespace Dure.Host.Commands;

/// <summary>The pages that are made from the program: settings, exit codes, verbs, errors.</summary>
internal static class ReferencePages
{
    /// <summary>Every page, by its path in the repository.</summary>
    public static IReadOnlyDictionary<string, string> All(Command root)
    {
        var pages = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["dure.example.yaml"] = ConfigurationReference.ExampleFile(),
            ["docs/reference/configuration.md"] = ConfigurationReference.Page(),
            ["docs/reference/exit-codes.md"] = ExitCodePage(),
            ["docs/reference/cli.md"] = CommandPage(root),
            ["docs/errors/README.md"] = ErrorIndex(),
        };
        foreach (var kind in ErrorCatalog.All)
        {
            pages[$"docs/errors/{kind.Id}.md"] = ErrorPage(kind);
        }

        return pages;
    }

    private static string ExitCodePage()
    {
        var text = new StringBuilder("""
            # Exit codes

            The command line ends with one of these. What went wrong is on standard error; with `--format json` it is a JSON object there.

            | code | name | meaning |
            |---|---|---|

            """);
        foreach (var (name, code, meaning) in Codes.Value)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {code} | {name} | {meaning} |");
        }

        return text.ToString();
    }

    private static string ErrorIndex()
    {
        var text = new StringBuilder("""
            # Errors

            Every expected failure has a stable id. The API answers with `application/problem+json` (RFC 9457) that holds the id, the command line prints it
            and ends with its [exit code](../reference/exit-codes.md).

            | id | title | HTTP | exit code |
            |---|---|---|---|

            """);
        foreach (var kind in ErrorCatalog.All)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| [{kind.Id}]({kind.Id}.md) | {kind.Title} | {kind.Status} | {kind.ExitCode} |");
        }

        return text.ToString();
    }

    /// <summary>The page of one kind of error; null when there is no such kind.</summary>
    public static string? ErrorPage(string id) => ErrorPages.Value.GetValueOrDefault(id);

    // Balancers ask for one of them every second to see whether the server lives.
    private static readonly Lazy<FrozenDictionary<string, string>> ErrorPages = new(static () => ErrorCatalog.All.ToFrozenDictionary(kind => kind.Id, ErrorPage, StringComparer.Ordinal));

    private static string ErrorPage(ErrorKind kind)
    {
        var code = Codes.Value.Single(code => code.Code == kind.ExitCode);
        return $"""
            # {kind.Id}: {kind.Title}

            {kind.Remedy}

            The API answers {kind.Status}; the command line ends with {code.Code} ({char.ToLowerInvariant(code.Meaning[0])}{code.Meaning[1..].TrimEnd('.')}).

            """;
    }

    private static string CommandPage(Command root)
    {
        var text = new StringBuilder("""
            # Commands

            Data goes to standard output, talk to standard error. `--help` after any command shows what stands here. [Exit codes](exit-codes.md),
            [settings](configuration.md).

            """);
        foreach (var command in Walk(root))
        {
            text.AppendLine().Append("## ").AppendLine(HelpText.PathOf(command)).AppendLine().AppendLine("```")
                .Append(HelpText.Render(command)).AppendLine("```");
        }

        return text.ToString();
    }

    private static IEnumerable<Command> Walk(Command command) => command.Hidden ? [] : command.Subcommands.SelectMany(Walk).Prepend(command);

    private static readonly Lazy<List<(string Name, int Code, string Meaning)>> Codes = new(ReadCodes);

    /// <summary>The codes with their doc comments, which the compiler puts beside the program.</summary>
    private static List<(string Name, int Code, string Meaning)> ReadCodes()
    {
        var comments = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "dure.xml")).Descendants("member")
            .ToDictionary(member => (string)member.Attribute("name")!, member => (string?)member.Element("summary") ?? "", StringComparer.Ordinal);
        return typeof(ExitCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (field.Name, (int)field.GetRawConstantValue()!, comments[$"F:{typeof(ExitCodes).FullName}.{field.Name}"].Trim()))
            .OrderBy(code => code.Item2).ToList();
    }
}
