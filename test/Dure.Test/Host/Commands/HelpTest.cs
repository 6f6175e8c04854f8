using System.CommandLine;
using System.Text.RegularExpressions;
using Dure.Fleet.Commands;
using Dure.Functions.Commands;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Test.Tidy;
using Xunit;

namespace Dure.Test.Host.Commands;

public sealed class HelpTest
{
    private static readonly RootCommand Root = Verbs.Root();

    [Fact]
    public void Every_verb_that_runs_has_examples_that_it_would_understand() =>
        Assert.All(Walk(Root).OfType<Verb>().Where(verb => verb.Action is not null && !verb.Hidden), verb =>
        {
            Assert.NotEmpty(verb.Examples);
            Assert.All(verb.Examples, example =>
            {
                var words = Regex.Split(example.Line, "(?<![^ (])dure ", RegexOptions.None, TimeSpan.FromSeconds(1))[^1].Split('>', '|')[0].TrimEnd(')', ' ');
                var parsed = Root.Parse([.. Words(words)], CommandLine.Parsing);
                Assert.True(parsed.Errors.Count == 0, $"{example.Line}: {string.Join(' ', parsed.Errors)}");
                Assert.NotEqual(Root, parsed.CommandResult.Command);
            });
        });

    [Fact]
    public void A_verb_that_is_made_alone_is_the_one_that_was_typed_whichever_of_its_names_was() =>
        Assert.All(Root.Subcommands.Where(verb => !verb.Hidden && verb.Name != "completion").SelectMany(verb => verb.Aliases.Append(verb.Name).Select(name => (verb, name))), typed =>
        {
            var alone = Assert.Single(Verbs.Root(typed.name).Subcommands);
            Assert.Equal(typed.verb.Name, alone.Name);
            Assert.Equal(Walk(typed.verb).Select(HelpText.PathOf), Walk(alone).Select(HelpText.PathOf));
        });

    [Fact]
    public void Every_word_of_every_verb_is_explained() =>
        Assert.All(Walk(Root).Where(command => !command.Hidden), command =>
        {
            Assert.EndsWith(".", command.Description, StringComparison.Ordinal);
            Assert.All(command.Arguments.Cast<Symbol>().Concat(command.Options.Where(option => !option.Hidden)), symbol =>
                Assert.False(string.IsNullOrEmpty(symbol.Description), $"{HelpText.PathOf(command)} {symbol.Name}"));
        });

    [Fact]
    public void Help_is_never_wider_than_100_columns() =>
        Assert.All(Walk(Root), command => Assert.All(HelpText.Render(command).Split('\n'), line => Assert.InRange(line.Length, 0, HelpText.Width)));

    [Fact]
    public async Task Help_is_printed_and_the_exit_code_is_zero()
    {
        var (code, output, _) = await RunAsync("fn", "invoke", "--help");
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains("Examples:", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fn deplyo", "did you mean `dure fn deploy`?")]
    [InlineData("satus", "did you mean `dure status`?")]
    [InlineData("fn", "`dure fn` wants one more word: deploy, list,")]
    [InlineData("fn invoke", "Required argument")]
    [InlineData("token create x --scope all", "all")]
    [InlineData("fn deploy . --canary 100", "1 to 99")]
    public async Task Words_that_make_no_sense_end_with_2_and_say_what_would(string words, string expected)
    {
        var (code, output, error) = await RunAsync(words.Split(' '));
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Equal("", output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reference_pages_are_those_that_the_program_would_write() =>
        Assert.All(ReferencePages.All(Root).Concat(FleetPages.All()), page =>
        {
            var path = Path.Combine(SourceTree.Root, page.Key);
            Assert.True(File.Exists(path) && File.ReadAllText(path) == page.Value, $"{page.Key} is out of date: run `./dure docs generate`.");
        });

    /// <summary>Splits as a shell does, with single quotes only.</summary>
    private static IEnumerable<string> Words(string line) =>
        Regex.Matches(line, "'([^']*)'|(\\S+)", RegexOptions.None, TimeSpan.FromSeconds(1)).Select(match => match.Groups[1].Success ? match.Groups[1].Value : match.Value);

    private static IEnumerable<Command> Walk(Command command) => command.Subcommands.SelectMany(Walk).Prepend(command);

    private static async Task<(int Code, string Out, string Err)> RunAsync(params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(Root, words, new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
