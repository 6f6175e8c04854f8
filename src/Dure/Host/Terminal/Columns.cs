using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dure.Host.Terminal;

/// <summary>A column of a table.</summary>
/// <param name="Title">Heading.</param>
/// <param name="WidthMin">Columns it needs at least; a column that may not be cut has <see cref="Whole"/>.</param>
/// <param name="RightAligned">For numbers.</param>
/// <param name="Painted">States get their colour.</param>
public sealed record Column(string Title, int WidthMin = Column.Whole, bool RightAligned = false, bool Painted = false)
{
    /// <summary>The column is never cut.</summary>
    public const int Whole = int.MaxValue;
}

/// <summary>Shares a terminal's width among columns.</summary>
internal static class ColumnFit
{
    private const int Gap = 2;

    /// <summary>The width of each column: what its widest cell needs, less where the last columns that may be cut must give way.</summary>
    public static int[] Widths(IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<string>> rows, int total)
    {
        var widths = columns.Select((column, i) => rows.Select(row => Cells(row[i])).Append(column.Title.Length).Max()).ToArray();
        var excess = widths.Sum() + (Gap * (columns.Count - 1)) - total;
        while (excess > 0)
        {
            var widest = -1;
            for (var i = 0; i < columns.Count; i++)
            {
                var floor = Math.Max(columns[i].WidthMin, columns[i].Title.Length);
                if (widths[i] > floor && (widest < 0 || widths[i] >= widths[widest]))
                {
                    widest = i;
                }
            }

            if (widest < 0)
            {
                break;
            }

            widths[widest]--;
            excess--;
        }

        return widths;
    }

    /// <summary>Columns that a text takes on a terminal: Korean and other wide letters take two.</summary>
    public static int Cells(string text) => new Segment(text).CellCount();

    /// <summary>One line without control characters.</summary>
    public static string OneLine(string text) => string.Concat(text.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? '\ufffd' : c));

    /// <summary>The text in at most so many columns; what is cut off is said by an ellipsis.</summary>
    public static string Cut(string text, int width)
    {
        if (Cells(text) <= width)
        {
            return text;
        }

        var (kept, cells) = (0, 1);
        foreach (var rune in text.EnumerateRunes())
        {
            cells += Cells(rune.ToString());
            if (cells > width)
            {
                break;
            }

            kept += rune.Utf16SequenceLength;
        }

        return text[..kept] + "…";
    }
}

/// <summary>Colours of states. Colour is never the only sign: the word is always there.</summary>
internal static class Colours
{
    public static Style Of(Column column, string cell) => !column.Painted ? Style.Plain : cell.ToUpperInvariant() switch
    {
        "SUCCESS" or "OK" or "READY" or "LIVE" => new Style(Color.Green),
        "FAILED" or "REFUSING" or "LOST" => new Style(Color.Red),
        "PROCESSING" => new Style(Color.Blue),
        "PENDING" or "UNKNOWN" or "WARNING" or "CANCELLED" => new Style(Color.Yellow),
        _ => Style.Plain,
    };
}
