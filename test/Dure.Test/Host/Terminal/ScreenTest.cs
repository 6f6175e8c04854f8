using System.Text.RegularExpressions;
using Dure.Host;
using Dure.Host.Terminal;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Host.Terminal;

public sealed class ScreenTest
{
    private const int Width = 100;

    private static readonly Column[] Columns =
        [new("id"), new("function", 12), new("state", Painted: true), new("took", RightAligned: true), new("reason", 12)];

    [Fact]
    public void A_table_never_runs_over_a_terminal_of_100_columns() =>
        Prop.ForAll(ArbMap.Default.ArbFor<Tuple<NonNull<string>, NonNull<string>>[]>(), cells =>
        {
            var rows = cells.Select(IReadOnlyList<string> (cell) =>
                ["01K5ZQ8Y3V4M2", "a-function-with-a-name-" + cell.Item1.Get, "PROCESSING", "3m12s", cell.Item2.Get + new string('x', 120)]).ToList();
            var (screen, output, _) = Make(isTerminal: true);
            screen.Table(Columns, rows);
            var lines = WithoutStyles(output);
            Assert.All(lines, line => Assert.InRange(ColumnFit.Cells(line), 0, Width));
            Assert.Equal(rows.Count, lines.Count(line => line.StartsWith("01K5ZQ8Y3V4M2 ", StringComparison.Ordinal)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_program_gets_every_cell_whole_and_no_colours()
    {
        var reason = new string('x', 400);
        var (screen, output, _) = Make(isTerminal: false);
        screen.Table(Columns, [["1", "f", "FAILED", "1ms", reason]]);
        Assert.Contains(reason, output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', output.ToString());
    }

    [Fact]
    public void What_a_function_prints_cannot_move_the_cursor_or_set_the_title()
    {
        var (screen, output, error) = Make(isTerminal: true);
        screen.Line("\x1b]0;owned\a\x1b[2Jtext");
        screen.Table(Columns, [["1", "\x1b[31mred", "FAILED", "1ms", "\r\nover"]]);
        screen.Problem(CommandKind.With("detail \x1b[2J", [new("where\x1b[2J", "what\x1b[2J")]));
        Assert.DoesNotContain("\x1b]", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\x1b[2J", output.ToString() + error, StringComparison.Ordinal);
        Assert.DoesNotContain("\x1b[31mred", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Talk_goes_to_standard_error_and_only_where_someone_reads_it()
    {
        var (screen, output, error) = Make(isTerminal: false);
        screen.Note("hint");
        screen.Say("done");
        Assert.Equal("", output.ToString());
        Assert.Equal("done\n", error.ToString());
        (screen, output, error) = Make(isTerminal: true, quiet: true);
        screen.Note("hint");
        screen.Say("done");
        screen.Warn("careful");
        Assert.Equal("", output.ToString());
        Assert.Equal("warning: careful\n", error.ToString());
    }

    [Fact]
    public void A_problem_says_what_where_and_what_to_do()
    {
        var (screen, _, error) = Make(isTerminal: false);
        screen.Problem(CommandKind.With("It is red.", [new("a.yaml:1:2", "not a colour")]));
        Assert.Equal("error: It does not fit (DURE9999)\n  It is red.\n  a.yaml:1:2: not a colour\n  Paint it.\n", error.ToString());
    }

    [Fact]
    public void A_problem_for_a_program_is_json()
    {
        var (screen, _, error) = Make(isTerminal: false, format: OutputFormat.Json);
        screen.Problem(CommandKind.With("It is red."));
        using var json = System.Text.Json.JsonDocument.Parse(error.ToString());
        Assert.Equal("DURE9999", json.RootElement.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("plain", 5, "plain")]
    [InlineData("plain", 4, "pla…")]
    [InlineData("두레 이웃", 9, "두레 이웃")]
    [InlineData("두레 이웃", 7, "두레 …")]
    [InlineData("👍👍", 3, "👍…")]
    public void A_text_is_cut_by_what_it_takes_on_the_screen(string text, int width, string cut) => Assert.Equal(cut, ColumnFit.Cut(text, width));

    private static string[] WithoutStyles(StringWriter output) => Regex.Replace(output.ToString(), "\x1b\\[[0-9;]*m", "", RegexOptions.None, TimeSpan.FromSeconds(1)).Split('\n');

    private static ErrorKind CommandKind { get; } = new("DURE9999", "It does not fit", 400, ExitCodes.Usage, "Paint it.");

    private static (Screen Screen, StringWriter Out, StringWriter Err) Make(bool isTerminal, bool quiet = false, OutputFormat format = OutputFormat.Table)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var traits = new TerminalTraits(isTerminal, isTerminal, isTerminal, Width, Colour: false);
        return (new Screen(output, error, traits, TimeProvider.System, format, quiet), output, error);
    }
}
