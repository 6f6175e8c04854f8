using System.Globalization;
using Dure.Host;

namespace Dure.Functions.Lists;

/// <summary>Reads the filter of a list from the query of a request; every fault is named.</summary>
internal sealed class FilterReader(IQueryCollection query, FunctionCatalog catalog)
{
    private const int DefaultLimit = 50;
    private const int LargestLimit = 1000;
    private readonly List<Fault> _faults = [];

    /// <summary>The filter, or DURE0207.</summary>
    public Outcome<InvocationFilter> Read()
    {
        var filter = new InvocationFilter
        {
            Limit = Number("limit", DefaultLimit, 1, LargestLimit),
            Offset = Number("offset", 0, 0, int.MaxValue),
            Function = Text("function") is { } name ? catalog.Find(name)?.Id ?? -1 : null,
            Version = Text("version")?.ToLowerInvariant(),
            States = Several<InvocationState>("state"),
            Triggers = Several<InvocationSource>("trigger"),
            Owner = Text("owner"),
            Since = Time("since"),
            Until = Time("until"),
            Text = Text("text"),
            Below = Id("cursor"),
            UpTo = Id("up_to"),
            Above = Id("above"),
        };
        return _faults.Count > 0 ? FunctionErrors.BadFilter.With("The query has faults.", _faults) : filter;
    }

    private string? Text(string name) => query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    // Named once or more often, each time with one word or several.
    private List<T> Several<T>(string name)
        where T : struct, Enum
    {
        List<T> all = [];
        foreach (var word in query[name].SelectMany(v => (v ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            if (Enum.TryParse<T>(word, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsDigit(word[0]))
                all.Add(value);
            else
                _faults.Add(new Fault(name, $"'{word}' is none of {string.Join(", ", Words<T>())}."));
        }
        return all;
    }

    private static IEnumerable<string> Words<T>()
        where T : struct, Enum => typeof(T) == typeof(InvocationState) ? Enum.GetValues<InvocationState>().Select(s => s.Word()) : Enum.GetValues<InvocationSource>().Select(s => s.Word());

    private DateTimeOffset? Time(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return time;
        _faults.Add(new Fault(name, $"'{text}' is not a time; write it as 2026-11-21T09:00:00Z."));
        return null;
    }

    private long? Id(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (InvocationId.TryParse(text, out var id))
            return id;
        _faults.Add(new Fault(name, "It is not one that a list gave."));
        return null;
    }

    private int Number(string name, int otherwise, int least, int most)
    {
        if (Text(name) is not { } text)
            return otherwise;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        _faults.Add(new Fault(name, most == int.MaxValue ? $"'{text}' is not a number." : $"'{text}' is not a number from {least} to {most}."));
        return otherwise;
    }
}
