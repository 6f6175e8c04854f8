using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary>Prints help: what the verb does, its words, and examples.</summary>
internal sealed class HelpText : SynchronousCommandLineAction
{
    /// <summary>Lines are wrapped at this many columns.</summary>
    public const int Width = 100;

    private const int LongestTerm = 30;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.Write(Render(parseResult.CommandResult.Command));
        return ExitCodes.Ok;
    }

    /// <summary>The help of one command.</summary>
    public static string Render(Command command)
    {
        var text = new StringBuilder();
        foreach (var line in TextWrap.Lines(command.Description ?? "", Width))
        {
            text.AppendLine(line);
        }

        text.AppendLine().Append("Usage: ").AppendLine(Usage(command));
        var subcommands = command.Subcommands.Where(sub => !sub.Hidden).ToList();
        Section(text, "Commands", subcommands.Select(sub => (string.Join(", ", sub.Aliases.Prepend(sub.Name)), sub.Description ?? "")));
        Section(text, "Arguments", command.Arguments.Where(argument => !argument.Hidden).Select(argument => (argument.Name.ToUpperInvariant(), argument.Description ?? "")));
        Section(text, "Options", Own(command).Select(option => (Term(option), Describe(option))));
        if (command is RootCommand)
        {
            Section(text, "Options of every command", GlobalOptions.All.Select(option => (Term(option), Describe(option)))
                .Append(("-h, --help", "Show what a command does, with examples.")).Append(("--version", "Show the version.")));
            text.AppendLine().AppendLine("`dure COMMAND --help` shows examples. Exit codes: 0 done, 1 failed, 2 wrong words, 3 not found,")
                .AppendLine("4 not allowed, 5 clash, 6 no server, 7 the function failed, 8 a limit, 9 something is missing.");
        }

        if (command is Verb { Examples.Count: > 0 } verb)
        {
            text.AppendLine().AppendLine("Examples:");
            var width = verb.Examples.Max(example => example.Line.Length);
            var fits = width + verb.Examples.Max(example => example.Purpose.Length) + 6 <= Width;
            foreach (var example in verb.Examples)
            {
                text.AppendLine(fits ? $"  {example.Line.PadRight(width)}  # {example.Purpose}" : $"  # {example.Purpose}\n  {example.Line}");
            }
        }

        if (command is not RootCommand)
        {
            var own = Own(command).Select(option => option.Name).ToList();
            var shared = GlobalOptions.All.Select(option => option.Name).Where(name => !own.Contains(name, StringComparer.Ordinal));
            text.AppendLine().AppendLine($"Also: {string.Join(", ", shared)}; see `dure --help`.");
        }

        return text.ToString();
    }

    /// <summary>The words that lead to a command, <c>dure</c> first.</summary>
    public static string PathOf(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : "dure";

    /// <summary>The options that only this command has, in the order they were added.</summary>
    public static IEnumerable<Option> Own(Command command) =>
        command.Options.Where(option => !option.Hidden && !option.Recursive && option is not (System.CommandLine.Help.HelpOption or VersionOption));

    /// <summary>An option as it is typed.</summary>
    public static string Term(Option option)
    {
        var names = option.Aliases.Append(option.Name).OrderBy(name => name.Length);
        return string.Join(", ", names) + (option.ValueType == typeof(bool) ? "" : " " + (option.HelpName ?? "VALUE"));
    }

    /// <summary>The usage line, after <c>Usage:</c>.</summary>
    public static string Usage(Command command)
    {
        var words = new List<string> { PathOf(command) };
        words.AddRange(command.Arguments.Where(argument => !argument.Hidden).Select(argument =>
            argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name.ToUpperInvariant()}]" : argument.Name.ToUpperInvariant()));
        if (command.Subcommands.Count > 0)
        {
            words.Add("COMMAND");
        }

        if (Own(command).Any() || command is RootCommand)
        {
            words.Add("[options]");
        }

        return string.Join(' ', words);
    }

    private static string Describe(Option option) => (option.Description ?? "") + (option.HasDefaultValue && option.ValueType != typeof(bool) && Default(option) is { Length: > 0 } value ? $" [{value}]" : "");

    private static string? Default(Option option) => option.GetDefaultValue() switch
    {
        string[] many => string.Join(' ', many),
        Enum one => one.ToString().ToLowerInvariant(),
        var other => other?.ToString(),
    };

    private static void Section(StringBuilder text, string title, IEnumerable<(string Term, string Meaning)> lines)
    {
        var all = lines.ToList();
        if (all.Count == 0)
        {
            return;
        }

        text.AppendLine().Append(title).AppendLine(":");
        var column = Math.Min(all.Max(line => line.Term.Length), LongestTerm) + 4;
        foreach (var (term, meaning) in all)
        {
            var first = "  " + term;
            if (first.Length > column - 2)
            {
                text.AppendLine(first);
                first = "";
            }

            foreach (var part in TextWrap.Lines(meaning, Width - column))
            {
                text.Append(first.PadRight(column)).AppendLine(part);
                first = "";
            }
        }
    }
}
