using System.Globalization;

namespace Dure.Functions.Lists;

/// <summary>A filter as SQL over <c>invocations i</c>. What is rare (an end that was no success, what has not ended) has a small index of its own; conditions are written so that it is used.</summary>
internal sealed class InvocationQuery
{
    private readonly List<string> _where = [];
    private readonly List<object?> _values = [];

    public InvocationQuery(InvocationFilter filter)
    {
        if (filter.Function is { } function)
            Add("i.function_id = $?", function);
        if (filter.Version is { } version)
            Add("i.version_id IN (SELECT id FROM versions WHERE CAST(number AS TEXT) = $? OR (LENGTH($?) > 3 AND digest LIKE $? || '%'))", version);
        AddStates(filter.States);
        if (filter.Owner is { } owner)
            Add("i.owner = $?", owner);
        if (filter.Triggers.Count > 0)
            _where.Add($"i.source IN ({string.Join(", ", filter.Triggers.Select(t => Invariant((long)t)))})");
        if (filter.Since is { } since)
            Add("i.id >= $?", InvocationId.FirstAt(since));
        if (filter.Until is { } until)
            Add("i.id < $?", InvocationId.FirstAt(until));
        if (filter.Below is { } below)
            Add("i.id < $?", below);
        if (filter.UpTo is { } upTo)
            Add("i.id <= $?", upTo);
        if (filter.Above is { } above)
            Add("i.id > $?", above);
        if (filter.Text is { } text)
            AddText(text);
    }

    /// <summary>The condition with its word; empty for none.</summary>
    public string Where => _where.Count == 0 ? "" : "WHERE " + string.Join(" AND ", _where);

    /// <summary>The condition, to be followed by another.</summary>
    public string And => _where.Count == 0 ? "WHERE" : Where + " AND";

    /// <summary>Its parameters.</summary>
    public object?[] Values => [.. _values];

    private void AddStates(IReadOnlyList<InvocationState> states)
    {
        if (states.Count == 0 || states.Count == 6)
            return;
        var list = string.Join(", ", states.Select(s => Invariant((long)s)));
        var index = states.All(s => s > InvocationState.Success) ? " AND i.state > 2" : states.All(s => s < InvocationState.Success) ? " AND i.state < 2" : "";
        _where.Add((states.Count == 1 ? $"i.state = {list}" : $"i.state IN ({list})") + index);
    }

    // A success has neither reason nor error, so only what the small indexes hold is looked through.
    private void AddText(string text)
    {
        _values.Add("%" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + "%");
        var like = Parameter();
        var found = $"(LOWER(reason) LIKE LOWER({like}) ESCAPE '\\' OR LOWER(error) LIKE LOWER({like}) ESCAPE '\\')";
        var ids = $"SELECT id FROM invocations WHERE state > 2 AND {found} UNION ALL SELECT id FROM invocations WHERE state < 2 AND {found}";
        if (InvocationId.TryParsePrefix(text, out var first, out var last))
        {
            _values.Add(first);
            ids += $" UNION ALL SELECT id FROM invocations WHERE id >= {Parameter()}";
            _values.Add(last);
            ids += $" AND id <= {Parameter()}";
        }
        _where.Add($"i.id IN ({ids})");
    }

    private void Add(string condition, object? value)
    {
        _values.Add(value);
        _where.Add(condition.Replace("$?", Parameter(), StringComparison.Ordinal));
    }

    private string Parameter() => "$" + Invariant(_values.Count);

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}
