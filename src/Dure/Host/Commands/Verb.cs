using System.CommandLine;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Spectre.Console;

namespace Dure.Host.Commands;

/// <summary>A line that someone might type, and what it is for.</summary>
public sealed record Example(string Line, string Purpose);

/// <summary>A command with examples, whose outcome becomes an exit code.</summary>
internal sealed class Verb : Command
{
    /// <param name="examples">Pairs of a line and its purpose; every verb that runs has at least one.</param>
    public Verb(string name, string description, params (string Line, string Purpose)[] examples)
        : base(name, description) => Examples = [.. examples.Select(example => new Example(example.Line, example.Purpose))];

    public IReadOnlyList<Example> Examples { get; }

    /// <summary>What the verb does. A problem is printed on standard error and gives its exit code.</summary>
    public Verb Runs(Func<Call, CancellationToken, Task<Outcome<int>>> body)
    {
        SetAction(async (parsed, cancel) =>
        {
            var call = new Call(parsed);
            try
            {
                var outcome = await body(call, cancel);
                if (outcome.Ok)
                {
                    return outcome.Value;
                }

                call.Screen.Problem(outcome.Problem);
                return outcome.Problem.Kind.ExitCode;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
            catch (IOException broken) when (broken.Message.Contains("Broken pipe", StringComparison.OrdinalIgnoreCase))
            {
                return ExitCodes.Ok;
            }
            catch (Exception failure)
            {
                var problem = failure is IOException or UnauthorizedAccessException
                    ? CommandErrors.FileProblem.With(failure.Message)
                    : HostErrors.Unexpected.With(failure.ToString());
                call.Screen.Problem(problem);
                return problem.Kind.ExitCode;
            }
        });
        return this;
    }

    /// <summary>What a verb does that speaks to a server.</summary>
    public Verb Calls(Func<Call, DureClient, CancellationToken, Task<Outcome<int>>> body) => Runs(async (call, cancel) =>
    {
        var found = call.Client();
        if (!found.Ok)
        {
            return found.Problem;
        }

        using var client = found.Value;
        return await body(call, client, cancel);
    });

    /// <summary>Adds arguments, options and verbs; for building the tree in one expression.</summary>
    public Verb With(params Symbol[] symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument:
                    Add(argument);
                    break;
                case Option option:
                    Add(option);
                    break;
                case Command command:
                    Add(command);
                    break;
            }
        }

        return this;
    }

    /// <summary>Another name for the same verb.</summary>
    public Verb Alias(string name)
    {
        Aliases.Add(name);
        return this;
    }
}

/// <summary>One run of a verb: its words, its output, the configuration and the server that it speaks to.</summary>
internal sealed class Call(ParseResult parsed)
{
    private readonly Lazy<Screen> _screen = new(() => new Screen(
        parsed.InvocationConfiguration.Output,
        parsed.InvocationConfiguration.Error,
        TerminalTraits.OfProcess(),
        TimeProvider.System,
        parsed.GetValue(GlobalOptions.Format) is "json" ? OutputFormat.Json : OutputFormat.Table,
        parsed.GetValue(GlobalOptions.Quiet)));

    public Screen Screen => _screen.Value;

    public TimeProvider Time => Screen.Time;

    /// <summary>The root of all verbs.</summary>
    public Command Root => parsed.RootCommandResult.Command;

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>True when the option stands on the command line.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Asks before something is lost.</summary>
    /// <returns>True, or DURE0429 when the answer is no or nobody can be asked.</returns>
    public async Task<Outcome<bool>> ConfirmAsync(string question, bool yes, CancellationToken cancel)
    {
        if (yes)
        {
            return true;
        }

        return Screen.Traits is { InIsTerminal: true, ErrIsTerminal: true }
            && await new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = false }.ShowAsync(Screen.Talk, cancel)
            ? true
            : CommandErrors.NotConfirmed.With(question);
    }

    /// <summary>Where configuration comes from for this run; verbs with flags of their own give them.</summary>
    public ConfigurationSources Sources(IReadOnlyDictionary<string, (string Text, string Flag)>? flags = null)
    {
        var all = flags?.ToDictionary(StringComparer.Ordinal) ?? new(StringComparer.Ordinal);
        if (Get(GlobalOptions.Data) is { } data)
        {
            all[Settings.Data.Key] = (data, "--data");
        }

        return ConfigurationSources.OfProcess(all, Get(GlobalOptions.Config));
    }

    /// <summary>A client of the server that flags, environment or the data folder name.</summary>
    public Outcome<DureClient> Client()
    {
        var endpoint = ServerEndpoint.Find(Get(GlobalOptions.Url), Get(GlobalOptions.Token), Sources());
        return endpoint.Ok ? new DureClient(endpoint.Value) : endpoint.Problem;
    }
}
