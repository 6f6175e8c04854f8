using System.Globalization;
using Dure.Fleet.Model;

namespace Dure.Fleet.Check;

/// <summary>Lists and figures in sentences.</summary>
internal static class Words
{
    private const int NamesMax = 6;

    /// <summary><c>n1</c>; <c>n1 and n2</c>; <c>n1, n2, n3 and 997 more</c>.</summary>
    public static string Names(IEnumerable<Machine> machines) => List([.. machines.Select(machine => machine.Name)]);

    public static string List(IReadOnlyList<string> names, string last = "and") => names.Count <= NamesMax
        ? All(names, last)
        : Text($"{string.Join(", ", names.Take(NamesMax - 2))} {last} {names.Count - NamesMax + 2} more");

    /// <summary>The same with every name, however many.</summary>
    public static string All(IReadOnlyList<string> names, string last = "and") => names.Count switch
    {
        0 => "none",
        1 => names[0],
        _ => $"{string.Join(", ", names.Take(names.Count - 1))} {last} {names[^1]}",
    };

    /// <summary>Text with numbers that read the same everywhere.</summary>
    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Up to one decimal, with no trailing zero.</summary>
    public static string Number(double number) => Text($"{number:0.#}");

    /// <summary>A number and a word; the word takes an s when there is not exactly one.</summary>
    public static string Count(int number, string one) => Text($"{number} {one}{(number == 1 ? "" : "s")}");
}
