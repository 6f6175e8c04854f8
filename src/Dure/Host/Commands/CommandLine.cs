using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary>Parses the words and runs the verb.</summary>
internal static class CommandLine
{
    /// <summary>How words are parsed: <c>@file</c> is a value like any other, not a file of further words.</summary>
    public static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    /// <summary>The root with these verbs.</summary>
    public static RootCommand Root(params Verb[] verbs)
    {
        var root = new RootCommand("Dure runs functions without limits on machines of your own.") { HelpName = "dure" };
        foreach (var option in GlobalOptions.All)
        {
            root.Add(option);
        }

        foreach (var verb in verbs)
        {
            root.Add(verb);
        }

        root.Options.OfType<HelpOption>().Single().Action = new HelpText();
        root.Options.OfType<VersionOption>().Single().Action = new VersionText();
        return root;
    }

    /// <returns>The exit code, see <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(RootCommand root, string[] words, InvocationConfiguration? configuration = null)
    {
        configuration ??= new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(60), EnableDefaultExceptionHandler = false };
        var parsed = root.Parse(words.Length == 0 ? ["--help"] : words, Parsing);
        if (parsed.Errors.Count == 0 || parsed.Action?.ClearsParseErrors == true)
        {
            return await parsed.InvokeAsync(configuration);
        }

        await configuration.Error.WriteAsync(ProblemText.Render(Explain(parsed), colour: false));
        return ExitCodes.Usage;
    }

    private static Problem Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = HelpText.PathOf(command);
        if (parsed.UnmatchedTokens is [var word, ..] && command.Subcommands.Count > 0)
        {
            var names = command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name).ToList();
            var near = Spelling.Nearest(word, names);
            return CommandErrors.Usage.With($"There is no `{path} {word}`" + (near is null ? "" : $"; did you mean `{path} {near}`?")
                + (near is null ? $". There is: {string.Join(", ", names)}." : ""));
        }

        var faults = parsed.Errors.Select(error => new Fault(path, error.Message)).DistinctBy(fault => fault.What, StringComparer.Ordinal).ToList();
        return command.Subcommands.Count > 0 && command.Action is null
            ? CommandErrors.Usage.With($"`{path}` wants one more word: {string.Join(", ", command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name))}.")
            : CommandErrors.Usage.With("", faults);
    }
}

/// <summary>Prints the version.</summary>
internal sealed class VersionText : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine("dure " + DureVersion.Text);
        return ExitCodes.Ok;
    }
}
