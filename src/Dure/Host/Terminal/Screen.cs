using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Dure.Host.Terminal;

/// <summary>How results are written.</summary>
public enum OutputFormat
{
    Table,
    Json,
}

/// <summary>What is at the other end of standard output and standard error.</summary>
/// <param name="OutIsTerminal">A person reads standard output.</param>
/// <param name="ErrIsTerminal">A person reads standard error: progress may be drawn.</param>
/// <param name="InIsTerminal">A person can be asked.</param>
/// <param name="Width">Columns; text that is not for a terminal is not cut.</param>
/// <param name="Colour">Colours may be used on whichever is a terminal.</param>
public sealed record TerminalTraits(bool OutIsTerminal, bool ErrIsTerminal, bool InIsTerminal, int Width, bool Colour)
{
    /// <summary>Wide enough for everything, for text that no terminal shows.</summary>
    public const int Unbounded = 100_000;

    /// <summary>The traits of this process; NO_COLOR is honoured.</summary>
    public static TerminalTraits OfProcess()
    {
        var isOut = !Console.IsOutputRedirected;
        var width = 100;
        if (isOut || !Console.IsErrorRedirected)
        {
            width = Console.WindowWidth is > 0 and var columns ? columns : 100;
        }

        var colour = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not "dumb";
        return new(isOut, !Console.IsErrorRedirected, !Console.IsInputRedirected, width, colour);
    }
}

/// <summary>The command line's output: data on standard output, talk on standard error.</summary>
/// <param name="quiet">No talk but warnings and problems.</param>
public sealed class Screen(TextWriter output, TextWriter error, TerminalTraits traits, TimeProvider time, OutputFormat format, bool quiet)
{
    private readonly Lazy<IAnsiConsole> _out = new(() => Draw(output, traits.OutIsTerminal, traits));
    private readonly Lazy<IAnsiConsole> _err = new(() => Draw(error, traits.ErrIsTerminal, traits));

    public OutputFormat Format => format;

    public TerminalTraits Traits => traits;

    public TimeProvider Time => time;

    /// <summary>Where data goes.</summary>
    public TextWriter Out => output;

    /// <summary>Draws on standard error: progress, questions.</summary>
    public IAnsiConsole Talk => _err.Value;

    /// <summary>True when progress and hints are welcome.</summary>
    public bool Chatty => traits.ErrIsTerminal && !quiet;

    /// <summary>A line of data.</summary>
    public void Line(string text) => output.WriteLine(Printable(text, traits.OutIsTerminal));

    /// <summary>Talk: what is being done and what could be done next. Not shown when nobody is there to read it.</summary>
    public void Note(string text)
    {
        if (Chatty)
        {
            error.WriteLine(Printable(text, isTerminal: true));
        }
    }

    /// <summary>Talk that is shown even to scripts, unless they ask for quiet.</summary>
    public void Say(string text)
    {
        if (!quiet)
        {
            error.WriteLine(Printable(text, traits.ErrIsTerminal));
        }
    }

    /// <summary>Something the reader should know; shown always.</summary>
    public void Warn(string text) => error.WriteLine("warning: " + Printable(text, traits.ErrIsTerminal));

    /// <summary>Bytes as they are; a last line break is added on a terminal only.</summary>
    public async Task RawAsync(Stream body, CancellationToken cancel)
    {
        await output.FlushAsync(cancel);
        await using var raw = Console.OpenStandardOutput();
        await body.CopyToAsync(raw, cancel);
        if (traits.OutIsTerminal)
        {
            raw.WriteByte((byte)'\n');
        }
    }

    /// <summary>One object as indented JSON.</summary>
    public void Json<T>(T value, JsonTypeInfo<T> type) => output.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Rows for people: aligned columns, cut to the terminal's width.</summary>
    public void Table(IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var table = new Table().NoBorder();
        table.ShowHeaders = true;
        for (var i = 0; i < columns.Count; i++)
        {
            var column = new TableColumn(new Text(columns[i].Title.ToUpperInvariant(), new Style(decoration: Decoration.Bold)))
            {
                NoWrap = true,
                Padding = new Padding(0, 0, i == columns.Count - 1 ? 0 : 2, 0),
                Alignment = columns[i].RightAligned ? Justify.Right : Justify.Left,
            };
            table.AddColumn(column);
        }

        rows = [.. rows.Select(IReadOnlyList<string> (row) => [.. row.Select(ColumnFit.OneLine)])];
        var widths = ColumnFit.Widths(columns, rows, traits.OutIsTerminal ? traits.Width : TerminalTraits.Unbounded);
        foreach (var row in rows)
        {
            table.AddRow(row.Select((cell, i) => new Text(ColumnFit.Cut(cell, widths[i]), Colours.Of(columns[i], cell))));
        }

        _out.Value.Write(table);
    }

    /// <summary>Names and values of one thing.</summary>
    public void Facts(IEnumerable<(string Name, string? Value)> facts)
    {
        var shown = facts.Where(fact => !string.IsNullOrEmpty(fact.Value)).ToList();
        var width = shown.Count == 0 ? 0 : shown.Max(fact => fact.Name.Length);
        foreach (var (name, value) in shown)
        {
            output.WriteLine($"{name.PadRight(width)}  {Printable(value!, traits.OutIsTerminal)}");
        }
    }

    /// <summary>A problem with its faults and what to do about it.</summary>
    public void Problem(Problem problem) => error.Write(format == OutputFormat.Json
        ? ProblemText.RenderJson(problem)
        : ProblemText.Render(problem, traits.ErrIsTerminal && traits.Colour));

    /// <summary>Text from elsewhere must not move a terminal's cursor or change its colours.</summary>
    internal static string Printable(string text, bool isTerminal) =>
        !isTerminal || !text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.Contains('\x7f', StringComparison.Ordinal)
            ? text
            : string.Concat(text.Select(c => c is '\n' or '\t' || !char.IsControl(c) ? c : '\ufffd'));

    private static IAnsiConsole Draw(TextWriter writer, bool isTerminal, TerminalTraits traits)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isTerminal && traits.Colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
        });
        console.Profile.Width = isTerminal ? traits.Width : TerminalTraits.Unbounded;
        return console;
    }
}
